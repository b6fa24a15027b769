/* SPDX-License-Identifier: Apache-2.0
 * Conversations: the turns that a user's questions and their answers make. A session belongs to one user of one
 * tenant; to anybody else it does not exist. */
#ifndef CG_RUN_SESSION_H
#define CG_RUN_SESSION_H

#include "run.h"

enum { CG_SESSION_TURNS = 10 }; /* that a question is read with */

/* What stands for words whose reader has lost a right that they rest on. */
#define CG_HIDDEN_WORDS "(You may no longer read what this answer rests on.)"

/* The session's last turns, oldest first. done(arg, err, session, turns): COGENT_NOT_FOUND: no session of the
 * caller's. session: {"session", "title", "created", "updated"}; turns: [{"run", "at", "status", "query", "content",
 * "citations", "needs"}], words that the caller may no longer read replaced. needs: the permissions without which the
 * answer is not shown. Both borrowed. Unless parent ended first. */
typedef void (*cg_session_fn)(void *arg, int err, const json_t *session, const json_t *turns);
void cg_session_load(const struct cg_run_env *env, struct cogent_op parent, const struct cg_caller *caller,
                     const char *session, size_t turns, cg_session_fn done, void *arg);

/* Turns as what was said before a question: [{"role", "content"}]. A new reference. What they rest on is added to
 * needs: whatever is answered rests on it, too. */
json_t *cg_session_history(const json_t *turns, json_t *needs);
/* Whether the caller has all of them; needs: a list of permissions, or NULL for none. */
bool cg_session_may_read(const struct cg_caller *caller, const json_t *needs);

/* {"session", "title", "created", "updated"}. A new reference. */
json_t *cg_session_object(struct cogent_str session, struct cogent_str title, int64_t created,
                          int64_t updated);

#endif
