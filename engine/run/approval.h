/* SPDX-License-Identifier: Apache-2.0
 * Approvals: what waits for a person, as they see it, and their decision. */
#ifndef CG_RUN_APPROVAL_H
#define CG_RUN_APPROVAL_H

#include "run.h"

/* Whether this caller may see and decide it: the asking user, or who has the role and cogent.approve. */
bool cg_approval_may(const struct cg_caller *caller, const json_t *approval);

struct cg_decide {
    struct cg_caller *caller;
    const char *approval; /* id */
    bool approve;
    const struct cg_sink *sink; /* for the rest of the run, when the asker decides; NULL: none */
};

/* Decides, and takes the run up again. done(arg, err, code, approval, run): err 0: approval as it is now, and the run
 * that goes on here (NULL: none for this caller). COGENT_CONFLICT: decided otherwise already, approval says how;
 * COGENT_NOT_FOUND; COGENT_LIMIT with code "approval_expired". approval is borrowed. */
typedef void (*cg_decided_fn)(void *arg, int err, const char *code, const json_t *approval,
                              struct cg_run *run);
void cg_approval_decide(struct cg_runs *runs, struct cogent_op parent, const struct cg_decide *decide,
                        cg_decided_fn done, void *arg);

/* The approval object with its state of now: what the row and the clock say. A new reference. */
json_t *cg_approval_object(struct cogent_str body, struct cogent_str state, int64_t expires_us);

#endif
