/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef CG_BASE_UTF8_H
#define CG_BASE_UTF8_H

#include <cogent/types.h>
#include <stdbool.h>

bool cg_utf8_valid(struct cogent_str s);
/* Length of the longest prefix of at most `max` bytes that does not cut a character. */
size_t cg_utf8_cut(struct cogent_str s, size_t max);

#endif
