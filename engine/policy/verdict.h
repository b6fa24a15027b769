/* SPDX-License-Identifier: Apache-2.0
 * Verdicts: allow, deny, ask and defer make the only values that count as one. What stands in their table is an
 * obligation, checked by name and type. */
#ifndef CG_POLICY_VERDICT_H
#define CG_POLICY_VERDICT_H

#include "policy.h"
#include "values.h"

/* Items of a list among the obligations: what is merged and looked at again and again. */
enum { CG_OBLIGATION_ITEMS = 1000 };

/* How several of one name become one. */
enum cg_merge {
    CG_MERGE_UNION,   /* lists add up */
    CG_MERGE_LOWEST,  /* numbers, decimal texts, or an object of such */
    CG_MERGE_REWRITE, /* one value; two need an order */
    CG_MERGE_SOONEST  /* durations */
};

struct cg_obligation {
    const char *name;
    enum cg_merge merge;
    bool ask_only;
};

const struct cg_obligation *cg_obligation_find(const char *name);

/* The verdict at `index`: its kind, and its table in take->root (NULL when none). False when it is no verdict. */
bool cg_verdict_take(lua_State *L, int index, enum cg_verdict *kind, struct cg_take *take);

/* Checks a verdict's table and brings it into one form: lists for unions, "reason" taken out into `reason`.
 * False with a sentence in `why` when something is not known or of the wrong type. */
bool cg_obligations_check(enum cg_verdict kind, json_t *table, char *reason, size_t reason_size, char *why,
                          size_t size);

#endif
