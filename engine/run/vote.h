/* SPDX-License-Identifier: Apache-2.0
 * Who has to say yes, and who has: the arithmetic of an approval's deciders. Pure.
 *
 * decider: {"user"} or {"role"}, or a list of them when all must agree. votes: [{"by", "roles", "at"}], each a yes. */
#ifndef CG_RUN_VOTE_H
#define CG_RUN_VOTE_H

#include "engine/svc/auth.h"

/* Whether the caller is one of the deciders; with votes: one whom no vote stands for yet. */
bool cg_vote_open(const struct cg_caller *caller, const json_t *decider, const json_t *votes);
/* Whether everyone has said yes. */
bool cg_vote_settled(const json_t *decider, const json_t *votes);
bool cg_vote_has(const json_t *votes, const char *user);
/* The caller's yes, to be added to votes. A new reference. */
json_t *cg_vote_make(const struct cg_caller *caller);
/* Whether those who voted have this role between them. */
bool cg_vote_role(const json_t *votes, const char *role);

#endif
