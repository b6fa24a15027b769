/* SPDX-License-Identifier: Apache-2.0
 * JSON Schema, a subset of 2020-12, compiled once a tool.
 *
 * Checked: type, enum, const, required, properties, additionalProperties, minProperties, maxProperties, items,
 * prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength, pattern, format (date, date-time, decimal,
 * email, uuid; others pass), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, allOf, anyOf, oneOf,
 * not, $ref within the document ("#", "#/$defs/name", any other JSON pointer), $defs, definitions; true and false.
 * Passed over: $schema, $comment, title, description, examples, deprecated, readOnly, writeOnly.
 * Any other keyword is refused when compiled: better no tool than one half checked. So is a default that its own
 * schema would refuse, and a $ref that leads back to itself without going down into the value.
 *
 * Numbers are compared as decimals of at most 15 significant digits (integers exactly), so 0.3 is a multiple of
 * 0.1. A string of `format: decimal` ("-12.50") is a number of up to 100 digits to minimum, maximum and multipleOf.
 * Patterns are PCRE2 with ECMA 262's manners, unanchored, with a bound on work; what passes it does not match. */
#ifndef CG_BASE_SCHEMA_H
#define CG_BASE_SCHEMA_H

#include "json.h"

struct cg_schema;

/* Compiles a schema; keeps a copy of it. Errors begin with the JSON pointer of the keyword that is wrong. */
int cg_schema_compile(const json_t *schema, struct cg_schema **out, struct cg_err *err);
void cg_schema_destroy(struct cg_schema *schema);

/* 0, or COGENT_INVALID with a sentence that begins with the JSON pointer of the offending value ("the value" for
 * the whole). At most 100,000 steps whatever the value; one that needs more is COGENT_LIMIT. */
int cg_schema_check(const struct cg_schema *schema, const json_t *value, struct cg_err *err);
/* Puts `default` of missing members of objects in place, at any depth below properties, items, prefixItems, allOf
 * and $ref. A default is put in as it stands. 0, COGENT_LIMIT or COGENT_NO_MEMORY. */
int cg_schema_fill(const struct cg_schema *schema, json_t *value);

#endif
