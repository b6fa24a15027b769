/* SPDX-License-Identifier: Apache-2.0
 * Taking a run up again: its rows are loaded and folded, its approvals' decisions become rows, and the driver goes
 * on from what the fold calls for. One conditional update decides who has it. */
#include "approval.h"
#include "credential.h"
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/svc/store.h"
#include "runs.h"

#include <stdio.h>
#include <stdlib.h>

enum { TAKES_MAX = 3, LAST_MOMENT_US = 3000000 };

struct resume {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cogent_op op;
    const struct cg_tenant *tenant;
    char run_id[CG_ID_SIZE];
    struct cg_caller *credential;
    cg_resumed_fn started;
    void *arg;
    struct cg_run *run;
    json_t *decisions; /* [{"call", "approval", "decision", "by"}] */
    char owner[96], status[16];
    bool cancelled; /* by its user, while it waited */
    int64_t until;  /* how long it waits for people, its user among them */
    int64_t rows;   /* that it had when it was looked at, as its own row says */
    bool late;      /* its user did not sign in again in time */
    bool forged;    /* what was approved is not what stands in the journal */
};

static void finish(struct resume *r, struct cg_run *run, int err)
{
    const cg_resumed_fn started = r->started;
    void *arg = r->arg;
    const int64_t until = r->until;
    cg_op_finish(r->env->loop, r->op);
    if (r->run && !run)
        cg_run_destroy(r->run);
    cg_tenant_unref(r->tenant);
    cg_caller_unref(r->credential);
    json_decref(r->decisions);
    free(r);
    if (started)
        started(arg, run, err, until);
}

static char *text_of(struct cogent_row row, size_t i)
{
    return row.n > i && row.values[i].type == COGENT_TEXT ? cg_str_dup(row.values[i].str) : NULL;
}

bool cg_run_owner_lives(const struct cg_run_env *env, struct cogent_str holder)
{
    char owner[96];
    unsigned slot;
    unsigned long long incarnation;
    cg_str_copy(owner, sizeof owner, holder);
    const char *slash = strchr(owner, '/');
    if (!slash || sscanf(slash, "/%u/%llu", &slot, &incarnation) != 2)
        return false;
    size_t machine = (size_t)(slash - owner);
    /* Another machine's workers cannot be seen from here: its own workers take its runs up. */
    if (strncmp(env->owner, owner, machine) != 0 || env->owner[machine] != '/')
        return true;
    return cg_board_alive(env->board, slot, incarnation);
}

/* The last word on the asker's rights: of the question, or of a decision that the asker made since. */
static json_t *rights_of(const struct cogent_db_result *result)
{
    for (size_t i = result->rows(result, 1); i-- > 0;) {
        struct cogent_row row = result->row(result, 1, i);
        json_t *body = cg_json_reread(row.values[3].str);
        if (json_object_get(body, "permissions"))
            return body;
        json_decref(body);
    }
    return NULL;
}

/* Under the rights of the asker's token, which is this request's when the asker makes it, and what its roles grant
 * today. */
static struct cg_caller *caller_of(struct resume *r, const char *user, const json_t *rights,
                                   const char *sealed)
{
    const struct cg_tenant_info *info = cg_tenants_find(r->env->tenants, cg_tenant_name(r->tenant));
    struct cg_caller *c = info ? cg_caller_create(r->tenant, info->fields, user) : NULL;
    if (!c)
        return NULL;
    bool fresh = r->credential && r->credential->authorization;
    json_array_extend(c->permissions,
                      fresh ? r->credential->permissions : json_object_get(rights, "permissions"));
    json_array_extend(c->roles, fresh ? r->credential->roles : json_object_get(rights, "roles"));
    if (fresh) {
        c->own = r->credential->own;
    } else {
        cg_auto_json granted = cg_policy_roles(r->env->policy, c->roles);
        cg_caller_grant(c, granted);
    }
    if (fresh)
        cg_credential_take(c, r->credential);
    else
        cg_credential_open(r->env->keys, c, r->run_id, cogent_str(sealed));
    return c;
}

static int fold_rows(struct resume *r, const struct cogent_db_result *result)
{
    for (size_t i = 0; i < result->rows(result, 1); i++) {
        struct cogent_row row = result->row(result, 1, i);
        int kind = cg_row_kind_of(row.values[2].str);
        json_t *body = cg_json_reread(row.values[3].str);
        if (kind < 0 || !body || row.values[0].num != (int64_t)i || (kind == CG_ROW_OPEN) != (i == 0)) {
            json_decref(body);
            return COGENT_INTERNAL;
        }
        int rc = cg_run_row_loaded(r->run, (enum cg_row_kind)kind, row.values[1].num, body);
        if (rc < 0)
            return rc;
    }
    return cg_run_opening(r->run) ? 0 : COGENT_INTERNAL;
}

/* What people have said meanwhile. false: somebody has yet to speak. */
static bool collect_decisions(struct resume *r, const struct cogent_db_result *result)
{
    int64_t now = cg_now_us();
    for (size_t i = 0; i < result->rows(result, 2); i++) {
        struct cogent_row row = result->row(result, 2, i);
        cg_auto_free char *id = text_of(row, 0);
        cg_auto_free char *call_id = text_of(row, 1);
        cg_auto_free char *state = text_of(row, 2);
        cg_auto_free char *mac = text_of(row, 4);
        cg_auto_free char *by = text_of(row, 6);
        cg_auto_free char *decision = text_of(row, 7);
        cg_auto_free char *edited = text_of(row, 8);
        cg_auto_free char *votes = text_of(row, 9);
        struct cg_call *call = call_id ? cg_run_call(r->run, call_id) : NULL;
        if (!call || call->in.outcome || !state)
            continue;
        /* What was approved must be what is in the journal, under the policy that asked. */
        bool genuine = mac && cg_approval_mac_ok(r->run, call, cogent_str(mac));
        if (!genuine)
            cg_log(CG_ERROR, "approval.forged", CG_S("run", r->run_id), CG_S("approval", id ? id : "?"));
        cg_auto_json args =
            edited && id ? cg_edit_open(r->env->keys, r->tenant, id, cogent_str(edited)) : NULL;
        genuine = genuine && (!edited || args);
        if (call->state != CG_CALL_ASKING) { /* its decision is a row already */
            genuine = genuine && (!call->edited || json_equal(args, cg_call_args(call)));
            r->forged = r->forged || (!genuine && call->state != CG_CALL_DENIED);
            continue;
        }
        /* A decision of the last moment may be on its way to the disk: nobody can begin one any more. */
        int64_t until = row.values[5].num + LAST_MOMENT_US;
        bool expired = strcmp(state, "waiting") == 0 && until <= now;
        if (strcmp(state, "waiting") == 0 && !expired) {
            r->until = until;
            return false;
        }
        bool yes = genuine && !expired && decision && strcmp(decision, "approve") == 0;
        json_array_append_new(r->decisions, json_pack("{s:s, s:s, s:s, s:s, s:s, s:O*, s:o*}", "call",
                                                      call_id, "approval", id ? id : "", "decision",
                                                      yes ? "approve" : "deny", "by", by ? by : "", "why",
                                                      !genuine  ? "its seal does not match"
                                                      : expired ? "nobody decided in time"
                                                      : yes     ? "approved"
                                                                : "a person said no",
                                                      "args", yes ? args : NULL, "votes",
                                                      votes ? cg_json_reread(cogent_str(votes)) : NULL));
    }
    return true;
}

static void append_decisions(struct resume *r)
{
    size_t i;
    json_t *d;
    struct cg_run *run = r->run;
    cg_auto_json rights = r->credential ? cg_run_rights(run->caller) : NULL;
    json_array_foreach (r->decisions, i, d) {
        struct cg_call *call = cg_run_call(run, cg_json_str(d, "call", ""));
        json_object_update(d, rights); /* for whoever takes it up after us */
        if (cg_run_row(run, CG_ROW_DECISION, json_incref(d), false) < 0) {
            cg_run_stop(run, "failed");
            return;
        }
        /* Whether the right and the tool are still there is asked when it is sent (act.c). */
        const char *why = call->state == CG_CALL_DENIED ? cg_json_str(d, "why", "") : NULL;
        if (why)
            cg_run_row(run, CG_ROW_OUTCOME,
                       json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:[], s:i}", "call", call->id, "tool",
                                 cg_json_str(cg_call_use(call), "name", ""), "status", "denied", "error",
                                 "class", "denied", "message", why, "cites", "ms", 0),
                       false);
    }
}

static void on_claimed(void *arg, const struct cogent_db_result *result)
{
    struct resume *r = arg;
    struct cg_run *run = r->run;
    if (result->err < 0 || result->rows(result, 0) == 0) {
        finish(r, NULL, result->err);
        return;
    }
    /* A run whose workers die one after the other is most likely what kills them, and each of them had others' runs. */
    bool deadly = result->row(result, 0, 0).values[1].num >= TAKES_MAX;
    /* A cancel that came between the look and the claim is seen here; one that comes later finds the run with us. */
    r->cancelled = r->cancelled || result->row(result, 0, 0).values[2].num != 0;
    cg_run_rows_kept(run);
    run->loading = false;
    r->cancelled = r->cancelled || run->stop;
    run->stop = NULL;
    run->due = true;
    run->detached = true; /* nobody's disconnect cancels it now */
    run->fresh = r->credential && r->credential->authorization;
    run->unsigned_in = r->late;
    run->lost = strcmp(r->status, "running") == 0;
    run->state = CG_RUN_TAKEN;
    cg_log(CG_INFO, "run.taken_up", CG_S("run", run->id), CG_S("from", r->owner));
    /* Who listens from here on must be there before the decisions become events. */
    if (r->started)
        r->started(r->arg, run, 0, 0);
    r->started = NULL;
    if (r->cancelled || r->forged)
        cg_act_abandon(run); /* what was sent may have happened: it is not left as if it were under way */
    if (r->cancelled || r->forged)
        cg_run_stop(run, r->forged ? "failed" : "cancelled");
    else
        append_decisions(r);
    r->run = NULL;
    finish(r, run, 0);
    if (deadly) {
        cg_log(CG_ERROR, "run.given_up", CG_S("run", run->id), CG_I("deaths", TAKES_MAX));
        cg_act_abandon(run);
        cg_run_stop(run, "failed");
    }
    cg_run_next(run);
}

static void claim(struct resume *r)
{
    struct cogent_value v[6] = { cogent_text(cogent_str(r->run_id)),     cogent_text(cogent_str(r->owner)),
                                 cogent_text(cogent_str(r->env->owner)), cogent_int(cg_now_us()),
                                 cogent_text(cogent_str(r->status)),     cogent_int(r->rows) };
    const struct cg_db_step step = { &cg_store[CG_ST_RUN_CLAIM], v, 6 };
    if (cogent_op_none(cg_db_run(r->env->db, r->op, r->tenant, CG_DB_COMMIT, &step, 1, on_claimed, r)))
        finish(r, NULL, COGENT_NO_MEMORY);
}

static void on_loaded(void *arg, const struct cogent_db_result *result)
{
    struct resume *r = arg;
    struct cogent_row head = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    cg_auto_free char *user = text_of(head, 0);
    cg_auto_free char *sealed = text_of(head, 8);
    if (!user) {
        finish(r, NULL, result->err < 0 ? result->err : COGENT_NOT_FOUND);
        return;
    }
    cg_str_copy(r->status, sizeof r->status, head.values[2].str);
    cg_str_copy(r->owner, sizeof r->owner, head.values[3].str);
    bool signs_in = strcmp(r->status, "auth_required") == 0;
    bool waits = signs_in || strcmp(r->status, "waiting") == 0;
    r->cancelled = head.values[7].num != 0;
    r->rows = head.values[6].num;
    /* Taken up without its user: only to be ended when the time is over. */
    if (signs_in)
        r->until = head.values[5].num + r->env->limits.approval_ms * 1000;
    r->late = signs_in && !r->credential && r->until <= cg_now_us();
    if (signs_in && !r->credential && !r->late && !r->cancelled) {
        finish(r, NULL, COGENT_CONFLICT);
        return;
    }
    /* It has ended, or has died with its worker: it was put down to be found again, and was not to survive yet. */
    bool lives = cg_run_owner_lives(r->env, cogent_str(r->owner)), survives = head.values[9].num != 0;
    if (!waits && (strcmp(r->status, "running") != 0 || lives || !survives)) {
        finish(r, NULL, strcmp(r->status, "running") == 0 && lives ? 0 : COGENT_NOT_FOUND);
        return;
    }
    uint32_t memory = cg_memory_failures();
    cg_auto_json rights = rights_of(result);
    struct cg_caller *caller = rights ? caller_of(r, user, rights, sealed) : NULL;
    r->run = caller ? cg_run_create(r->runs, caller, r->run_id) : NULL;
    cg_caller_unref(caller);
    if (r->run)
        r->run->loading = true;
    int rc = r->run ? fold_rows(r, result) : COGENT_NO_MEMORY;
    if (rc == 0 && memory != cg_memory_failures()) /* a credential or a right may be missing */
        rc = COGENT_NO_MEMORY;
    if (rc < 0 || r->run->in.end)
        finish(r, NULL, rc);
    else if (!r->cancelled && !collect_decisions(r, result))
        finish(r, NULL, COGENT_CONFLICT);
    else
        claim(r);
}

void cg_run_resume(struct cg_runs *runs, const struct cg_tenant *tenant, const char *run_id,
                   struct cg_caller *credential, cg_resumed_fn started, void *arg)
{
    struct resume *r = calloc(1, sizeof *r);
    if (!r) {
        started(arg, NULL, COGENT_NO_MEMORY, 0);
        return;
    }
    r->runs = runs;
    r->env = cg_runs_env(runs);
    r->tenant = cg_tenant_ref(tenant);
    r->credential = credential ? cg_caller_ref(credential) : NULL;
    r->decisions = json_array();
    r->started = started;
    r->arg = arg;
    cg_str_copy(r->run_id, sizeof r->run_id, cogent_str(run_id));
    r->op = cg_op_start(r->env->loop, (struct cogent_op){ 0, 0 }, "resume", 0, NULL, NULL);
    const struct cogent_value run = cogent_text(cogent_str(r->run_id));
    const struct cogent_value rows[2] = { run, cogent_int(0) };
    const struct cg_db_step steps[] = {
        { &cg_store[CG_ST_RUN_GET], &run, 1 },
        { &cg_store[CG_ST_ROW_LIST], rows, 2 },
        { &cg_store[CG_ST_APPROVAL_OF_RUN], &run, 1 },
    };
    if (cogent_op_none(cg_db_run(r->env->db, r->op, tenant, CG_DB_READ, steps, 3, on_loaded, r)))
        finish(r, NULL, COGENT_NO_MEMORY);
}
