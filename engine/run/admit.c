/* SPDX-License-Identifier: Apache-2.0
 * ADMIT: limits of the tenant, then the opening row: the question and whose it is. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"

#include <stdio.h>

enum { HISTORY_MAX = 50 };
static const int64_t KEY_US = 86400 * 1000000LL; /* how long an Idempotency-Key holds */

static int check_query(const struct cg_run_env *env, struct cogent_str query, struct cg_err *err)
{
    if (query.len == 0)
        return cg_err_set(err, COGENT_INVALID, "query is empty: ask something.");
    if ((int64_t)query.len > env->limits.question_bytes)
        return cg_err_set(err, COGENT_INVALID, "query is longer than %lld bytes.",
                          (long long)env->limits.question_bytes);
    if (!cg_utf8_valid(query))
        return cg_err_set(err, COGENT_INVALID, "query is not valid UTF-8.");
    return 0;
}

static int check_history(const json_t *history, struct cg_err *err)
{
    size_t i;
    json_t *turn;
    if (history && !json_is_array(history))
        return cg_err_set(err, COGENT_INVALID, "history must be a list of {\"role\", \"content\"}.");
    json_array_foreach (history, i, turn) {
        const char *role = cg_json_str(turn, "role", "");
        if (!json_is_string(json_object_get(turn, "content")) ||
            (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0))
            return cg_err_set(err, COGENT_INVALID,
                              "history/%zu must have role \"user\" or \"assistant\" and content, a string.",
                              i);
    }
    return 0;
}

/* Counts the run against its tenant, over all workers. */
static int take_place(struct cg_run *run, struct cg_err *err, const char **code)
{
    const struct cg_run_env *env = run->env;
    struct cg_board_tenant *t = cg_board_tenant(env->board, cg_tenant_id(run->caller->tenant));
    if (!t)
        return 0;
    int64_t hour = cg_now_us() / 3600000000;
    if (atomic_exchange(&t->hour, hour) != hour)
        atomic_store(&t->calls, 0);
    if ((int64_t)atomic_fetch_add(&t->calls, 1) >= env->limits.calls_per_hour) {
        *code = "rate_limited";
        return cg_err_set(err, COGENT_LIMIT,
                          "Your company has asked %lld questions this hour, which is its limit. "
                          "Try again in the next hour.",
                          (long long)env->limits.calls_per_hour);
    }
    if ((int64_t)cg_board_runs(t) >= env->limits.runs) {
        *code = "too_many_runs";
        return cg_err_set(err, COGENT_LIMIT,
                          "Your company has %lld questions being answered, which is its limit. "
                          "Try again when one has ended.",
                          (long long)env->limits.runs);
    }
    atomic_fetch_add(&t->runs[env->slot], 1);
    run->counted = true;
    return 0;
}

json_t *cg_run_rights(const struct cg_caller *caller)
{
    json_t *list = json_array();
    for (size_t i = 0; i < caller->own; i++)
        json_array_append(list, json_array_get(caller->permissions, i));
    return json_pack("{s:o, s:O}", "permissions", list, "roles", caller->roles);
}

static json_t *open_row(struct cg_run *run, const struct cg_run_request *r, const char *model)
{
    const char *link = json_string_value(json_array_get(json_object_get(run->env->models, model), 0));
    json_t *body = json_pack("{s:s%, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:b, s:b}", "query",
                             r->query.ptr, r->query.len, "user", run->caller->user, "session", run->session,
                             "locale", r->locale ? r->locale : run->caller->locale, "time_zone",
                             r->time_zone ? r->time_zone : run->caller->time_zone, "model", model, "link",
                             link, "policy", cg_policy_version(run->env->policy), "arm",
                             link && strcmp(link, "rules") == 0 ? "rules" : "model", "detach",
                             (int)(r->detach || r->key), "keeps", (int)r->keeps);
    cg_auto_json rights = cg_run_rights(run->caller);
    if (!body)
        return NULL;
    json_object_update(body, rights);
    if (json_array_size(r->needs))
        json_object_set(body, "needs", (json_t *)r->needs);
    if (r->context)
        json_object_set(body, "context", (json_t *)r->context);
    if (r->tools)
        json_object_set(body, "tools", (json_t *)r->tools);
    /* Only the last turns: what is older has no say. */
    size_t n = json_array_size(r->history), from = n > HISTORY_MAX ? n - HISTORY_MAX : 0;
    json_t *history = json_array();
    for (size_t i = from; i < n; i++)
        json_array_append(history, json_array_get(r->history, i));
    json_object_set_new(body, "history", history);
    return body;
}

/* A detached run is told of when its row is on disk: from then on it survives this worker. A key that another run has
 * is a conflict: this one was never there. */
static void on_open(struct cg_run *run, int err)
{
    if (err == 0) {
        cg_run_next(run);
        return;
    }
    if (err == COGENT_CONFLICT && run->keyed) {
        const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
        const struct cg_sink sink = run->sink;
        cg_due_drop(&due, "run", run->caller->tenant, run->id);
        cg_run_destroy(run);
        if (sink.refused) /* else the client has left */
            sink.refused(sink.arg, err);
        return;
    }
    cg_auto_json body =
        cg_error_body(COGENT_UNAVAILABLE, NULL, "The question could not be written down; try again.", NULL);
    cg_settle_start(run, "failed", NULL, body);
}

/* The key goes with the row, or neither is written. */
static void write_open(struct cg_run *run, const struct cg_run_request *r)
{
    const int64_t now = cg_now_us();
    const struct cogent_value user = cogent_text(cogent_str(run->caller->user));
    const struct cogent_value run_id = cogent_text(cogent_str(run->id));
    const struct cogent_value key[5] = { user, cogent_text(cogent_str(r->key)),
                                         cogent_text(cogent_str(r->hash)), run_id, cogent_int(now) };
    const struct cogent_value old[2] = { user, cogent_int(now - KEY_US) };
    const struct cogent_value open[6] = { run_id,
                                          user,
                                          cogent_text(cogent_str(run->session)),
                                          cogent_text(cogent_str(run->env->owner)),
                                          cogent_int(now),
                                          cogent_int(run->detached) };
    struct cogent_value session[4];
    struct cg_db_step steps[4] = { { &cg_store[CG_ST_RUN_OPEN], open, 6 } };
    size_t n = 1;
    if (run->keeps)
        cg_session_open_step(run, session, &steps[n++]);
    if (!run->detached) {
        cg_run_write(run, CG_DB_LAZY, steps, n, "running", NULL);
        cg_run_next(run);
        return;
    }
    run->keyed = r->key != NULL;
    if (run->keyed) {
        steps[n++] = (struct cg_db_step){ &cg_store[CG_ST_KEY_EXPIRE], old, 2 };
        steps[n++] = (struct cg_db_step){ &cg_store[CG_ST_KEY_ADD], key, 5 };
    }
    cg_run_survives(run);
    cg_run_write(run, CG_DB_COMMIT, steps, n, "running", on_open);
}

int cg_admit_open(struct cg_run *run, const struct cg_run_request *r, struct cg_err *err, const char **code)
{
    const char *model = r->model ? r->model : "main";
    *code = NULL;
    int rc = check_query(run->env, r->query, err);
    if (rc == 0)
        rc = check_history(r->history, err);
    if (rc < 0)
        return rc;
    if (!json_is_array(json_object_get(run->env->models, model))) {
        const char *name;
        json_t *chain;
        cg_auto_buf names = { 0 };
        json_object_foreach ((json_t *)run->env->models, name, chain)
            cg_buf_printf(&names, "%s%s", names.len ? ", " : "", name);
        *code = "model_not_found";
        return cg_err_set(err, COGENT_NOT_FOUND, "There is no model \"%.64s\". There are: %s.", model,
                          names.len ? names.ptr : "none");
    }
    rc = take_place(run, err, code);
    if (rc < 0)
        return rc;
    if (r->session)
        cg_str_copy(run->session, sizeof run->session, cogent_str(r->session));
    else if (r->keeps)
        cg_id_make("ses_", run->session);
    run->fresh = true;
    /* start is told with the row; the sink of the caller is set after, so it comes with the first turn. */
    if (cg_run_row(run, CG_ROW_OPEN, open_row(run, r, model), true) < 0)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    write_open(run, r);
    return 0;
}
