/* SPDX-License-Identifier: Apache-2.0
 * What the plugins need of JSON beyond jansson: a strict reader, pointers, and a writer that keeps numbers as
 * short as they were (2.55, not 2.5499999999999998).
 */
#ifndef COGENT_COMMON_JSON_H
#define COGENT_COMMON_JSON_H

#include "buf.h"

#include <jansson.h>

/* Any value, or NULL: duplicate keys, trailing bytes and invalid UTF-8 are refused. */
json_t *cp_json_load(struct cogent_str text);
/* The same; but a number that would lose digits as a double or as 64 bits becomes the text of its digits. */
json_t *cp_json_load_exact(struct cogent_str text);
/* json_decref for what may hold a credential: a text that nobody else holds is overwritten first. */
void cp_json_drop(json_t *value);
void cp_json_write(struct cp_buf *out, json_t *value);
void cp_json_quote(struct cp_buf *out, struct cogent_str text);
/* The shortest decimal that reads back as the same double. */
void cp_json_real(struct cp_buf *out, double value);
/* A scalar as plain text, anything else as JSON. */
void cp_json_text(struct cp_buf *out, json_t *value);

/* RFC 6901; borrowed; NULL when nothing or null stands there. */
json_t *cp_json_at(json_t *value, const char *pointer);
int cp_pointer_valid(const char *pointer);

#endif
