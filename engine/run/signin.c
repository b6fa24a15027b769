/* SPDX-License-Identifier: Apache-2.0
 * Runs that wait for their user's credential, and the user who has just come with one. The board knows whether any
 * run of the tenant may wait, so that a request costs nothing where none does. */
#include "state.h"

#include "engine/base/log.h"
#include "engine/svc/store.h"
#include "runs.h"

#include <stdlib.h>

struct signing_in {
    struct cg_runs *runs;
    struct cg_caller *caller;
    uint64_t awaits; /* how many had begun to wait when we looked */
};

static void on_resumed(void *arg, struct cg_run *run, int err, int64_t until)
{
    (void)arg, (void)run, (void)until;
    if (err < 0 && err != COGENT_NOT_FOUND && err != COGENT_CONFLICT)
        cg_log(CG_WARN, "run.signed_in", CG_S("error", cogent_err_name(err)));
}

static void on_awaiting(void *arg, const struct cogent_db_result *result)
{
    struct signing_in *s = arg;
    const struct cg_run_env *env = cg_runs_env(s->runs);
    size_t n = result->err == 0 ? result->rows(result, 0) : 0;
    struct cg_board_tenant *t = cg_board_tenant(env->board, cg_tenant_id(s->caller->tenant));
    if (result->err == 0 && n == 0 && t)
        atomic_store(&t->awaits_none, s->awaits + 1);
    for (size_t i = 0; i < n; i++) {
        struct cogent_row row = result->row(result, 0, i);
        char run[CG_ID_SIZE];
        if (cg_str_eq(row.values[1].str, s->caller->user) && cg_str_copy(run, sizeof run, row.values[0].str))
            cg_run_resume(s->runs, s->caller->tenant, run, s->caller, on_resumed, NULL);
    }
    cg_caller_unref(s->caller);
    free(s);
}

void cg_runs_signed_in(struct cg_runs *runs, struct cg_caller *caller)
{
    const struct cg_run_env *env = cg_runs_env(runs);
    struct cg_board_tenant *t = cg_board_tenant(env->board, cg_tenant_id(caller->tenant));
    uint64_t awaits = t ? atomic_load(&t->awaits) : 0;
    if (t && atomic_load(&t->awaits_none) == awaits + 1)
        return;
    struct signing_in *s = calloc(1, sizeof *s);
    if (!s)
        return;
    *s = (struct signing_in){ runs, cg_caller_ref(caller), awaits };
    const struct cg_db_step step = { &cg_store[CG_ST_RUN_AWAITS], NULL, 0 };
    cg_db_run(env->db, (struct cogent_op){ 0, 0 }, caller->tenant, CG_DB_READ, &step, 1, on_awaiting, s);
}
