/* SPDX-License-Identifier: Apache-2.0
 * Approvals: what waits for people, as they see it, and their decision. */
#ifndef CG_RUN_APPROVAL_H
#define CG_RUN_APPROVAL_H

#include "run.h"

/* Whether this caller is one of its deciders: the user it names, or who has the role and cogent.approve. */
bool cg_approval_may(const struct cg_caller *caller, const json_t *approval);
/* Whether it still waits for this caller's word. */
bool cg_approval_wants(const struct cg_caller *caller, const json_t *approval);

/* The approval as it is now: what the row and the clock say. A new reference. votes, edited: as stored; the former
 * becomes "votes": [{"by", "at"}], the latter the arguments. */
struct cg_approval_row {
    struct cogent_str body, state, votes, edited;
    int64_t expires_us;
};
json_t *cg_approval_object(const struct cg_approval_row *row);

struct cg_decide {
    struct cg_caller *caller;
    const char *approval; /* id */
    bool approve;
    const json_t *arguments;    /* instead of those that were proposed; NULL: as they are */
    const char *note;           /* NULL: none */
    const struct cg_sink *sink; /* for the rest of the run, when the asker decides; NULL: none */
};

/* Decides, and takes the run up again when nobody else has to say yes. done(arg, err, code, why, approval, run):
 * err 0: approval as it is now, and the run that goes on here (NULL: none for this caller). COGENT_INVALID: the
 * arguments may not be these; COGENT_CONFLICT: decided otherwise already, approval says how; COGENT_NOT_FOUND;
 * with code "approval_expired": too late. why: a sentence, or NULL. All borrowed. */
typedef void (*cg_decided_fn)(void *arg, int err, const char *code, const char *why, const json_t *approval,
                              struct cg_run *run);
void cg_approval_decide(struct cg_runs *runs, struct cogent_op parent, const struct cg_decide *decide,
                        cg_decided_fn done, void *arg);

/* Arguments that a decider has changed, as they are stored: under a MAC that binds them to tenant and approval. */
int cg_edit_seal(const struct cg_keys *keys, const struct cg_tenant *tenant, const char *approval,
                 const json_t *args, struct cg_buf *out);
/* A new reference; NULL when the MAC is not ours. */
json_t *cg_edit_open(const struct cg_keys *keys, const struct cg_tenant *tenant, const char *approval,
                     struct cogent_str edited);

#endif
