/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/approvals, /v1/approvals/{id}; POST /v1/approvals/{id}. */
#include "engine/run/approval.h"
#include "engine/svc/store.h"
#include "stream.h"

#include "engine/base/clock.h"

#include <strings.h>

enum { LIST_MAX = 1000, NOTE_MAX = 2000 };

static struct cogent_str text_at(struct cogent_row row, size_t i)
{
    return row.values[i].type == COGENT_TEXT ? row.values[i].str : (struct cogent_str){ NULL, 0 };
}

/* As people see it: who said yes, not with which of their roles. */
static json_t *shown(json_t *object)
{
    size_t i;
    json_t *vote;
    json_array_foreach (json_object_get(object, "votes"), i, vote)
        json_object_del(vote, "roles");
    return object;
}

static void on_list(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    if (result->err < 0) {
        cg_answer_unavailable(r, result->err);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < result->rows(result, 0); i++) {
        struct cogent_row row = result->row(result, 0, i);
        const struct cg_approval_row fields = { row.values[4].str, row.values[3].str, text_at(row, 6),
                                                text_at(row, 7), row.values[5].num };
        json_t *object = cg_approval_object(&fields);
        const char *state = cg_json_str(object, "state", "");
        bool waits = strcmp(state, "waiting") == 0;
        if (waits ? cg_approval_wants(r->caller, object)
                  : object && cg_approval_may(r->caller, object) && strcmp(state, "expired") != 0)
            json_array_append(list, shown(object));
        json_decref(object);
    }
    cg_answer_list(r, list, NULL);
}

void cg_route_approvals(struct cg_request *r)
{
    char state[16] = "waiting";
    cg_query_param(r, "state", state, sizeof state);
    const struct cogent_value v[3] = { cogent_text(cogent_str(state)), cogent_int(LIST_MAX),
                                       cogent_int(cg_now_us()) };
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_LIST], v, 3 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_list, r);
}

static void on_one(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    json_t *object = NULL;
    if (row.n) {
        const struct cg_approval_row fields = { row.values[4].str, row.values[3].str, text_at(row, 10),
                                                text_at(row, 11), row.values[7].num };
        object = cg_approval_object(&fields);
    }
    if (result->err < 0) {
        cg_answer_unavailable(r, result->err);
    } else if (!object ||
               !(cg_approval_may(r->caller, object) || cg_str_eq(row.values[1].str, r->caller->user))) {
        json_decref(object);
        cg_answer_error(r, COGENT_NOT_FOUND, NULL,
                        "There is no such approval, or it is not yours to decide.");
    } else {
        cg_answer_data(r, 200, shown(object));
    }
}

void cg_route_approval(struct cg_request *r)
{
    const struct cogent_value id = cogent_text(cogent_str(r->params[0]));
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_GET], &id, 1 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_one, r);
}

static void on_decided(void *arg, int err, const char *code, const char *why, const json_t *approval,
                       struct cg_run *run)
{
    struct cg_request *r = arg;
    struct cg_stream *s = r->data;
    r->data = NULL;
    r->gone = NULL;
    if (err == 0 && run && s) {
        cg_stream_attach(s, run);
        cg_stream_begin(s);
        return;
    }
    cg_stream_destroy(s);
    if (err == 0) {
        cg_answer_data(r, 200, shown(json_deep_copy(approval)));
    } else if (code && strcmp(code, "approval_decided") == 0 && approval) {
        cg_auto_json body = cg_error_body(err, code, "This was decided already.", cg_exchange_id(r->x));
        json_object_set_new(body, "approval", shown(json_deep_copy(approval)));
        cg_answer_error_body(r, 409, body);
    } else {
        cg_answer_error(r, err, code, "%s",
                        why                       ? why
                        : err == COGENT_NOT_FOUND ? "There is no such approval, or it is not yours to decide."
                        : code && strcmp(code, "approval_expired") == 0
                            ? "This approval has expired; ask again."
                            : "The decision could not be taken.");
    }
}

static void on_gone(struct cg_request *r)
{
    cg_stream_destroy(r->data);
}

void cg_route_approval_decide(struct cg_request *r)
{
    const char *decision = cg_json_str(r->body, "decision", "");
    bool approve = strcmp(decision, "approve") == 0;
    if (!approve && strcmp(decision, "deny") != 0) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "decision must be \"approve\" or \"deny\".");
        return;
    }
    const json_t *arguments = json_object_get(r->body, "arguments"), *note = json_object_get(r->body, "note");
    if (arguments && (!json_is_object(arguments) || !approve)) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid",
                        "arguments must be an object, all of them as they are to be, and go with approve.");
        return;
    }
    if (note && (!json_is_string(note) || json_string_length(note) > NOTE_MAX)) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "note must be a text of at most %d bytes.",
                        NOTE_MAX);
        return;
    }
    struct cogent_str accept = cg_http_header_find(cg_exchange_head(r->x), "accept");
    struct cg_stream *s = accept.len >= 17 && strncasecmp(accept.ptr, "text/event-stream", 17) == 0
                              ? cg_stream_create(r, CG_AS_ASSISTANT, NULL, false)
                              : NULL;
    const struct cg_decide decide = { .caller = r->caller,
                                      .approval = r->params[0],
                                      .approve = approve,
                                      .arguments = arguments,
                                      .note = json_string_value(note),
                                      .sink = s ? cg_stream_sink(s) : NULL };
    r->data = s;
    r->gone = on_gone;
    cg_approval_decide(r->env->runs, r->op, &decide, on_decided, r);
}
