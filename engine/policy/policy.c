/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include "ask.h"
#include "compose.h"
#include "roles.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <stdlib.h>

enum { US_A_SECOND = 50000, BURST_US = 1000, REST_US = 1000 };

struct cg_policy {
    struct cg_bundle *bundle;
    struct cg_states *states;
    int64_t burst_us; /* CPU time of scripts without a rest of REST_US between them */
    int64_t last_us;  /* when the last one ended */
};

const char *cg_point_name(enum cg_point point)
{
    static const char *const names[CG_POINTS] = { "request",   "retrieve",    "prompt",  "tools",
                                                  "tool_call", "tool_result", "response" };
    return (unsigned)point < CG_POINTS ? names[point] : "unknown";
}

const char *cg_verdict_name(enum cg_verdict verdict)
{
    static const char *const names[] = { "defer", "allow", "ask", "deny" };
    return names[verdict];
}

int cg_policy_create(const char *folder, struct cg_policy **out, struct cg_err *err)
{
    struct cg_policy *policy = calloc(1, sizeof *policy);
    *out = NULL;
    if (!policy)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = cg_bundle_load(folder, &policy->bundle, err);
    if (rc == 0 && cg_states_create(policy->bundle->n, &policy->states))
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc)
        cg_policy_destroy(policy);
    else
        *out = policy;
    return rc;
}

void cg_policy_destroy(struct cg_policy *policy)
{
    if (!policy)
        return;
    cg_states_destroy(policy->states);
    cg_bundle_destroy(policy->bundle);
    free(policy);
}

const char *cg_policy_version(const struct cg_policy *policy)
{
    return policy->bundle->version;
}

/* A denial that no script had a say in. */
static void refuse(struct cg_answer *answer, const char *reason)
{
    *answer = (struct cg_answer){ .verdict = CG_DENY };
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

/* What a tenant may spend is the CPU time of a box's limits times ten, and so scaled like them. */
static int64_t allowance(void)
{
    return cg_box_tenant.us * (US_A_SECOND / 5000);
}

/* What a script cost is more than its run: a box that hit its cap is closed. */
static void account(struct cg_policy *policy, struct cg_state *state, int64_t us)
{
    int64_t now = cg_mono_us();
    cg_meter_take(&state->meter, us);
    if (now - us - policy->last_us >= REST_US)
        policy->burst_us = 0;
    policy->burst_us += us;
    policy->last_us = now;
}

bool cg_policy_rested(struct cg_policy *policy)
{
    return policy->burst_us < BURST_US || cg_mono_us() - policy->last_us >= REST_US;
}

/* At most CG_STATES_KILLS lines for one decision of a tenant: a script cannot fill the log. */
static void count_kill(struct cg_state *state, size_t i, const char *decision, const struct cg_answer *answer)
{
    bool last = ++state->kills[i] == CG_STATES_KILLS;
    cg_log(CG_WARN, last ? "policy.quarantined" : "policy.stopped", CG_S("tenant", state->tenant),
           CG_S("decision", decision), CG_S("why", cg_end_name(answer->end)), CG_I("steps", answer->steps),
           CG_I("us", answer->us));
}

/* Asks decision i, which has `left` microseconds. Returns what is left then. */
static int64_t ask(struct cg_policy *policy, const char *tenant, size_t i, enum cg_point point,
                   const json_t *subject, const json_t *ctx, int64_t left, struct cg_answer *answer)
{
    struct cg_state *state = cg_states_get(policy->states, tenant);
    if (!state) {
        refuse(answer, "out of memory for policies");
        return left;
    }
    if (state->kills[i] >= CG_STATES_KILLS) {
        refuse(answer,
               "quarantined: this policy had to be stopped too often; it is tried again when it is changed");
        answer->quarantined = true;
        return left;
    }
    if (!cg_meter_open(&state->meter, cg_mono_us(), allowance())) {
        refuse(answer, "the tenant's policies have used up their 50 ms of this second");
        return left;
    }
    int64_t began = cg_cpu_us();
    bool whole = left >= cg_box_tenant.us / 5 * 4;
    state->box->us = left;
    cg_ask(state->box, policy->bundle, i, point, subject, ctx, answer);
    state->box->us = cg_box_tenant.us;
    /* A script that was cut short by what others took is not to blame. */
    if (answer->end == CG_END_TIME && !whole)
        snprintf(answer->reason, sizeof answer->reason, "the policies took longer than 5 ms together");
    else if (answer->end > CG_END_ERROR && !answer->unfit)
        count_kill(state, i, policy->bundle->decisions[i].name, answer);
    cg_states_mend(policy->states, state);
    int64_t us = cg_cpu_us() - began;
    account(policy, state, us);
    return left - us;
}

static void add_to_trail(json_t *trail, const struct cg_script *script, const struct cg_answer *answer)
{
    json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "decision", script->name, "verdict",
                            cg_verdict_name(answer->verdict), "steps", (json_int_t)answer->steps, "us",
                            (json_int_t)answer->us);
    if (answer->reason[0])
        json_object_set_new(row, "reason", json_string(answer->reason));
    if (answer->note)
        json_object_set_new(row, "note", json_string(answer->note));
    if (answer->end > CG_END_ERROR)
        json_object_set_new(row, "killed", json_string(cg_end_name(answer->end)));
    json_array_append_new(trail, row);
}

void cg_policy_decide(struct cg_policy *policy, const char *tenant, enum cg_point point,
                      const json_t *subject, const json_t *ctx, struct cg_decision *out)
{
    struct cg_composing composing;
    *out =
        (struct cg_decision){ .obligations = json_object(), .setters = json_object(), .trail = json_array() };
    int64_t left = cg_box_tenant.us;
    bool over = false;
    cg_compose_begin(&composing, policy->bundle, out);
    for (size_t i = 0; i < policy->bundle->n && !over; i++) {
        const struct cg_script *script = &policy->bundle->decisions[i];
        struct cg_answer answer;
        if (!cg_script_asked(script, point, subject, ctx))
            continue;
        over = left <= 0;
        if (over)
            refuse(&answer, "the policies took longer than 5 ms together");
        else
            left = ask(policy, tenant, i, point, subject, ctx, left, &answer);
        over = over || answer.end > CG_END_ERROR; /* denied, whatever the others would say */
        if (answer.quarantined || answer.end > CG_END_ERROR)
            out->stopped = answer.quarantined ? "quarantined" : cg_end_name(answer.end);
        out->steps += answer.steps;
        cg_compose_add(&composing, i, answer.verdict, answer.table, answer.reason);
        add_to_trail(out->trail, script, &answer);
        cg_answer_finish(&answer);
    }
    cg_compose_end(&composing, point);
}

const char *cg_policy_first(const struct cg_policy *policy, enum cg_point point)
{
    for (size_t i = 0; i < policy->bundle->n; i++) {
        if (policy->bundle->decisions[i].points & 1u << point)
            return policy->bundle->decisions[i].name;
    }
    return NULL;
}

void cg_decision_finish(struct cg_decision *decision)
{
    json_decref(decision->obligations);
    json_decref(decision->setters);
    json_decref(decision->trail);
    *decision = (struct cg_decision){ 0 };
}

json_t *cg_policy_roles(struct cg_policy *policy, const json_t *roles)
{
    return cg_roles_of(policy->bundle->roles, roles);
}

int cg_policy_prompt(struct cg_policy *policy, const json_t *roles, const char *language, const json_t *vars,
                     struct cg_prompt *out, struct cg_err *err)
{
    const struct cg_template *best = NULL;
    int fit = 0;
    *out = (struct cg_prompt){ 0 };
    for (size_t i = 0; i < policy->bundle->n_templates; i++) {
        int here = cg_template_fit(&policy->bundle->templates[i], roles, language);
        if (here > fit) {
            fit = here;
            best = &policy->bundle->templates[i];
        }
    }
    if (!best)
        return cg_err_set(err, COGENT_NOT_FOUND, "the bundle holds no templates/assistant.lua");
    return cg_template_fill(best, vars, out, err);
}

void cg_prompt_finish(struct cg_prompt *prompt)
{
    free(prompt->system);
    *prompt = (struct cg_prompt){ 0 };
}
