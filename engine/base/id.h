/* SPDX-License-Identifier: Apache-2.0
 * Names that cannot be guessed: a prefix and 128 random bits in Crockford's base 32 (26 characters). */
#ifndef CG_BASE_ID_H
#define CG_BASE_ID_H

#include <cogent/types.h>
#include <stdbool.h>

enum { CG_ID_SIZE = 40, CG_ID_BITS_LEN = 26, CG_UUID_SIZE = 37 };

/* prefix: "run_", "ses_", "ap_", ...: at most 12 characters. */
const char *cg_id_make(const char *prefix, char out[CG_ID_SIZE]);
/* The same spelling for 16 bytes that are given: effect keys are made from a MAC. */
const char *cg_id_spell(const char *prefix, const unsigned char bytes[16], char out[CG_ID_SIZE]);
/* Whether text has the form prefix + 26 characters of the alphabet. */
bool cg_id_valid(const char *prefix, struct cogent_str text);
/* Random UUID, version 4. */
const char *cg_uuid_make(char out[CG_UUID_SIZE]);

#endif
