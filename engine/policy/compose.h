/* SPDX-License-Identifier: Apache-2.0
 * Many verdicts into one: deny, ask, allow, defer; the strongest wins, obligations of all that did not deny add up. */
#ifndef CG_POLICY_COMPOSE_H
#define CG_POLICY_COMPOSE_H

#include "bundle.h"

struct cg_composing {
    const struct cg_bundle *bundle;
    struct cg_decision *out;
    json_t *writers; /* "model", "args/price" -> index of the decision that wrote it */
    bool self;       /* an ask named nobody: the asking user decides */
};

void cg_compose_begin(struct cg_composing *c, const struct cg_bundle *bundle, struct cg_decision *out);
/* One decision's verdict, its checked table (borrowed, may be NULL) and its reason. */
void cg_compose_add(struct cg_composing *c, size_t decision, enum cg_verdict verdict, const json_t *table,
                    const char *reason);
void cg_compose_end(struct cg_composing *c, enum cg_point point);

#endif
