/* SPDX-License-Identifier: Apache-2.0
 * COMPOSE: the fold as messages for a provider, and the tools on offer. The user's words, history and records are
 * each a message of their own; nothing is ever pasted into the system text. */
#include "session.h"
#include "state.h"

#include "engine/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static struct cogent_str view(const json_t *string)
{
    return (struct cogent_str){ json_is_string(string) ? json_string_value(string) : "",
                                json_is_string(string) ? json_string_length(string) : 0 };
}

static struct cogent_message *add(struct cg_messages *m, int role, struct cogent_str text)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 4;
        struct cogent_message *list = realloc(m->list, cap * sizeof *list);
        if (!list)
            return NULL;
        m->list = list;
        m->cap = cap;
    }
    m->list[m->n] = (struct cogent_message){ .role = role, .text = text };
    return &m->list[m->n++];
}

/* A text that the messages own. */
static struct cogent_str keep(struct cg_messages *m, const struct cg_buf *text)
{
    json_t *kept = cg_json_strn(cg_buf_view(text));
    json_array_append_new(m->texts, kept);
    return view(kept);
}

/* What the user looks at while asking, so that "this one" means something: a place, not a citation. */
static bool add_screen(const struct cg_run *run, struct cg_messages *m)
{
    const json_t *context = json_object_get(cg_run_opening(run), "context");
    struct cogent_message *msg = context ? add(m, COGENT_RECORD, cogent_str("")) : NULL;
    if (msg) {
        msg->type = view(json_object_get(context, "type"));
        msg->id = view(json_object_get(context, "id"));
    }
    return msg || !context;
}

static bool add_records(const struct cg_run *run, struct cg_messages *m)
{
    size_t i;
    json_t *record;
    json_array_foreach (json_object_get(cg_run_context(run), "records"), i, record) {
        /* A right that was taken away while the run waited counts. */
        const struct cg_kind *kind = cg_kind_find(run->env->kinds, cg_json_str(record, "type", ""));
        if (!kind || !cg_caller_may(run->caller, kind->read))
            continue;
        struct cogent_message *msg = add(m, COGENT_RECORD, view(json_object_get(record, "text")));
        if (!msg)
            return false;
        cg_auto_buf fields = { 0 };
        cg_json_add(&fields, json_object_get(record, "fields"));
        msg->n = (unsigned)i + 1;
        msg->type = view(json_object_get(record, "type"));
        msg->id = view(json_object_get(record, "id"));
        msg->title = view(json_object_get(record, "title"));
        msg->fields = keep(m, &fields);
    }
    return true;
}

/* From which entry on the history is told: the template says how many turns and how many tokens, of four bytes each. */
static size_t history_from(const struct cg_run *run, const json_t *history)
{
    size_t at = json_array_size(history);
    int64_t turns = cg_json_int(cg_run_context(run), "turns", 0),
            bytes = 4 * cg_json_int(cg_run_context(run), "history_tokens", 0);
    int64_t questions = 0, used = 0;
    while (at > 0) {
        const json_t *entry = json_array_get(history, at - 1);
        used += (int64_t)json_string_length(json_object_get(entry, "content"));
        questions += strcmp(cg_json_str(entry, "role", ""), "user") == 0;
        if (used > bytes || questions > turns)
            break;
        at--;
    }
    return at;
}

static bool add_history(const struct cg_run *run, struct cg_messages *m)
{
    const json_t *history = json_object_get(cg_run_opening(run), "history");
    if (!cg_session_may_read(run->caller, json_object_get(cg_run_opening(run), "needs")))
        return true; /* a right was taken away while the run waited */
    for (size_t i = history_from(run, history); i < json_array_size(history); i++) {
        const json_t *turn = json_array_get(history, i);
        int role = strcmp(cg_json_str(turn, "role", ""), "assistant") == 0 ? COGENT_ASSISTANT : COGENT_USER;
        if (!add(m, role, view(json_object_get(turn, "content"))))
            return false;
    }
    return true;
}

/* A row of a cited result carries its marker, so that the model can cite the row. */
static void mark_row(json_t *row, size_t n)
{
    char marker[16];
    snprintf(marker, sizeof marker, "[%zu]", n);
    if (json_is_object(row))
        json_object_set_new(row, "cite", json_string(marker));
}

static unsigned first_cite(const struct cg_call *call)
{
    return (unsigned)cg_json_int(cg_call_outcome(call), "first_cite", 0);
}

static void outcome_text(const struct cg_call *call, struct cg_buf *out)
{
    const json_t *error = json_object_get(cg_call_outcome(call), "error");
    size_t cited = json_array_size(json_object_get(cg_call_outcome(call), "cites"));
    bool may = call->tool && cg_caller_may(call->run->caller, call->tool->api->permission);
    if (!may && !error) { /* a right that was taken away, or a tool that is gone and says of none */
        cg_buf_text(out, "{\"error\":{\"class\":\"denied\"}}");
        return;
    }
    if (error || !call->in.outcome) {
        cg_auto_json body = json_pack("{s:O}", "error", error ? error : json_null());
        cg_json_add(out, body);
        return;
    }
    cg_auto_json result = json_deep_copy(json_object_get(cg_call_outcome(call), "result"));
    json_t *rows = json_is_array(result) ? result : json_object_get(result, "items");
    bool list = json_is_array(rows) && (json_is_array(result) || !json_object_get(result, "id"));
    for (size_t i = 0; i < cited; i++)
        mark_row(list ? json_array_get(rows, i) : result, first_cite(call) + i);
    cg_json_add(out, result ? result : json_null());
}

static bool add_turn(const struct cg_run *run, size_t t, struct cg_messages *m, struct cogent_tool_use *uses)
{
    const struct cg_turn *turn = &run->turns[t];
    const json_t *row = cg_run_body(run, turn->row), *raw = json_object_get(row, "raw");
    struct cogent_message *msg = add(m, COGENT_ASSISTANT, view(raw ? raw : json_object_get(row, "text")));
    if (!msg)
        return false;
    msg->calls = uses;
    msg->n_calls = turn->n;
    for (size_t i = 0; i < turn->n; i++) {
        const json_t *use = cg_call_use(run->calls[turn->first + i]);
        uses[i] =
            (struct cogent_tool_use){ view(json_object_get(use, "id")), view(json_object_get(use, "name")),
                                      view(json_object_get(use, "args")),
                                      view(json_object_get(use, "verbatim")) };
    }
    for (size_t i = 0; i < turn->n; i++) {
        const struct cg_call *call = run->calls[turn->first + i];
        cg_auto_buf text = { 0 };
        outcome_text(call, &text);
        msg = add(m, COGENT_TOOL, keep(m, &text));
        if (!msg)
            return false;
        msg->call_id = uses[i].id;
        msg->name = uses[i].name;
        msg->failed = json_object_get(cg_call_outcome(call), "error") != NULL;
        msg->n = json_array_size(json_object_get(cg_call_outcome(call), "cites")) ? first_cite(call) : 0;
    }
    return true;
}

int cg_compose_messages(struct cg_run *run, struct cg_messages *out)
{
    *out =
        (struct cg_messages){ .texts = json_array(), .uses = cg_calloc(run->n_calls + 1, sizeof *out->uses) };
    bool ok = out->texts && out->uses &&
              add(out, COGENT_SYSTEM, view(json_object_get(cg_run_context(run), "system"))) &&
              add_records(run, out) && add_history(run, out) && add_screen(run, out) &&
              add(out, COGENT_USER, view(json_object_get(cg_run_opening(run), "query")));
    for (size_t t = 0; ok && t < run->n_turns; t++)
        ok = add_turn(run, t, out, out->uses + run->turns[t].first);
    if (ok)
        return 0;
    cg_messages_finish(out);
    return COGENT_NO_MEMORY;
}

void cg_messages_finish(struct cg_messages *m)
{
    free(m->list);
    free(m->uses);
    json_decref(m->texts);
    *m = (struct cg_messages){ 0 };
}

/* tools: true or missing: all; false: none; an array: those names. */
static bool asked_for(const json_t *tools, const char *name)
{
    size_t i;
    json_t *entry;
    if (!json_is_array(tools))
        return !json_is_false(tools);
    json_array_foreach (tools, i, entry) {
        if (json_is_string(entry) && strcmp(json_string_value(entry), name) == 0)
            return true;
    }
    return false;
}

/* Whether the run may offer the tool, were it for its user's rights to say. */
static bool may_offer(const struct cg_run *run, const struct cg_tool *t)
{
    bool hidden = COGENT_HAS(t->api, hidden) && t->api->hidden;
    return !hidden && asked_for(json_object_get(cg_run_opening(run), "tools"), t->api->name);
}

struct cogent_withheld *cg_compose_withheld(struct cg_run *run, size_t *n)
{
    const struct cg_plugins *plugins = run->env->plugins;
    struct cogent_withheld *withheld = cg_calloc(cg_tool_count(plugins) + 1, sizeof *withheld);
    *n = 0;
    for (size_t i = 0; withheld && i < cg_tool_count(plugins); i++) {
        const struct cg_tool *t = cg_tool_get(plugins, i);
        if (may_offer(run, t) && !cg_caller_may(run->caller, t->api->permission))
            withheld[(*n)++] =
                (struct cogent_withheld){ cogent_str(t->api->name), cogent_str(t->api->permission) };
    }
    return withheld;
}

struct cogent_offer *cg_compose_offers(struct cg_run *run, size_t *n)
{
    const struct cg_plugins *plugins = run->env->plugins;
    struct cogent_offer *offers = cg_calloc(cg_tool_count(plugins) + 1, sizeof *offers);
    *n = 0;
    for (size_t i = 0; offers && i < cg_tool_count(plugins); i++) {
        const struct cg_tool *t = cg_tool_get(plugins, i);
        if (!may_offer(run, t) || !cg_caller_may(run->caller, t->api->permission))
            continue;
        offers[(*n)++] = (struct cogent_offer){ cogent_str(t->api->name), cogent_str(t->api->about),
                                                cogent_str(t->args_text), t->api->effect };
    }
    return offers;
}
