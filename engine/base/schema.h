/* SPDX-License-Identifier: Apache-2.0
 * JSON Schema, a subset of 2020-12, compiled once a tool: type, enum, const, required, properties,
 * additionalProperties, items, prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength, pattern, format (date, date-time,
 * decimal, email, uuid; others pass), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
 * minProperties, maxProperties, allOf, anyOf, oneOf, not, $ref within the document ($defs), default, and
 * annotations. Any other keyword is refused when compiled: better no tool than one half checked. */
#ifndef CG_BASE_SCHEMA_H
#define CG_BASE_SCHEMA_H

#include "json.h"

struct cg_schema;

/* Compiles a schema. The text "{"properties":...}" of a tool counts as an object that accepts nothing else. */
int cg_schema_compile(const json_t *schema, struct cg_schema **out, struct cg_err *err);
void cg_schema_destroy(struct cg_schema *schema);

/* 0, or COGENT_INVALID with a sentence that begins with the JSON pointer of the offending value. At most 100,000
 * steps whatever the value. */
int cg_schema_check(const struct cg_schema *schema, const json_t *value, struct cg_err *err);
/* Puts `default` of missing members of objects in place, at any depth below `properties`. */
int cg_schema_fill(const struct cg_schema *schema, json_t *value);

#endif
