/* SPDX-License-Identifier: Apache-2.0
 * JSON trees, on jansson, with this house's limits: depth 64, no duplicate keys, valid UTF-8, nothing behind the
 * value. And readers over text for what needs no tree. */
#ifndef CG_BASE_JSON_H
#define CG_BASE_JSON_H

#include "buf.h"
#include "err.h"

#include <jansson.h>

enum {
    CG_JSON_DEPTH = 64,
    CG_JSON_VALUES = 32 * 1024 /* of what clients send: some ten milliseconds and ten megabytes */
};

/* A new reference, or NULL with err filled: what is wrong and at which byte. Never quotes the text. */
json_t *cg_json_parse(struct cogent_str text, struct cg_err *err);
/* The same of a text that was written here: what came in as deep as is allowed may stand some levels deeper in it. */
json_t *cg_json_reread(struct cogent_str text);

/* How many values and names a text has at most: what its tree will cost, seen before it is made. A tree takes some seventy
 * times the room of its text at worst. */
size_t cg_json_values(struct cogent_str text);

/* Compact; reals with 15 significant digits, so 2.55 stays 2.55. */
void cg_json_add(struct cg_buf *out, const json_t *value);
/* Canonical: as above with sorted keys. What is hashed, compared and shown for approval. */
void cg_json_canonical(struct cg_buf *out, const json_t *value);
char *cg_json_text(const json_t *value); /* to free */

/* By JSON pointer; borrowed, NULL when nothing is there. "" is the value itself. */
json_t *cg_json_at(const json_t *value, const char *pointer);
/* Member of an object as text, or `preset` when it is missing or no string. */
const char *cg_json_str(const json_t *object, const char *key, const char *preset);
int64_t cg_json_int(const json_t *object, const char *key, int64_t preset);
bool cg_json_bool(const json_t *object, const char *key, bool preset);
json_t *cg_json_strn(struct cogent_str s); /* a new string; NULL when not UTF-8 */

void cg_json_unref_ptr(json_t **value);
#define cg_auto_json __attribute__((cleanup(cg_json_unref_ptr))) json_t *

/* Readers over text, as struct cogent_json_api describes them. The text must be valid JSON. */
int cg_read_string(struct cogent_str json, const char *pointer, char *buf, size_t size);
int cg_read_integer(struct cogent_str json, const char *pointer, int64_t *out);
int cg_read_decimal(struct cogent_str json, const char *pointer, char *buf, size_t size);
int cg_read_boolean(struct cogent_str json, const char *pointer, int *out);
int cg_read_raw(struct cogent_str json, const char *pointer, struct cogent_str *out);
int cg_read_each(struct cogent_str json, const char *pointer,
                 int (*fn)(void *arg, struct cogent_str key, struct cogent_str value), void *arg);

#endif
