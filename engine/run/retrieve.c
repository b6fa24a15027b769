/* SPDX-License-Identifier: Apache-2.0
 * RETRIEVE: the records this user may read, then the system text. Only kinds that the caller may read are asked for,
 * as a condition of the statement itself. A retriever that is down costs the records, not the answer: tools read
 * live, and the model is told that nothing was found. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <stdlib.h>

enum { SCREEN_MAX = 8000, SCREEN_CHUNKS = 20 };

struct retrieval {
    struct cg_run *run;
    json_t *records, *cites;
    char *kinds, *principals, *prefer;
    struct cg_prompt prompt;
    int64_t began_us;
    struct cogent_op op; /* so that r is freed when the run is cancelled meanwhile */
    bool screen;         /* the first record is the one on the user's screen */
};

static void finish(struct retrieval *r)
{
    json_decref(r->records);
    json_decref(r->cites);
    free(r->kinds);
    free(r->principals);
    free(r->prefer);
    cg_prompt_finish(&r->prompt);
    free(r);
}

static json_t *template_vars(const struct cg_run *run)
{
    char now[CG_TIME_SIZE], date[11];
    cg_time_format(cg_now_us(), now);
    cg_str_copy(date, sizeof date, cogent_str(now));
    json_t *tenant = json_deep_copy(run->caller->fields);
    json_object_set_new(tenant, "name", json_string(cg_tenant_name(run->caller->tenant)));
    return json_pack("{s:{s:s, s:s}, s:o, s:{s:s, s:s, s:s, s:s}}", "now", "date", date, "time", now,
                     "tenant", tenant, "user", "id", run->caller->user, "name", run->caller->name, "language",
                     run->asker.language, "locale", run->asker.abi.locale);
}

static bool render_prompt(struct retrieval *r)
{
    struct cg_err err;
    cg_auto_json vars = template_vars(r->run);
    int rc = cg_policy_prompt(r->run->env->policy, r->run->caller->roles, r->run->asker.language, vars,
                              &r->prompt, &err);
    if (rc == 0)
        return true;
    cg_log(CG_ERROR, "run.prompt", CG_S("run", r->run->id), CG_S("why", err.message));
    cg_auto_json body =
        cg_error_body(COGENT_INTERNAL, "prompt_failed", "The prompt template could not be filled.", NULL);
    cg_settle_start(r->run, "failed", NULL, body);
    return false;
}

static bool is_screen(const struct cg_run *run, const struct cogent_found *f)
{
    const json_t *context = json_object_get(cg_run_opening(run), "context");
    return cg_str_eq(f->type, cg_json_str(context, "type", "")) &&
           cg_str_eq(f->id, cg_json_str(context, "id", ""));
}

static void on_found(void *arg, const struct cogent_found *f)
{
    struct retrieval *r = arg;
    struct cg_run *run = r->run;
    char type[64], as_of[CG_TIME_SIZE];
    cg_str_copy(type, sizeof type, f->type);
    const struct cg_kind *kind = cg_kind_find(run->env->kinds, type);
    if (r->screen && is_screen(run, f))
        return; /* there already */
    /* The statement has the condition; a retriever that forgets it meets this one. */
    if (!kind || !cg_caller_may(run->caller, kind->read))
        return;
    cg_auto_json fields = cg_json_parse(f->columns, NULL);
    cg_auto_buf url = { 0 };
    json_t *record = json_pack("{s:s%, s:s%, s:s%, s:s%, s:O}", "type", f->type.ptr, f->type.len, "id",
                               f->id.ptr, f->id.len, "title", f->title.ptr, f->title.len, "text", f->text.ptr,
                               f->text.len, "fields", fields ? fields : json_null());
    struct cogent_str quote = f->text;
    quote.len = quote.len > 300 ? 300 : quote.len;
    while (quote.len && ((unsigned char)quote.ptr[quote.len] & 0xc0) == 0x80 && quote.len < f->text.len)
        quote.len--;
    json_t *cite =
        json_pack("{s:s%, s:s%, s:s%, s:s%, s:s, s:s}", "type", f->type.ptr, f->type.len, "id", f->id.ptr,
                  f->id.len, "title", f->title.ptr, f->title.len, "quote", quote.ptr, quote.len, "via",
                  "record", "as_of", cg_time_format(f->as_of ? f->as_of : cg_now_us(), as_of));
    if (cite && kind->url) {
        cg_auto_json id = json_pack("{s:s%}", "id", f->id.ptr, f->id.len);
        cg_kind_fill(kind->url, fields, id, run->caller->fields, true, &url);
        if (url.len > 7 && strncmp(url.ptr, "http", 4) == 0)
            json_object_set_new(cite, "url", json_string(url.ptr));
    }
    if (record && cite) {
        json_array_append(r->records, record);
        json_array_append(r->cites, cite);
    }
    json_decref(record);
    json_decref(cite);
}

/* The tenant's scripts at `prompt`: may this question be answered at all? true: it may. */
static bool ask_policy(struct cg_run *run)
{
    struct cg_decision d;
    cg_auto_json subject = json_pack("{s:O, s:O}", "query", json_object_get(cg_run_opening(run), "query"),
                                     "records", json_object_get(cg_run_context(run), "cites"));
    cg_run_decide(run, CG_POINT_PROMPT, subject, &d);
    bool refused = d.verdict == CG_DENY;
    if (refused) {
        cg_log(CG_INFO, "run.refused", CG_S("run", run->id), CG_S("by", d.by));
        cg_settle_start(run, "refused", d.reason[0] ? d.reason : "This question is not answered here.", NULL);
    }
    cg_decision_finish(&d);
    return !refused;
}

static void on_done(void *arg, int err, const char *why)
{
    struct retrieval *r = arg;
    struct cg_run *run = r->run;
    cg_op_finish(run->env->loop, r->op);
    if (err < 0)
        cg_log(CG_WARN, "run.retrieve", CG_S("run", run->id), CG_S("error", cogent_err_name(err)),
               CG_S("why", why));
    int64_t ms = (cg_mono_us() - r->began_us) / 1000;
    int64_t n = (int64_t)json_array_size(r->records);
    json_t *body =
        json_pack("{s:O, s:O, s:s, s:i, s:f, s:i, s:i, s:I, s:b}", "records", r->records, "cites", r->cites,
                  "system", r->prompt.system, "max_tokens", (int)r->prompt.max_tokens, "temperature",
                  r->prompt.temperature, "turns", (int)r->prompt.turns, "history_tokens",
                  (int)r->prompt.history_tokens, "ms", (json_int_t)ms, "failed", (int)(err < 0));
    finish(r);
    cg_run_emit_step(run, "retrieve", "done", ms, n);
    if (cg_run_row(run, CG_ROW_CONTEXT, body, false) < 0)
        cg_run_stop(run, "failed");
    else if (!ask_policy(run))
        return;
    cg_run_next(run);
}

/* The wait ended without an answer: the run is being cancelled. */
static void on_gone(void *arg, int why)
{
    (void)why;
    finish(arg);
}

static void search(struct retrieval *r)
{
    struct cg_run *run = r->run;
    const json_t *query = json_object_get(cg_run_opening(run), "query");
    const struct cogent_search request = {
        .what = COGENT_SEARCH,
        .query = { json_string_value(query), json_string_length(query) },
        .prefer = cogent_str(r->prefer),
        .kinds = cogent_str(r->kinds),
        .principals = cogent_str(r->principals),
        .limit = r->prompt.records ? r->prompt.records : 8,
    };
    if (cogent_op_none(cg_invoke_search(&run->env->invoke, r->op, cg_retriever_get(run->env->plugins),
                                        &request, 0, on_found, on_done, r)))
        on_done(r, COGENT_NO_MEMORY, "out of memory");
}

/* The record on the user's screen, all of its chunks as one. */
static void on_shown(void *arg, const struct cogent_found *f)
{
    struct retrieval *r = arg;
    json_t *record = json_array_get(r->records, 0);
    if (!record) {
        on_found(r, f);
        return;
    }
    const char *have = cg_json_str(record, "text", "");
    if (strlen(have) + f->text.len > SCREEN_MAX)
        return;
    cg_auto_buf text = { 0 };
    cg_buf_printf(&text, "%s\n", have);
    cg_buf_str(&text, f->text);
    json_object_set_new(record, "text", cg_json_strn(cg_buf_view(&text)));
}

static void on_screen(void *arg, int err, const char *why)
{
    struct retrieval *r = arg;
    if (err < 0)
        cg_log(CG_WARN, "run.screen", CG_S("run", r->run->id), CG_S("error", cogent_err_name(err)),
               CG_S("why", why));
    r->screen = json_array_size(r->records) > 0;
    search(r);
}

static void show_screen(struct retrieval *r, const json_t *context)
{
    struct cg_run *run = r->run;
    const struct cogent_search request = {
        .what = COGENT_SHOW,
        .kinds = cogent_str(r->kinds),
        .principals = cogent_str(r->principals),
        .type = cogent_str(cg_json_str(context, "type", "")),
        .id = cogent_str(cg_json_str(context, "id", "")),
        .limit = SCREEN_CHUNKS,
    };
    if (cogent_op_none(cg_invoke_search(&run->env->invoke, r->op, cg_retriever_get(run->env->plugins),
                                        &request, 0, on_shown, on_screen, r)))
        on_done(r, COGENT_NO_MEMORY, "out of memory");
}

void cg_retrieve_start(struct cg_run *run)
{
    const struct cg_retriever *retriever = cg_retriever_get(run->env->plugins);
    struct cogent_op parent = cg_run_work(run);
    struct retrieval *r = calloc(1, sizeof *r);
    if (!r) {
        cg_run_stop(run, "failed");
        return;
    }
    r->run = run;
    r->records = json_array();
    r->cites = json_array();
    r->began_us = cg_mono_us();
    if (!render_prompt(r)) {
        finish(r);
        return;
    }
    cg_run_emit_step(run, "retrieve", "started", -1, -1);
    cg_auto_json kinds = cg_kinds_readable(run->env->kinds, run->caller->permissions);
    r->kinds = cg_json_text(kinds);
    r->principals = cg_caller_principals(run->caller);
    const json_t *query = json_object_get(cg_run_opening(run), "query");
    const struct cogent_str words = { json_string_value(query), json_string_length(query) };
    cg_auto_json named = cg_kinds_named(kinds, words);
    r->prefer = cg_json_text(named);
    if (!retriever || json_array_size(kinds) == 0 || !r->kinds || !r->principals || !r->prefer) {
        on_done(r, 0, "");
        return;
    }
    r->op = cg_op_start(run->env->loop, parent, "retrieve", 0, on_gone, r);
    const json_t *context = json_object_get(cg_run_opening(run), "context");
    if (context)
        show_screen(r, context);
    else
        search(r);
}
