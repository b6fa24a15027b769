/* SPDX-License-Identifier: Apache-2.0
 * Asking one decision. */
#ifndef CG_POLICY_ASK_H
#define CG_POLICY_ASK_H

#include "bundle.h"
#include "states.h"

struct cg_answer {
    enum cg_verdict verdict;
    enum cg_end end;
    char reason[256];
    json_t *table; /* obligations; owned; NULL when none */
    char *note;    /* owned; NULL when none */
    int64_t steps, us;
    size_t peak;      /* bytes of the state at most */
    bool quarantined; /* it was not asked */
    bool unfit;       /* what it was asked about does not fit into its box, and it was not asked */
    bool misspelt;    /* it set what is no obligation, or of the wrong form: an error of its author */
};

/* Runs decision i of the bundle in the box. Whatever goes wrong is a denial with a reason. */
void cg_ask(struct cg_box *box, const struct cg_bundle *bundle, size_t i, enum cg_point point,
            const json_t *subject, const json_t *ctx, struct cg_answer *out);
/* Whether a server that asks at this point denies what the decision grants, because it does not see to an obligation; says
 * which. */
bool cg_answer_unkept(const struct cg_answer *answer, enum cg_point point, const char *decision, char *out,
                      size_t size);
void cg_answer_finish(struct cg_answer *answer);

#endif
