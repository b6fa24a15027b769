/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions under a budget: PCRE2 without JIT, with limits of backtracking, depth and heap. Every item
 * that is tried calls the caller's tick, so that whoever counts steps or watches a deadline can stop a match
 * midway: match limits alone hold for one starting place only. */
#ifndef CG_BASE_MATCH_H
#define CG_BASE_MATCH_H

#include "err.h"

#include <stdbool.h>

enum { CG_MATCH_GROUPS = 16, CG_MATCH_PATTERN = 1024 };

enum cg_match_flavour {
    CG_MATCH_PERL = 0,
    CG_MATCH_ECMA = 1, /* as JSON Schema wants it: $ is the very end, \\uXXXX */
};

struct cg_match;

/* UTF-8 pattern of at most CG_MATCH_PATTERN bytes. The error says what is wrong and at which byte. */
int cg_match_compile(struct cogent_str pattern, enum cg_match_flavour flavour, struct cg_match **out,
                     struct cg_err *err);
void cg_match_destroy(struct cg_match *match);

/* Groups found (1 = the whole), 0 when nothing matches, COGENT_INVALID when text is not UTF-8, COGENT_LIMIT when
 * a limit was reached or tick returned false. tick may be NULL. groups[i].ptr is NULL for a group that took no
 * part. */
int cg_match_run(const struct cg_match *match, struct cogent_str text, bool (*tick)(void *arg), void *arg,
                 struct cogent_str groups[CG_MATCH_GROUPS]);

#endif
