/* SPDX-License-Identifier: Apache-2.0
 * Rows as events. A live run and a replay go through the same table, so both say the same; what differs (the text of
 * a turn comes in deltas while it is made) stands at one place each. */
#include "state.h"

#include "engine/base/id.h"
#include "engine/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARGS_MAX = 4096 };

static const char *const event_names[CG_EV_KINDS] = {
    [CG_EV_START] = "start",         [CG_EV_STEP] = "step",
    [CG_EV_TOOL_CALL] = "tool_call", [CG_EV_TOOL_RESULT] = "tool_result",
    [CG_EV_CITATION] = "citation",   [CG_EV_MESSAGE] = "message",
    [CG_EV_USAGE] = "usage",         [CG_EV_APPROVAL] = "approval",
    [CG_EV_RESTART] = "restart",     [CG_EV_DONE] = "done",
    [CG_EV_ERROR] = "error",
};

const char *cg_event_name(enum cg_event_kind kind)
{
    return event_names[kind];
}

/* Where a row's events go: a live run's sink, or a replay. */
struct out {
    const struct cg_sink *sink;
    const char *run;
    int64_t row;
    int64_t cut;           /* bytes of this row's text that the reader has */
    bool live, waits;      /* waits: a place where the run waited is told */
    json_t *cites, *shown; /* a replay's own; not owned */
};

enum { EVENT_ID_SIZE = CG_ID_SIZE + 48 };

static void send(const struct out *o, enum cg_event_kind kind, const json_t *data)
{
    char id[EVENT_ID_SIZE];
    snprintf(id, sizeof id, "%s-%lld", o->run, (long long)o->row);
    struct cg_event ev = { .kind = kind, .id = id, .data = data };
    if (o->sink->event)
        o->sink->event(o->sink->arg, &ev);
}

/* In the middle of a row an id says how many bytes of its text the reader then has: a resume begins right there. */
static void send_within(const struct out *o, size_t bytes, struct cg_event ev)
{
    char id[EVENT_ID_SIZE];
    snprintf(id, sizeof id, "%s-%lld.%zu", o->run, (long long)o->row, bytes);
    ev.id = id;
    if (o->sink->event)
        o->sink->event(o->sink->arg, &ev);
}

static void send_text(const struct out *o, size_t byte, struct cogent_str text)
{
    if (text.len)
        send_within(o, byte + text.len, (struct cg_event){ .kind = CG_EV_MESSAGE, .text = text });
}

static void send_citation(const struct out *o, size_t bytes, const json_t *data)
{
    send_within(o, bytes, (struct cg_event){ .kind = CG_EV_CITATION, .data = data });
}

/* Large arguments and results are cut for the stream: the whole is in the journal. */
static void set_capped(json_t *data, const char *key, json_t *value)
{
    cg_auto_buf text = { 0 };
    cg_json_add(&text, value);
    if (text.len <= ARGS_MAX) {
        json_object_set(data, key, value);
        return;
    }
    json_object_set_new(data, key, json_null());
    json_object_set_new(data, "truncated", json_true());
    /* Of a list the first rows still tell something. */
    json_t *items = json_is_array(value) ? value : json_object_get(value, "items");
    json_t *some = json_array();
    for (size_t i = 0, room = ARGS_MAX; i < json_array_size(items); i++) {
        cg_auto_buf row = { 0 };
        cg_json_add(&row, json_array_get(items, i));
        if (row.len > room)
            break;
        room -= row.len;
        json_array_append(some, json_array_get(items, i));
    }
    if (json_array_size(some))
        json_object_set(data, key, some);
    json_decref(some);
}

static void emit_open(const struct out *o, const json_t *body)
{
    json_t *session = json_object_get(body, "session");
    cg_auto_json data =
        json_pack("{s:s, s:O?, s:O?, s:O?, s:O?, s:O?}", "run", o->run, "session",
                  json_string_length(session) ? session : json_null(), "arm", json_object_get(body, "arm"),
                  "model", json_object_get(body, "link"), "policy", json_object_get(body, "policy"), "locale",
                  json_object_get(body, "locale"));
    send(o, CG_EV_START, data);
}

static void emit_context(const struct out *o, const json_t *body)
{
    if (o->cites)
        json_array_extend(o->cites, json_object_get(body, "cites"));
}

static json_t *citation(const json_t *candidate, unsigned n)
{
    json_t *data = json_deep_copy(candidate);
    json_object_set_new(data, "n", json_integer(n));
    return data;
}

/* A live turn has sent its text and citations as they came. */
static void emit_answer(const struct out *o, const json_t *body)
{
    if (!o->live) {
        size_t i;
        json_t *n;
        json_array_foreach (json_object_get(body, "shown"), i, n) {
            if (i < json_array_size(o->shown))
                continue;
            cg_auto_json data =
                citation(json_array_get(o->cites, (size_t)json_integer_value(n) - 1), (unsigned)i + 1);
            if (data)
                send_citation(o, (size_t)(o->cut > 0 ? o->cut : 0), data);
        }
        json_array_clear(o->shown);
        json_array_extend(o->shown, json_object_get(body, "shown"));
        struct cogent_str text = cogent_str(cg_json_str(body, "text", ""));
        size_t cut = cg_utf8_cut(text, (size_t)(o->cut > 0 ? o->cut : 0)); /* a reader may name any byte */
        if (cut < text.len)
            send_text(o, cut, (struct cogent_str){ text.ptr + cut, text.len - cut });
    }
    const json_t *usage = json_object_get(body, "usage");
    if (usage)
        send(o, CG_EV_USAGE, usage);
}

static void emit_verdict(const struct out *o, const json_t *body)
{
    cg_auto_json data = json_pack("{s:O?, s:O?, s:O?}", "call", json_object_get(body, "call"), "tool",
                                  json_object_get(body, "tool"), "effect", json_object_get(body, "effect"));
    json_t *args = json_object_get(body, "args");
    set_capped(data, "arguments", args ? args : json_null());
    send(o, CG_EV_TOOL_CALL, data);
}

static void emit_outcome(const struct out *o, const json_t *body)
{
    if (o->cites)
        json_array_extend(o->cites, json_object_get(body, "cites"));
    cg_auto_json data = json_pack("{s:O?, s:O?, s:O?, s:O?}", "call", json_object_get(body, "call"), "tool",
                                  json_object_get(body, "tool"), "status", json_object_get(body, "status"),
                                  "ms", json_object_get(body, "ms"));
    if (json_object_get(body, "result"))
        set_capped(data, "result", json_object_get(body, "result"));
    if (json_object_get(body, "error"))
        json_object_set(data, "error", json_object_get(body, "error"));
    send(o, CG_EV_TOOL_RESULT, data);
}

static void emit_ask(const struct out *o, const json_t *body)
{
    const json_t *approval = json_object_get(body, "approval");
    cg_auto_json data = json_pack("{s:O?, s:O?, s:s}", "call", json_object_get(body, "call"), "tool",
                                  json_object_get(approval, "tool"), "status", "waiting");
    send(o, CG_EV_TOOL_RESULT, data);
    send(o, CG_EV_APPROVAL, approval);
}

/* Where the run has gone on since, it is no end. */
static void emit_wait(const struct out *o, const json_t *body)
{
    if (o->waits)
        send(o, CG_EV_DONE, body);
}

static void emit_restart(const struct out *o, const json_t *body)
{
    send(o, CG_EV_RESTART, body);
}

static void emit_nothing(const struct out *o, const json_t *body)
{
    (void)o, (void)body;
}

static void emit_end(const struct out *o, const json_t *body)
{
    const json_t *error = json_object_get(body, "error");
    if (error) {
        send(o, CG_EV_ERROR, error);
        return;
    }
    cg_auto_json data = json_deep_copy(body);
    json_object_del(data, "error");
    send(o, CG_EV_DONE, data);
}

static void (*const emits[CG_ROW_KINDS])(const struct out *o, const json_t *body) = {
    [CG_ROW_OPEN] = emit_open,       [CG_ROW_CONTEXT] = emit_context,  [CG_ROW_ANSWER] = emit_answer,
    [CG_ROW_VERDICT] = emit_verdict, [CG_ROW_DISPATCH] = emit_nothing, [CG_ROW_OUTCOME] = emit_outcome,
    [CG_ROW_ASK] = emit_ask,         [CG_ROW_DECISION] = emit_nothing, [CG_ROW_WAIT] = emit_wait,
    [CG_ROW_RESTART] = emit_restart, [CG_ROW_AGAIN] = emit_nothing,    [CG_ROW_END] = emit_end,
};

void cg_run_emit_row(struct cg_run *run, size_t row)
{
    const struct out o = {
        .sink = &run->sink, .run = run->id, .row = (int64_t)row, .live = true, .waits = true
    };
    emits[run->rows[row].kind](&o, cg_run_body(run, row));
}

void cg_run_emit(struct cg_run *run, enum cg_event_kind kind, const char *id, const json_t *data)
{
    struct cg_event ev = { .kind = kind, .id = id, .data = data };
    if (run->sink.event)
        run->sink.event(run->sink.arg, &ev);
}

void cg_run_emit_step(struct cg_run *run, const char *step, const char *state, int64_t ms, int64_t records)
{
    if (!run->sink.event)
        return;
    cg_auto_json data = json_pack("{s:s, s:s}", "step", step, "state", state);
    if (ms >= 0)
        json_object_set_new(data, "ms", json_integer(ms));
    if (records >= 0)
        json_object_set_new(data, "records", json_integer(records));
    cg_run_emit(run, CG_EV_STEP, NULL, data);
}

void cg_run_emit_text(struct cg_run *run, int64_t row, size_t byte, struct cogent_str text)
{
    const struct out o = { .sink = &run->sink, .run = run->id, .row = row, .live = true };
    send_text(&o, byte, text);
}

void cg_run_emit_citation(struct cg_run *run, int64_t row, size_t bytes, unsigned candidate)
{
    const struct out o = { .sink = &run->sink, .run = run->id, .row = row, .live = true };
    cg_auto_json data =
        citation(json_array_get(run->cites, candidate - 1), (unsigned)json_array_size(run->shown));
    if (data)
        send_citation(&o, bytes, data);
}

void cg_replay_rows(struct cg_replay *r, const json_t *rows, bool waits)
{
    size_t i;
    json_t *row;
    const struct cg_sink silent = { 0 };
    if (!r->cites)
        r->cites = json_array();
    if (!r->shown)
        r->shown = json_array();
    json_array_foreach (rows, i, row) {
        int64_t no = cg_json_int(row, "row", (int64_t)i);
        int kind = cg_row_kind_of(cogent_str(cg_json_str(row, "kind", "")));
        bool partly = no == r->row && r->byte >= 0;
        /* Who names a row that never was is still told how it ended. */
        bool told = no > r->row || partly || (kind == CG_ROW_END && no < r->row);
        struct out o = { .sink = told ? &r->sink : &silent,
                         .run = r->run,
                         .row = no,
                         .cut = partly ? r->byte : 0,
                         .waits = waits && i + 1 == json_array_size(rows),
                         .cites = r->cites,
                         .shown = r->shown };
        if (kind >= 0)
            emits[kind](&o, json_object_get(row, "body"));
    }
}

void cg_replay_finish(struct cg_replay *r)
{
    json_decref(r->cites);
    json_decref(r->shown);
    r->cites = r->shown = NULL;
}
