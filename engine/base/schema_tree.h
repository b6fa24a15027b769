/* SPDX-License-Identifier: Apache-2.0
 * The inside of a compiled schema; for schema*.c alone. */
#ifndef CG_BASE_SCHEMA_TREE_H
#define CG_BASE_SCHEMA_TREE_H

#include "decimal.h"
#include "match.h"
#include "schema.h"

enum cg_schema_type {
    CG_TYPE_NULL = 1,
    CG_TYPE_BOOLEAN = 2,
    CG_TYPE_OBJECT = 4,
    CG_TYPE_ARRAY = 8,
    CG_TYPE_NUMBER = 16,
    CG_TYPE_STRING = 32,
    CG_TYPE_INTEGER = 64
};

enum cg_schema_format {
    CG_FORMAT_ANY,
    CG_FORMAT_DATE,
    CG_FORMAT_DATE_TIME,
    CG_FORMAT_DECIMAL,
    CG_FORMAT_EMAIL,
    CG_FORMAT_UUID
};

enum cg_schema_bound { CG_MINIMUM, CG_MAXIMUM, CG_ABOVE, CG_BELOW, CG_MULTIPLE, CG_BOUNDS };
enum cg_schema_count {
    CG_MIN_LENGTH,
    CG_MAX_LENGTH,
    CG_MIN_ITEMS,
    CG_MAX_ITEMS,
    CG_MIN_PROPERTIES,
    CG_MAX_PROPERTIES,
    CG_COUNTS
};
enum cg_schema_group { CG_ALL_OF, CG_ANY_OF, CG_ONE_OF, CG_GROUPS };

struct cg_schema_list {
    struct cg_schema_node **nodes;
    size_t n;
};

struct cg_schema_bounded {
    const json_t *said; /* NULL: none */
    struct cg_decimal number;
};

/* One schema of the document. Names and values are borrowed from the document. */
struct cg_schema_node {
    const json_t *source;
    struct cg_schema_node *next; /* all of the document, newest first */
    bool refuses;                /* the schema `false` */
    unsigned types;              /* 0: any */
    int format;
    int visit; /* while compiling: 0 new, 1 on the path, 2 done */
    const json_t *constant, *choices, *preset;
    const json_t *properties; /* the object; its nodes in the same order below */
    struct cg_schema_list members;
    const json_t *required;
    struct cg_schema_node *others; /* additionalProperties */
    struct cg_schema_node *items;
    struct cg_schema_list prefix;
    bool unique;
    struct cg_match *pattern;
    struct cg_schema_bounded bounds[CG_BOUNDS];
    int64_t counts[CG_COUNTS]; /* -1: none */
    struct cg_schema_list groups[CG_GROUPS];
    struct cg_schema_node *negated;
    struct cg_schema_node *ref;
};

struct cg_schema {
    json_t *document;
    struct cg_schema_node *root;
    struct cg_schema_node *nodes;
    size_t n;
};

/* schema_text.c */
bool cg_schema_pattern_match(const struct cg_match *pattern, struct cogent_str text);
/* CG_FORMAT_ANY for those that are not checked. */
int cg_schema_format_find(const char *name);
/* NULL when text has the form, else how it must look. */
const char *cg_schema_format_wrong(int format, struct cogent_str text);

/* schema_equal.c. steps is lowered by what was looked at; below zero the answer is of no use. */
bool cg_schema_equal(const json_t *a, const json_t *b, long *steps);
/* The first two equal items of a list; false when all differ. */
bool cg_schema_twins(const json_t *array, size_t *a, size_t *b, long *steps);

#endif
