/* SPDX-License-Identifier: Apache-2.0
 * The decision of an approval: one conditional update settles who decided; the loser is told how. */
#include "approval.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"
#include "runs.h"

#include <stdlib.h>

struct deciding {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cogent_op parent, op;
    struct cg_caller *caller;
    struct cg_sink sink;
    bool has_sink, approve, asker;
    bool resuming, gone; /* the run is being taken up; meanwhile the client left */
    char id[CG_ID_SIZE], run_id[CG_ID_SIZE];
    json_t *object;
    cg_decided_fn done;
    void *arg;
};

static bool has_role(const struct cg_caller *caller, const char *role)
{
    size_t i;
    json_t *have;
    json_array_foreach (caller->roles, i, have) {
        if (role && strcmp(json_string_value(have), role) == 0)
            return true;
    }
    return false;
}

static bool is_decider(const struct cg_caller *caller, const json_t *decider)
{
    const char *user = cg_json_str(decider, "user", NULL), *role = cg_json_str(decider, "role", NULL);
    if (user)
        return strcmp(user, caller->user) == 0;
    return has_role(caller, role) && cg_caller_may(caller, "cogent.approve");
}

bool cg_approval_may(const struct cg_caller *caller, const json_t *approval)
{
    size_t i;
    json_t *entry;
    const json_t *decider = json_object_get(approval, "decider");
    if (json_is_object(decider))
        return is_decider(caller, decider);
    /* Several must agree: who decides for all must be all of them. */
    json_array_foreach (decider, i, entry) {
        if (!is_decider(caller, entry))
            return false;
    }
    return json_array_size(decider) > 0;
}

json_t *cg_approval_object(struct cogent_str body, struct cogent_str state, int64_t expires_us)
{
    json_t *object = cg_json_parse(body, NULL);
    bool expired = cg_str_eq(state, "waiting") && expires_us <= cg_now_us();
    if (object)
        json_object_set_new(object, "state", expired ? json_string("expired") : cg_json_strn(state));
    return object;
}

static void deciding_free(struct deciding *d)
{
    json_decref(d->object);
    cg_caller_unref(d->caller);
    free(d);
}

static void finish(struct deciding *d, int err, const char *code, struct cg_run *run)
{
    cg_op_finish(d->env->loop, d->op);
    d->done(d->arg, err, code, d->object, run);
    deciding_free(d);
}

/* The waiting client is gone: the decision, once made, goes on without it. */
static void on_gone(void *arg, int why)
{
    struct deciding *d = arg;
    (void)why;
    d->gone = true;
    if (!d->resuming)
        deciding_free(d);
}

static void on_resumed(void *arg, struct cg_run *run, int err)
{
    struct deciding *d = arg;
    if (err < 0 && err != COGENT_CONFLICT && err != COGENT_NOT_FOUND)
        cg_log(CG_ERROR, "approval.resume", CG_S("run", d->run_id), CG_S("error", cogent_err_name(err)));
    if (d->gone) {
        deciding_free(d);
        return;
    }
    if (run && d->has_sink)
        cg_run_listen(run, &d->sink);
    finish(d, 0, NULL, d->asker ? run : NULL);
}

static void on_decided(void *arg, const struct cogent_db_result *result)
{
    struct deciding *d = arg;
    if (result->err < 0) {
        finish(d, result->err, NULL, NULL);
        return;
    }
    if (result->rows(result, 0) == 0) { /* somebody was quicker: look again */
        const struct cg_decide again = { d->caller, d->id, d->approve, d->has_sink ? &d->sink : NULL };
        cg_op_finish(d->env->loop, d->op);
        cg_approval_decide(d->runs, d->parent, &again, d->done, d->arg);
        deciding_free(d);
        return;
    }
    const char *state = d->approve ? "approved" : "denied";
    json_object_set_new(d->object, "state", json_string(state));
    cg_metric_add(d->env->metrics, CG_M_APPROVALS, 1, state, NULL, NULL);
    cg_log(CG_INFO, "approval.decided", CG_S("approval", d->id), CG_S("state", state),
           CG_S("run", d->run_id));
    d->resuming = true;
    cg_run_resume(d->runs, d->caller->tenant, d->run_id, d->asker ? d->caller : NULL, on_resumed, d);
}

static void decide_row(struct deciding *d)
{
    struct cogent_value v[5] = { cogent_text(cogent_str(d->id)),
                                 cogent_text(cogent_str(d->approve ? "approved" : "denied")),
                                 cogent_text(cogent_str(d->caller->user)),
                                 cogent_text(cogent_str(d->approve ? "approve" : "deny")),
                                 cogent_int(cg_now_us()) };
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_DECIDE], v, 5 };
    /* Before the decision is on disk: should this worker die between the two, another finds the run. */
    const struct cg_due due = { d->env->loop, d->env->db, d->env->keys, d->env->owner };
    cg_due_put(&due, "run", d->caller->tenant, d->run_id, cg_now_us() + 2000000);
    cg_db_run(d->env->db, d->op, d->caller->tenant, CG_DB_FSYNC, &step, 1, on_decided, d);
}

static void on_read(void *arg, const struct cogent_db_result *result)
{
    struct deciding *d = arg;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n == 0) {
        finish(d, result->err < 0 ? result->err : COGENT_NOT_FOUND, NULL, NULL);
        return;
    }
    d->object = cg_approval_object(row.values[4].str, row.values[3].str, row.values[7].num);
    cg_str_copy(d->run_id, sizeof d->run_id, row.values[0].str);
    d->asker = cg_str_eq(row.values[1].str, d->caller->user);
    if (!d->asker)
        d->has_sink = false; /* the answer is the asker's alone */
    if (!cg_approval_may(d->caller, d->object)) {
        json_decref(d->object);
        d->object = NULL;
        finish(d, COGENT_NOT_FOUND, NULL, NULL);
        return;
    }
    const char *state = cg_json_str(d->object, "state", "");
    if (strcmp(state, "waiting") == 0) {
        decide_row(d);
        return;
    }
    if (strcmp(state, "expired") == 0) {
        finish(d, COGENT_LIMIT, "approval_expired", NULL);
        return;
    }
    bool mine = row.values[8].type == COGENT_TEXT && cg_str_eq(row.values[8].str, d->caller->user);
    bool same =
        row.values[9].type == COGENT_TEXT && cg_str_eq(row.values[9].str, d->approve ? "approve" : "deny");
    finish(d, mine && same ? 0 : COGENT_CONFLICT, mine && same ? NULL : "approval_decided", NULL);
}

void cg_approval_decide(struct cg_runs *runs, struct cogent_op parent, const struct cg_decide *decide,
                        cg_decided_fn done, void *arg)
{
    struct deciding *d = calloc(1, sizeof *d);
    if (!d) {
        done(arg, COGENT_NO_MEMORY, NULL, NULL, NULL);
        return;
    }
    d->runs = runs;
    d->env = cg_runs_env(runs);
    d->caller = cg_caller_ref(decide->caller);
    d->approve = decide->approve;
    d->done = done;
    d->arg = arg;
    d->has_sink = decide->sink != NULL;
    if (decide->sink)
        d->sink = *decide->sink;
    cg_str_copy(d->id, sizeof d->id, cogent_str(decide->approval));
    d->parent = parent;
    d->op = cg_op_start(d->env->loop, parent, "approval", 0, on_gone, d);
    const struct cogent_value id = cogent_text(cogent_str(d->id));
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_GET], &id, 1 };
    if (cogent_op_none(cg_db_run(d->env->db, d->op, d->caller->tenant, CG_DB_READ, &step, 1, on_read, d)))
        finish(d, COGENT_NO_MEMORY, NULL, NULL);
}
