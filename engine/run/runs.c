/* SPDX-License-Identifier: Apache-2.0 */
#include "runs.h"

#include "engine/base/hash.h"
#include "state.h"

#include <stdlib.h>

enum { SECRET_MAX = 8192 };

struct cg_runs {
    struct cg_run_env env;
    struct cg_run *first;
    size_t n;
    char secret[SECRET_MAX];
};

struct cg_runs *cg_runs_create(const struct cg_run_env *env)
{
    struct cg_runs *runs = calloc(1, sizeof *runs);
    if (runs)
        runs->env = *env;
    return runs;
}

void cg_runs_destroy(struct cg_runs *runs)
{
    if (!runs)
        return;
    while (runs->first)
        cg_run_destroy(runs->first);
    cg_wipe(runs->secret, sizeof runs->secret);
    free(runs);
}

void cg_runs_end(struct cg_runs *runs)
{
    for (struct cg_run *run = runs->first; run; run = run->next) {
        if (!run->detached && !run->effects)
            cg_run_stop(run, "cancelled");
    }
}

size_t cg_runs_live(const struct cg_runs *runs)
{
    return runs->n;
}

const struct cg_run_env *cg_runs_env(const struct cg_runs *runs)
{
    return &runs->env;
}

void cg_runs_add(struct cg_runs *runs, struct cg_run *run)
{
    run->next = runs->first;
    run->prev = &runs->first;
    if (run->next)
        run->next->prev = &run->next;
    runs->first = run;
    runs->n++;
}

void cg_runs_remove(struct cg_runs *runs, struct cg_run *run)
{
    *run->prev = run->next;
    if (run->next)
        run->next->prev = run->prev;
    runs->n--;
}

bool cg_run_cancel_here(struct cg_runs *runs, const char *tenant_id, const char *run_id)
{
    for (struct cg_run *run = runs->first; run; run = run->next) {
        if (strcmp(run->id, run_id) == 0 && strcmp(cg_tenant_id(run->caller->tenant), tenant_id) == 0) {
            cg_run_stop(run, "cancelled");
            return true;
        }
    }
    return false;
}

const char *cg_runs_secret(struct cg_runs *runs, const char *tenant, const char *name)
{
    return cg_tenants_secret(runs->env.tenants, tenant, name, runs->secret, sizeof runs->secret) >= 0
               ? runs->secret
               : NULL;
}
