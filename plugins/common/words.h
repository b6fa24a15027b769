/* SPDX-License-Identifier: Apache-2.0
 * Words that come from outside, made fit to be shown; and the nearest known name for one that is not.
 */
#ifndef COGENT_COMMON_WORDS_H
#define COGENT_COMMON_WORDS_H

#include "buf.h"

enum { CP_WORDS_MAX = 500 };

/* At most `max` bytes of whole characters; markup, tracebacks and control characters dropped, white space
 * made single. What is nothing but a page of HTML gives nothing. */
void cp_words(struct cp_buf *out, struct cogent_str text, size_t max);
/* Writes "***" over every occurrence of the secret. */
void cp_words_hide(struct cp_buf *words, const char *secret);

/* The name nearest to `name` by edit distance, or NULL when none is near. names ends with NULL. */
const char *cp_near(const char *name, const char *const *names);

#endif
