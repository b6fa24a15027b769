/* SPDX-License-Identifier: Apache-2.0
 * The tenant's side of Lua: decisions, roles, templates. A bundle is a folder: roles.lua, policies/<group>/<x>.lua,
 * templates/. Decisions are pure and synchronous: JSON in, a verdict out, at most 200,000 steps, 5 ms and 4 MiB.
 * Whatever goes wrong in a script is a denial with a reason. */
#ifndef CG_POLICY_POLICY_H
#define CG_POLICY_POLICY_H

#include "engine/base/json.h"

struct cg_policy; /* one a worker */

enum cg_point {
    CG_POINT_REQUEST,
    CG_POINT_RETRIEVE,
    CG_POINT_PROMPT,
    CG_POINT_TOOLS,
    CG_POINT_TOOL_CALL,
    CG_POINT_TOOL_RESULT,
    CG_POINT_RESPONSE,
    CG_POINTS
};

enum cg_verdict { CG_DEFER = 0, CG_ALLOW = 1, CG_ASK = 2, CG_DENY = 3 };

const char *cg_point_name(enum cg_point point);
const char *cg_verdict_name(enum cg_verdict verdict);

/* Loads the bundle in `folder`; every script is compiled once to see that it is well-formed. */
int cg_policy_create(const char *folder, struct cg_policy **out, struct cg_err *err);
void cg_policy_destroy(struct cg_policy *policy);

/* "default@1a2b3c4d": name and content hash of the bundle: bound into approvals. */
const char *cg_policy_version(const struct cg_policy *policy);

/* The first decision that is asked at a point: "stock/hide_cost"; NULL: none. */
const char *cg_policy_first(const struct cg_policy *policy, enum cg_point point);

/* What the engine serves today. Whether it asks at this point, and why a bundle with a decision on another is refused: */
bool cg_point_asked(enum cg_point point);
void cg_point_unasked_words(enum cg_point point, const char *decision, char *out, size_t size);
/* Whether it sees to an obligation of this name there ("self": to an ask that names nobody). */
bool cg_point_keeps(enum cg_point point, const char *obligation);
/* The first obligation that it does not see to at this point, or NULL. It must not pass for met: a redaction that is not
 * done, a decider who is not asked. And the sentence that says so. */
const char *cg_obligations_unkept(enum cg_point point, const json_t *obligations);
void cg_obligation_unkept_words(enum cg_point point, const char *decision, const char *obligation, char *out,
                                size_t size);

struct cg_decision {
    enum cg_verdict verdict;
    char by[96];      /* "sales/invoice_limit": the decision that settled it; "" when all deferred */
    char reason[256]; /* safe to show */
    json_t
        *obligations; /* {"redact": [...], "role": [...], ...}; never NULL; owned. "self": true: an ask named
                            nobody, so the asking user decides too */
    json_t *setters;  /* {"redact": "sales/hide_cost"}: which decision set each of them first; owned */
    json_t *trail;    /* [{"decision", "verdict", "steps", "us", "note"?}]: for explain; owned */
    int64_t steps;
    const char *
        stopped; /* what ended it before all were asked: "steps", "time", "memory" of one, "quarantined"; or NULL */
};

/* Asks every decision of the point and composes: the strongest wins, conditions add up. At CG_POINT_TOOL_CALL all
 * defer = deny. All of them together have the time of one: when one had to be stopped, or that time is spent, it is
 * denied and no other is asked. subject: what is decided about: for a call {"tool", "effect", "args", "labels": {...}}. ctx: {"user":
 * {"id", "roles", "permissions"}, "tenant": {...}, "now": "...", "run": "...", "labels": {...}}. tenant: whose state
 * and budget (the uuid). Always fills out; finish it. */
void cg_policy_decide(struct cg_policy *policy, const char *tenant, enum cg_point point,
                      const json_t *subject, const json_t *ctx, struct cg_decision *out);
void cg_decision_finish(struct cg_decision *decision);

/* False for a moment when scripts, of whatever tenant, have held the loop for milliseconds: who has more to ask comes again
 * with the loop's next turn. */
bool cg_policy_rested(struct cg_policy *policy);

/* Permissions of roles by roles.lua: a new array, "-" entries as they stand. */
json_t *cg_policy_roles(struct cg_policy *policy, const json_t *roles);

struct cg_prompt {
    char *system; /* filled in; owned */
    uint32_t turns, history_tokens;
    uint32_t records, records_tokens;
    uint32_t max_tokens;
    double temperature; /* negative: not said */
    bool records_first; /* records give way before history when the window is short */
};

/* templates/assistant[.role][.language].lua, the nearest there is; a role counts more than a language. vars: {"now":
 * {...}, "tenant": {...}, "user": {...}, "vars": {what the tenant set for the template's own}}; anything else in
 * `system` was refused at load. */
int cg_policy_prompt(struct cg_policy *policy, const json_t *roles, const char *language, const json_t *vars,
                     struct cg_prompt *out, struct cg_err *err);
void cg_prompt_finish(struct cg_prompt *prompt);

/* Runs the `cases` of a bundle's decisions and templates, or of one decision's file. report, a new reference:
 * {"passed", "failed", "cases": [{"decision", "case", "ok", "gives", "why"?}], "without": [names that have no case],
 * "refused": [why a server does not take the bundle]}. 0 when they ran, whatever came of it. */
int cg_policy_cases(const char *path, json_t **report, struct cg_err *err);

/* Asks the one decision in `path`, in the box and on the budget of a server. on: the point, NULL when it has only one;
 * question_path: a file {"subject", "ctx"} as the engine gives them there, NULL: empty ones. report, a new reference:
 * {"decision", "on", "asked": whether tool, kind and role let it be asked about this, "verdict", "reason",
 * "obligations"?, "note"?, "server"?: what a server makes of it where that is another thing: {"does": "denies" or
 * "refuses the bundle", "why"}, "end": "fine", "error", "steps", "time" or "memory", "steps", "bytes", "us"}. 0 when it
 * was asked, whatever came of it. */
int cg_policy_eval(const char *path, const char *on, const char *question_path, json_t **report,
                   struct cg_err *err);

#endif
