/* SPDX-License-Identifier: Apache-2.0
 * Hostile scripts, mutated: tokens taken away, doubled, changed for others', bodies spliced, put into loops and pcalls. The
 * same number gives the same script on every machine. */
#ifndef TESTS_POLICY_MUTANTS_H
#define TESTS_POLICY_MUTANTS_H

#include "engine/base/buf.h"

#include <stdint.h>

struct mutants; /* all tokens of the table */

struct mutants *mutants_create(void);
void mutants_destroy(struct mutants *mutants);
/* The body of mutant `number`. tame: without any word that makes a verdict but deny. */
void mutants_body(const struct mutants *mutants, uint64_t number, bool tame, struct cg_buf *out);

#endif
