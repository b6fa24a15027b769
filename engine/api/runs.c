/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/runs, /v1/runs/{id}, /v1/runs/{id}/events; POST /v1/runs/{id}/cancel. A run is its user's alone. */
#include "engine/svc/store.h"
#include "follow.h"
#include "hide.h"
#include "page.h"
#include "run_rows.h"

#include "engine/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *time_json(int64_t us)
{
    char text[CG_TIME_SIZE];
    return json_string(cg_time_format(us, text));
}

/* null: the caller keeps the conversation itself. */
static json_t *session_json(struct cogent_str session)
{
    return session.len ? cg_json_strn(session) : json_null();
}

static json_t *listed(const struct cg_request *r, struct cogent_row row)
{
    const struct cogent_value *v = row.values;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "run", cg_json_strn(v[0].str), "session",
                     session_json(v[1].str), "status",
                     json_string(cg_run_status_of(r, v[2].str, v[5].str, v[6].num != 0)), "created",
                     time_json(v[3].num), "updated", time_json(v[4].num));
}

static void on_list(void *arg, const struct cogent_db_result *result)
{
    cg_answer_page(arg, result, listed, 3);
}

void cg_route_runs(struct cg_request *r)
{
    const struct cogent_value v[3] = { cogent_text(cogent_str(r->caller->user)), cg_page_before(r),
                                       cg_page_limit(r) };
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
        cg_answer_unavailable(r, result->err);
        return false;
    }
    if (head->n == 0 || !cg_str_eq(head->values[0].str, r->caller->user)) {
        cg_answer_error(r, COGENT_NOT_FOUND, NULL, "There is no such run of yours.");
        return false;
    }
    return true;
}

static void on_run(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    struct cogent_row head;
    if (!mine(r, result, &head))
        return;
    bool hidden = false;
    json_t *rows = cg_run_rows_json(result, 1);
    cg_hide_lost(r, rows, &hidden);
    cg_answer_data(r, 200,
                   json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "run", r->params[0], "session",
                             session_json(head.values[1].str), "status", cg_run_status(r, head), "created",
                             time_json(head.values[4].num), "updated", time_json(head.values[5].num), "rows",
                             rows));
}

void cg_route_run(struct cg_request *r)
{
    read_run(r, on_run);
}

/* Where the reader left off: "<run>-<row>" or "<run>-<row>.<byte>". */
static void last_event(const struct cg_request *r, struct cg_follow_from *from)
{
    long long row = -1, byte = -1;
    char text[64];
    struct cogent_str last = cg_http_header_find(cg_exchange_head(r->x), "last-event-id");
    size_t n = strlen(from->run);
    if (last.len <= n || memcmp(last.ptr, from->run, n) != 0 ||
        !cg_str_copy(text, sizeof text, (struct cogent_str){ last.ptr + n, last.len - n }) ||
        sscanf(text, "-%lld.%lld", &row, &byte) < 1)
        return;
    from->row = row;
    from->byte = byte;
}

void cg_route_run_events(struct cg_request *r)
{
    struct cg_follow_from from = { r->params[0], -1, -1 };
    struct cg_stream *s = cg_stream_create(r, CG_AS_ASSISTANT, NULL, false);
    if (!s) {
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return;
    }
    last_event(r, &from);
    cg_follow(r, s, &from);
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
    if (!cg_str_eq(result->row(result, 0, 0).values[0].str, "running")) {
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
