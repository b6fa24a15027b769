/* SPDX-License-Identifier: Apache-2.0
 * Effects in doubt: a write was sent and its answer was lost. A promise `once = { field, find }` is looked after, now
 * and three times later; what nobody finds is a person's to settle. Nothing here sends a write again. */
#ifndef CG_RUN_EFFECTS_H
#define CG_RUN_EFFECTS_H

#include "run.h"

/* {"effect", "run", "call", "tool", "state", "created", "updated", "user", "looks", "decided_by", "note", "result"} of
 * a row of effect.get or effect.list. A new reference. */
json_t *cg_effect_object(struct cogent_row row);

/* Looks once more after an effect that is due. done(arg, later_us): in how many microseconds it is to be looked for
 * again, 0: never. */
void cg_effect_look(struct cg_runs *runs, const struct cg_tenant *tenant, const char *effect,
                    void (*done)(void *arg, int64_t later_us), void *arg);

/* A person's word on an effect that is unknown: state "done" or "failed"; result may be NULL. done(arg, err):
 * COGENT_NOT_FOUND: there is none; COGENT_CONFLICT: it is in no doubt. Unless parent ended first. */
struct cg_effect_word {
    const char *effect, *state, *by, *note;
    const json_t *result;
};
void cg_effect_resolve(const struct cg_run_env *env, struct cogent_op parent, const struct cg_tenant *tenant,
                       const struct cg_effect_word *word, void (*done)(void *arg, int err), void *arg);

#endif
