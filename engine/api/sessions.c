/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/sessions; GET, PATCH, DELETE /v1/sessions/{id}: a user's conversations, and nobody else's. */
#include "engine/run/session.h"
#include "engine/svc/store.h"
#include "page.h"

enum { TURNS_MAX = 500, TITLE_MAX = 200 };

static void unknown(struct cg_request *r)
{
    cg_answer_error(r, COGENT_NOT_FOUND, "session_unknown", "There is no such session of yours.");
}

static json_t *listed(const struct cg_request *r, struct cogent_row row)
{
    (void)r;
    const struct cogent_value *v = row.values;
    json_t *session = cg_session_object(v[0].str, v[1].str, v[2].num, v[3].num);
    json_object_set_new(session, "turns", json_integer((json_int_t)v[4].num));
    return session;
}

static void on_list(void *arg, const struct cogent_db_result *result)
{
    cg_answer_page(arg, result, listed, 3);
}

void cg_route_sessions(struct cg_request *r)
{
    const struct cogent_value v[3] = { cogent_text(cogent_str(r->caller->user)), cg_page_before(r),
                                       cg_page_limit(r) };
    const struct cg_db_step step = { &cg_store[CG_ST_SESSION_LIST], v, 3 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_list, r);
}

/* A turn is two messages: what was asked, and what was answered. */
static json_t *messages_of(const json_t *turns)
{
    size_t i;
    json_t *turn;
    json_t *list = json_array();
    json_array_foreach (turns, i, turn) {
        json_t *run = json_object_get(turn, "run"), *at = json_object_get(turn, "at");
        json_array_append_new(list,
                              json_pack("{s:s, s:O, s:[], s:O, s:O}", "role", "user", "content",
                                        json_object_get(turn, "query"), "citations", "run", run, "at", at));
        json_array_append_new(list, json_pack("{s:s, s:O, s:O, s:O, s:O, s:O}", "role", "assistant",
                                              "content", json_object_get(turn, "content"), "citations",
                                              json_object_get(turn, "citations"), "run", run, "at", at,
                                              "status", json_object_get(turn, "status")));
    }
    return list;
}

static void on_session(void *arg, int err, const json_t *session, const json_t *turns)
{
    struct cg_request *r = arg;
    if (err == COGENT_NOT_FOUND) {
        unknown(r);
    } else if (err < 0) {
        cg_answer_unavailable(r, err);
    } else {
        json_t *data = json_deep_copy(session);
        json_object_set_new(data, "messages", messages_of(turns));
        cg_answer_data(r, 200, data);
    }
}

void cg_route_session(struct cg_request *r)
{
    cg_session_load(r->env->run, r->op, r->caller, r->params[0], TURNS_MAX, on_session, r);
}

static void on_renamed(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    if (result->err < 0) {
        cg_answer_unavailable(r, result->err);
    } else if (result->rows(result, 0) == 0) {
        unknown(r);
    } else {
        const struct cogent_value *v = result->row(result, 0, 0).values;
        cg_answer_data(r, 200, cg_session_object(cogent_str(r->params[0]), v[0].str, v[1].num, v[2].num));
    }
}

void cg_route_session_rename(struct cg_request *r)
{
    const char *title = cg_json_str(r->body, "title", "");
    if (!*title || strlen(title) > TITLE_MAX) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "title must be a text of 1 to %d bytes.",
                        TITLE_MAX);
        return;
    }
    const struct cogent_value v[3] = { cogent_text(cogent_str(r->params[0])),
                                       cogent_text(cogent_str(r->caller->user)),
                                       cogent_text(cogent_str(title)) };
    const struct cg_db_step step = { &cg_store[CG_ST_SESSION_TITLE], v, 3 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_COMMIT, &step, 1, on_renamed, r);
}

enum { DROPPED = 3 }; /* the step that says whether it was there */

static void on_deleted(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    if (result->err < 0)
        cg_answer_unavailable(r, result->err);
    else if (result->rows(result, DROPPED) == 0)
        unknown(r);
    else
        cg_answer_empty(r);
}

/* Its turns and the journals of its ended runs go with it. Effects stay: they happened. */
void cg_route_session_delete(struct cg_request *r)
{
    const struct cogent_value v[2] = { cogent_text(cogent_str(r->params[0])),
                                       cogent_text(cogent_str(r->caller->user)) };
    const struct cg_db_step steps[] = { { &cg_store[CG_ST_TURN_DROP], v, 2 },
                                        { &cg_store[CG_ST_SESSION_ROWS_DROP], v, 2 },
                                        { &cg_store[CG_ST_SESSION_RUNS_DROP], v, 2 },
                                        { &cg_store[CG_ST_SESSION_DROP], v, 2 } };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_COMMIT, steps, 4, on_deleted, r);
}
