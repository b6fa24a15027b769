/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/runs, /v1/runs/{id}, /v1/runs/{id}/events; POST /v1/runs/{id}/cancel. A run is its user's alone. */
#include "engine/io/sse.h"
#include "engine/svc/store.h"
#include "request.h"
#include "sink.h"

#include "engine/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *time_json(int64_t us)
{
    char text[CG_TIME_SIZE];
    return json_string(cg_time_format(us, text));
}

static void on_list(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    if (result->err < 0) {
        cg_answer_error(r, result->err, NULL, "The database did not answer.");
        return;
    }
    json_t *list = json_array();
    char next[24] = "";
    size_t n = result->rows(result, 0);
    for (size_t i = 0; i < n; i++) {
        struct cogent_row row = result->row(result, 0, i);
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:o}", "run", cg_json_strn(row.values[0].str), "session",
                      cg_json_strn(row.values[1].str), "status", cg_json_strn(row.values[2].str), "created",
                      time_json(row.values[3].num), "updated", time_json(row.values[4].num)));
        snprintf(next, sizeof next, "%lld", (long long)row.values[3].num);
    }
    cg_answer_list(r, list, n == (size_t)cg_query_int(r, "limit", 50, 200) ? next : NULL);
}

void cg_route_runs(struct cg_request *r)
{
    const struct cogent_value v[3] = { cogent_text(cogent_str(r->caller->user)),
                                       cogent_int(cg_query_int(r, "after", INT64_MAX, INT64_MAX)),
                                       cogent_int(cg_query_int(r, "limit", 50, 200)) };
    const struct cg_db_step step = { &cg_store[CG_ST_RUN_LIST], v, 3 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_list, r);
}

/* The run and its rows, for its user. */
static void read_run(struct cg_request *r, cg_db_done_fn done)
{
    const struct cogent_value run = cogent_text(cogent_str(r->params[0]));
    const struct cogent_value rows[2] = { run, cogent_int(0) };
    const struct cg_db_step steps[] = { { &cg_store[CG_ST_RUN_GET], &run, 1 },
                                        { &cg_store[CG_ST_ROW_LIST], rows, 2 } };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, steps, 2, done, r);
}

static bool mine(struct cg_request *r, const struct cogent_db_result *result, struct cogent_row *head)
{
    *head = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (result->err < 0) {
        cg_answer_error(r, result->err, NULL, "The database did not answer.");
        return false;
    }
    if (head->n == 0 || !cg_str_eq(head->values[0].str, r->caller->user)) {
        cg_answer_error(r, COGENT_NOT_FOUND, NULL, "There is no such run of yours.");
        return false;
    }
    return true;
}

static json_t *rows_json(const struct cogent_db_result *result)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < result->rows(result, 1); i++) {
        struct cogent_row row = result->row(result, 1, i);
        json_t *body = cg_json_parse(row.values[3].str, NULL);
        json_array_append_new(rows,
                              json_pack("{s:I, s:o, s:o, s:o}", "row", (json_int_t)row.values[0].num, "at",
                                        time_json(row.values[1].num), "kind", cg_json_strn(row.values[2].str),
                                        "body", body ? body : json_null()));
    }
    return rows;
}

/* Takes what the reader may not read out of a list of records or citations. */
static bool blank_records(const struct cg_request *r, json_t *list)
{
    size_t i;
    json_t *record;
    bool hidden = false;
    json_array_foreach (list, i, record) {
        const struct cg_kind *kind = cg_kind_find(r->env->run->kinds, cg_json_str(record, "type", ""));
        if (kind && cg_caller_may(r->caller, kind->read))
            continue;
        json_array_set_new(list, i,
                           json_pack("{s:O?, s:b}", "type", json_object_get(record, "type"), "hidden", 1));
        hidden = true;
    }
    return hidden;
}

static bool blank_result(const struct cg_request *r, json_t *body)
{
    const char *name = cg_json_str(body, "tool", NULL);
    const struct cg_tool *tool = name ? cg_tool_find(r->env->run->plugins, cogent_str(name)) : NULL;
    if (!name || !json_object_get(body, "result") ||
        (tool && cg_caller_may(r->caller, tool->api->permission)))
        return false;
    json_object_set_new(body, "result", json_null());
    return true;
}

/* What the reader may no longer read is not shown by an old run either; nor are the words that rest on it. */
static void hide_lost(const struct cg_request *r, json_t *rows)
{
    static const char *const texts[] = { "text", "raw", "content" };
    size_t i;
    json_t *row;
    bool hidden = false;
    json_array_foreach (rows, i, row) {
        json_t *body = json_object_get(row, "body");
        json_object_del(body, "system");
        json_object_del(body, "permissions");
        hidden = blank_records(r, json_object_get(body, "records")) || hidden;
        hidden = blank_records(r, json_object_get(body, "cites")) || hidden;
        hidden = blank_result(r, body) || hidden;
    }
    if (!hidden)
        return;
    json_array_foreach (rows, i, row) {
        json_t *body = json_object_get(row, "body");
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            if (json_object_get(body, texts[t]))
                json_object_set_new(body, texts[t],
                                    json_string("(You may no longer read what this answer rests on.)"));
        }
    }
}

/* A run that nobody holds any more, and that was not to survive its client, was cancelled with its worker. */
static const char *status_now(const struct cg_request *r, struct cogent_row head)
{
    static const char *const known[] = { "running", "waiting",   "complete", "limited",
                                         "refused", "cancelled", "failed" };
    struct cogent_str status = head.values[2].str;
    bool survives = head.values[9].num != 0;
    if (cg_str_eq(status, "running") && !survives && !cg_run_owner_lives(r->env->run, head.values[3].str))
        return "cancelled";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (cg_str_eq(status, known[i]))
            return known[i];
    }
    return "failed";
}

static void on_run(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    struct cogent_row head;
    if (!mine(r, result, &head))
        return;
    json_t *rows = rows_json(result);
    hide_lost(r, rows);
    cg_answer_data(r, 200,
                   json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "run", r->params[0], "session",
                             cg_json_strn(head.values[1].str), "status", status_now(r, head), "created",
                             time_json(head.values[4].num), "updated", time_json(head.values[5].num), "rows",
                             rows));
}

void cg_route_run(struct cg_request *r)
{
    read_run(r, on_run);
}

/* Replaying: what is written, as events, in the assistant's dialect. */

static void collect(void *arg, const struct cg_event *ev)
{
    cg_dialect_assistant.event(NULL, ev, arg);
}

static void on_events(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    struct cogent_row head;
    long long row = -1, byte = -1;
    if (!mine(r, result, &head))
        return;
    struct cogent_str last = cg_http_header_find(cg_exchange_head(r->x), "last-event-id");
    size_t id_len = strlen(r->params[0]);
    if (last.len > id_len && last.len < 120 && memcmp(last.ptr, r->params[0], id_len) == 0) {
        char text[64];
        cg_str_copy(text, sizeof text, (struct cogent_str){ last.ptr + id_len, last.len - id_len });
        if (sscanf(text, "-%lld.%lld", &row, &byte) < 1)
            row = byte = -1;
    }
    cg_auto_json rows = rows_json(result);
    hide_lost(r, rows);
    cg_auto_buf out = { 0 };
    const struct cg_sink sink = { collect, &out };
    cg_run_replay(rows, r->params[0], row, byte, &sink);
    if (out.len == 0) {
        cg_answer_empty(r);
        return;
    }
    cg_answer_stream(r, NULL);
    cg_answer_bytes(r, cg_buf_view(&out));
    cg_answer_end(r);
}

void cg_route_run_events(struct cg_request *r)
{
    read_run(r, on_events);
}

static void on_cancelled(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    char text[CG_PARAM_SIZE + 64];
    if (result->err < 0 || result->rows(result, 0) == 0) {
        cg_answer_error(r, result->err < 0 ? result->err : COGENT_NOT_FOUND, NULL,
                        "There is no such run of yours under way.");
        return;
    }
    if (cg_str_eq(result->row(result, 0, 0).values[0].str, "waiting")) {
        /* Nobody holds it: it is taken up to be ended. */
        cg_run_resume(r->env->runs, r->caller->tenant, r->params[0], r->caller, NULL, NULL);
    } else if (!cg_run_cancel_here(r->env->runs, cg_tenant_id(r->caller->tenant), r->params[0])) {
        snprintf(text, sizeof text, "cancel %s %s", cg_tenant_id(r->caller->tenant), r->params[0]);
        r->env->mail(r->env->mail_self, text);
    }
    cg_answer_data(r, 202, json_pack("{s:s, s:s}", "run", r->params[0], "status", "cancelling"));
}

void cg_route_run_cancel(struct cg_request *r)
{
    const struct cogent_value v[2] = { cogent_text(cogent_str(r->params[0])),
                                       cogent_text(cogent_str(r->caller->user)) };
    const struct cg_db_step step = { &cg_store[CG_ST_RUN_CANCEL], v, 2 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_COMMIT, &step, 1, on_cancelled, r);
}
