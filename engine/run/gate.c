/* SPDX-License-Identifier: Apache-2.0
 * GATE: what may become of each call the model proposed. JSON Schema, then RBAC, then labels, then policy: the
 * strictest wins, and no later judge can widen what an earlier one narrowed. */
#include "state.h"
#include "vote.h"

#include "engine/base/hash.h"
#include "engine/base/log.h"

#include <stdio.h>

struct judgement {
    enum cg_verdict verdict;
    char by[96], reason[320];
    int err;                             /* of a refused call: COGENT_INVALID, COGENT_DENIED, ... */
    json_t *args, *sources, *conditions; /* conditions: who decides, until when */
};

static void refuse(struct judgement *j, int err, const char *by, const char *reason)
{
    j->verdict = CG_DENY;
    j->err = err;
    cg_str_copy(j->by, sizeof j->by, cogent_str(by));
    cg_str_copy(j->reason, sizeof j->reason, cogent_str(reason));
}

static bool offered(struct cg_run *run, const struct cg_tool *tool)
{
    size_t n;
    bool found = false;
    struct cogent_offer *offers = cg_compose_offers(run, &n);
    for (size_t i = 0; offers && i < n; i++)
        found = found || cg_str_eq(offers[i].name, tool->api->name);
    cg_free_ptr(&offers);
    return found;
}

/* The arguments as canonical JSON, defaults filled in, valid against the schema; else j says why not. */
static bool judge_form(struct cg_call *call, struct judgement *j)
{
    struct cg_err err;
    j->args = cg_json_parse(cogent_str(cg_json_str(cg_call_use(call), "args", "")), &err);
    if (!json_is_object(j->args)) {
        refuse(j, COGENT_INVALID, "schema", "the arguments are no JSON object");
        return false;
    }
    if (cg_schema_fill(call->tool->schema, j->args) < 0 ||
        cg_schema_check(call->tool->schema, j->args, &err) < 0) {
        refuse(j, COGENT_INVALID, "schema", err.message);
        return false;
    }
    return true;
}

static bool judge_right(struct cg_call *call, struct judgement *j)
{
    if (!call->tool || (COGENT_HAS(call->tool->api, hidden) && call->tool->api->hidden)) {
        refuse(j, COGENT_NOT_FOUND, "tools", "there is no tool of this name");
        return false;
    }
    if (!cg_caller_may(call->run->caller, call->tool->api->permission)) {
        char words[200];
        snprintf(words, sizeof words, "the user lacks the permission %s", call->tool->api->permission);
        refuse(j, COGENT_DENIED, "rbac", words);
        return false;
    }
    if (!offered(call->run, call->tool)) {
        refuse(j, COGENT_DENIED, "tools", "this tool was not offered in this conversation");
        return false;
    }
    return true;
}

/* Labels: a write whose trusted arguments do not come from the user is at least asked about. */
static bool judge_labels(struct cg_call *call, struct judgement *j)
{
    bool traced = true;
    const struct cogent_tool *api = call->tool->api;
    if (api->effect == COGENT_READ)
        return true;
    const char *const *trusted = COGENT_HAS(api, trusted) ? api->trusted : NULL;
    j->sources = cg_trace_args(call->run, call, j->args, trusted, &traced);
    return traced;
}

static const char *effect_name(int effect)
{
    return effect == COGENT_READ ? "read" : effect == COGENT_WRITE ? "write" : "external";
}

static void ask_policy(const struct cg_call *call, const json_t *args, const json_t *sources, bool traced,
                       struct cg_decision *out)
{
    cg_auto_json subject = json_pack("{s:s, s:s, s:O, s:{s:b, s:O?}}", "tool", call->tool->api->name,
                                     "effect", effect_name(call->tool->api->effect), "args", args, "labels",
                                     "traced", (int)traced, "sources", sources);
    cg_run_decide(call->run, CG_POINT_TOOL_CALL, subject, out);
}

/* Whom the policies want for these arguments and who has not said yes: a role or a person; NULL: nobody. */
static const char *decider_missing(const struct cg_call *call, const struct cg_decision *d)
{
    size_t i;
    json_t *name;
    json_array_foreach (json_object_get(d->obligations, "role"), i, name) {
        if (!cg_vote_role(cg_call_votes(call), json_string_value(name)))
            return json_string_value(name);
    }
    json_array_foreach (json_object_get(d->obligations, "user"), i, name) {
        if (!cg_vote_has(cg_call_votes(call), json_string_value(name)))
            return json_string_value(name);
    }
    if (cg_json_bool(d->obligations, "self", false) &&
        !cg_vote_has(cg_call_votes(call), call->run->caller->user))
        return call->run->caller->user;
    return NULL;
}

/* Arguments that a decider has changed pass the gate as any others: form, then policy. That the asker did not say them
 * is what the decider's yes stands for. */
static bool gate_edited(const struct cg_call *call, char *why, size_t size)
{
    struct cg_err err;
    struct cg_decision d;
    if (cg_schema_check(call->tool->schema, cg_call_args(call), &err) < 0) {
        snprintf(why, size, "the changed arguments do not fit the tool: %s", err.message);
        return false;
    }
    cg_auto_json sources = json_pack("{s:s}", "", "decider");
    ask_policy(call, cg_call_args(call), sources, true, &d);
    const char *missing = decider_missing(call, &d);
    bool denied = d.verdict == CG_DENY || d.verdict == CG_DEFER || missing;
    if (missing)
        snprintf(why, size, "with the changed arguments %s must decide, who has not: ask again", missing);
    else
        snprintf(why, size, "the policies deny it with the changed arguments: %s", d.reason);
    cg_decision_finish(&d);
    return !denied;
}

bool cg_gate_still(const struct cg_call *call, char *why, size_t size)
{
    struct cg_decision d;
    const char *then = cg_json_str(cg_run_opening(call->run), "policy", "");
    if (call->edited)
        return gate_edited(call, why, size);
    if (!call->in.ask || strcmp(then, cg_policy_version(call->run->env->policy)) == 0)
        return true;
    ask_policy(call, cg_call_args(call), json_object_get(cg_call_verdict(call), "sources"), false, &d);
    bool denied = d.verdict == CG_DENY || d.verdict == CG_DEFER;
    snprintf(why, size, "the policies have changed since it was asked, and now deny it: %s", d.reason);
    cg_decision_finish(&d);
    return !denied;
}

static void judge_policy(struct cg_call *call, struct judgement *j, bool traced)
{
    struct cg_decision d;
    ask_policy(call, j->args, j->sources, traced, &d);
    j->verdict = d.verdict == CG_DEFER ? CG_DENY : d.verdict;
    cg_str_copy(j->by, sizeof j->by, cogent_str(d.by));
    cg_str_copy(j->reason, sizeof j->reason, cogent_str(d.reason));
    j->conditions = json_incref(d.obligations);
    if (j->verdict == CG_DENY)
        j->err = COGENT_DENIED;
    if (j->verdict == CG_ALLOW && !traced) {
        j->verdict = CG_ASK;
        cg_str_copy(j->by, sizeof j->by, cogent_str("labels"));
        cg_str_copy(j->reason, sizeof j->reason,
                    cogent_str("an argument does not come from the user's own words or a trusted tool"));
    }
    cg_decision_finish(&d);
}

/* The effect's id: a MAC of run and call, so that whoever takes the run up again makes the same one. */
static void effect_id(const struct cg_call *call, char out[CG_ID_SIZE])
{
    unsigned char mac[CG_MAC_SIZE];
    const struct cogent_str fields[] = { cogent_str(cg_tenant_id(call->run->caller->tenant)),
                                         cogent_str(call->run->id), cogent_str(call->id) };
    out[0] = '\0';
    if (cg_keys_derive(call->run->env->keys, "effect", fields, 3, mac) == 0)
        cg_id_spell("ef_", mac, out);
}

static json_t *verdict_row(const struct cg_call *call, const struct judgement *j)
{
    const char *tool = cg_json_str(cg_call_use(call), "name", "");
    const char *word = j->verdict == CG_ALLOW ? "allow" : j->verdict == CG_ASK ? "ask" : "deny";
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O?, s:O?, s:O?}", "call", call->id, "tool", tool,
                             "verdict", word, "by", j->by, "reason", j->reason, "args", j->args, "sources",
                             j->sources, "conditions", j->conditions);
    if (body && call->tool) {
        json_object_set_new(body, "effect", json_string(effect_name(call->tool->api->effect)));
        if (call->tool->api->effect != COGENT_READ && j->verdict != CG_DENY) {
            char id[CG_ID_SIZE];
            effect_id(call, id);
            json_object_set_new(body, "effect_id", json_string(id));
        }
    }
    return body;
}

static void gate_call(struct cg_call *call, size_t nth)
{
    struct cg_run *run = call->run;
    struct judgement j = { .verdict = CG_DENY, .err = COGENT_DENIED };
    if ((int64_t)nth >= run->env->limits.calls)
        refuse(&j, COGENT_LIMIT, "limits", "this question has used up its tool calls");
    else if (judge_right(call, &j) && judge_form(call, &j))
        judge_policy(call, &j, judge_labels(call, &j));
    cg_log(CG_INFO, "run.gate", CG_S("run", run->id), CG_S("call", call->id),
           CG_S("tool", call->tool ? call->tool->api->name : "?"),
           CG_S("verdict", cg_verdict_name(j.verdict)), CG_S("by", j.by));
    int rc = cg_run_row(run, CG_ROW_VERDICT, verdict_row(call, &j), false);
    if (rc == 0 && j.verdict == CG_DENY) {
        /* "denied" is the word for rights and rules; a malformed call failed. */
        const char *status = j.err == COGENT_DENIED ? "denied" : "failed";
        rc = cg_run_row(run, CG_ROW_OUTCOME,
                        json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:[], s:i}", "call", call->id, "tool",
                                  cg_json_str(cg_call_use(call), "name", ""), "status", status, "error",
                                  "class", cogent_err_name(j.err), "message", j.reason, "cites", "ms", 0),
                        false);
        cg_metric_add(run->env->metrics, CG_M_TOOL_CALLS, 1, call->tool ? call->tool->api->name : "none",
                      status, NULL);
    }
    json_decref(j.args);
    json_decref(j.sources);
    json_decref(j.conditions);
    if (rc < 0)
        cg_run_stop(run, "failed");
}

/* As many as do not hold the loop; the others with its next turn. */
void cg_gate_calls(struct cg_run *run)
{
    for (size_t i = 0; i < run->n_calls && cg_policy_rested(run->env->policy); i++) {
        if (run->calls[i]->state == CG_CALL_PROPOSED)
            gate_call(run->calls[i], i);
    }
    cg_run_next(run);
}
