/* SPDX-License-Identifier: Apache-2.0
 * The file that says what a decision is asked about, for who tries one: {"subject": {...}, "ctx": {...}}. */
#ifndef CG_POLICY_QUESTION_H
#define CG_POLICY_QUESTION_H

#include "policy.h"

/* Only what a server gives at this point may stand in it; both members may be left out. path NULL: an empty one. */
int cg_question_read(const char *path, enum cg_point point, json_t **out, struct cg_err *err);

#endif
