/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

#include "engine/base/hash.h"
#include "engine/run/session.h"
#include "engine/svc/store.h"
#include "follow.h"

#include <stdlib.h>

enum { KEY_MAX = 255, HASH_SIZE = 2 * CG_SHA256_SIZE + 1 };

struct asking {
    struct cg_request *r;
    struct cogent_op op; /* below the request: ends with it */
    struct cg_run_request question;
    json_t *history, *needs;
    struct cg_stream *stream;
    enum cg_dialect_kind kind;
    bool include_usage;
    char key[KEY_MAX + 1], hash[HASH_SIZE];
};

static void on_ended(void *arg, int why)
{
    struct asking *a = arg;
    (void)why;
    json_decref(a->history);
    json_decref(a->needs);
    free(a);
}

/* The request that had the key: the same one, or another that took its key by mistake. */
static void on_key(void *arg, const struct cogent_db_result *result)
{
    struct asking *a = arg;
    struct cg_request *r = a->r;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n && cg_str_eq(row.values[0].str, a->hash)) {
        char run[CG_ID_SIZE];
        cg_str_copy(run, sizeof run, row.values[1].str);
        const struct cg_follow_from from = { run, -1, -1 };
        cg_follow(r, a->stream, &from);
        return;
    }
    cg_stream_destroy(a->stream);
    r->data = NULL;
    r->gone = NULL;
    if (row.n)
        cg_answer_error(
            r, COGENT_CONFLICT, "idempotency_mismatch",
            "This Idempotency-Key was sent with another request within the last day: take a new one.");
    else
        cg_answer_error(r, COGENT_UNAVAILABLE, NULL, "The question could not be written down; try again.");
}

static void on_refused(void *arg, int err)
{
    struct asking *a = arg;
    (void)err;
    const struct cogent_value v[2] = { cogent_text(cogent_str(a->r->caller->user)),
                                       cogent_text(cogent_str(a->key)) };
    const struct cg_db_step step = { &cg_store[CG_ST_KEY_GET], v, 2 };
    cg_db_run(a->r->env->run->db, a->op, a->r->caller->tenant, CG_DB_READ, &step, 1, on_key, a);
}

static void start(struct asking *a)
{
    struct cg_err err;
    const char *code;
    struct cg_run *run;
    struct cg_request *r = a->r;
    a->stream = cg_stream_create(r, a->kind, a->question.model, a->include_usage);
    if (!a->stream) {
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return;
    }
    if (a->key[0])
        cg_stream_on_refused(a->stream, on_refused, a);
    if (cg_run_start(r->env->runs, &a->question, cg_stream_sink(a->stream), &run, &code, &err) < 0) {
        cg_stream_destroy(a->stream);
        cg_answer_error(r, err.code, code, "%s", err.message);
        return;
    }
    cg_stream_attach(a->stream, run);
    /* What was asked is the run's now: no copy of it is kept as long as the answer takes. */
    const bool named = !a->key[0] && !a->question.detach;
    a->question = (struct cg_run_request){ 0 };
    json_decref(r->body);
    r->body = NULL;
    /* Whether a key is another's is not known yet; and a run that others may ask for is named when it is on disk. */
    if (!named)
        return;
    cg_stream_begin(a->stream);
    cg_op_finish(r->env->loop, a->op);
    on_ended(a, 0);
}

static void on_session(void *arg, int err, const json_t *session, const json_t *turns)
{
    struct asking *a = arg;
    (void)session;
    if (err < 0) {
        cg_answer_error(a->r, err, err == COGENT_NOT_FOUND ? "session_unknown" : NULL,
                        err == COGENT_NOT_FOUND
                            ? "There is no such session of yours; leave session out to begin a new one."
                            : "The session could not be read.");
        return;
    }
    a->needs = json_array();
    a->history = cg_session_history(turns, a->needs);
    a->question.history = a->history;
    a->question.needs = a->needs;
    start(a);
}

/* false: answered. */
static bool take_key(struct asking *a)
{
    unsigned char sum[CG_SHA256_SIZE];
    struct cg_request *r = a->r;
    struct cogent_str key = cg_http_header_find(cg_exchange_head(r->x), "idempotency-key");
    if (!key.ptr)
        return true;
    if (key.len == 0 || !cg_str_copy(a->key, sizeof a->key, key)) {
        cg_answer_error(r, COGENT_INVALID, "idempotency_invalid", "Idempotency-Key must be 1 to %d bytes.",
                        KEY_MAX);
        return false;
    }
    cg_auto_buf text = { 0 };
    cg_buf_printf(&text, "%s\n", r->route->path);
    cg_json_canonical(&text, r->body);
    cg_sha256(cg_buf_view(&text), sum);
    cg_hex(sum, sizeof sum, a->hash);
    a->question.key = a->key;
    a->question.hash = a->hash;
    return true;
}

void cg_question_ask(struct cg_request *r, const struct cg_run_request *question, enum cg_dialect_kind kind,
                     bool include_usage)
{
    struct asking *a = calloc(1, sizeof *a);
    if (!a) {
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return;
    }
    a->r = r;
    a->question = *question;
    a->history = json_incref((json_t *)question->history);
    a->kind = kind;
    a->include_usage = include_usage;
    a->question.keeps = !question->history; /* else the caller keeps the conversation itself */
    a->op = cg_op_start(r->env->loop, r->op, "ask", 0, on_ended, a);
    if (cogent_op_none(a->op)) {
        on_ended(a, COGENT_NO_MEMORY);
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return;
    }
    if (!take_key(a))
        return;
    if (a->question.keeps && question->session)
        cg_session_load(r->env->run, a->op, r->caller, question->session, CG_SESSION_TURNS, on_session, a);
    else
        start(a);
}
