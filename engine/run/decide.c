/* SPDX-License-Identifier: Apache-2.0
 * DECIDE: the tenant's policies, asked about something of a run. */
#include "state.h"

#include "engine/base/clock.h"

/* What scripts see of the run. */
static json_t *script_ctx(const struct cg_run *run)
{
    char now[CG_TIME_SIZE];
    const struct cg_caller *c = run->caller;
    return json_pack("{s:{s:s, s:s, s:s, s:O, s:O}, s:{s:s, s:O}, s:s, s:s, s:{s:b}}", "user", "id", c->user,
                     "name", c->name, "locale", c->locale, "roles", c->roles, "permissions", c->permissions,
                     "tenant", "name", cg_tenant_name(c->tenant), "fields", c->fields, "now",
                     cg_time_format(cg_now_us(), now), "run", run->id, "labels", "records",
                     (int)(json_array_size(json_object_get(cg_run_context(run), "records")) > 0));
}

/* What a policy sets and the engine does not see to denies, and is that policy's word. */
static void refuse_unkept(enum cg_point point, struct cg_decision *d)
{
    const char *name = d->verdict == CG_DENY ? NULL : cg_obligations_unkept(point, d->obligations);
    if (!name)
        return;
    d->verdict = CG_DENY;
    cg_str_copy(d->by, sizeof d->by, cogent_str(cg_json_str(d->setters, name, "")));
    cg_obligation_unkept_words(point, d->by, name, d->reason, sizeof d->reason);
}

void cg_run_decide(const struct cg_run *run, enum cg_point point, const json_t *subject,
                   struct cg_decision *out)
{
    struct cg_metrics *m = run->env->metrics;
    const char *at = cg_point_name(point);
    cg_auto_json ctx = script_ctx(run);
    cg_policy_decide(run->env->policy, cg_tenant_id(run->caller->tenant), point, subject, ctx, out);
    refuse_unkept(point, out);
    cg_metric_add(m, CG_M_POLICY, 1, at, cg_verdict_name(out->verdict), NULL);
    if (out->stopped)
        cg_metric_add(m, CG_M_POLICY_STOPPED, 1, at, out->stopped, NULL);
}
