/* SPDX-License-Identifier: Apache-2.0
 * What people read: tables and words, without colour where nobody looks. */
#ifndef CG_CLI_OUT_H
#define CG_CLI_OUT_H

#include "engine/base/json.h"

#include <stdio.h>

/* "" unless stdout is a terminal and NO_COLOR is not set. */
const char *cg_out_dim(void);
const char *cg_out_bold(void);
const char *cg_out_plain(void);

/* A JSON value on one line. */
void cg_out_json(const json_t *value);
/* The objects of a list in the order of a member. A new reference. */
json_t *cg_out_sorted(const json_t *list, const char *member);
/* Text from elsewhere: control characters, which could play with a terminal, are left out. */
void cg_out_text(const char *text);

/* Rows with columns of equal width; the last one is not padded. */
struct cg_table {
    size_t columns;
    json_t *rows; /* array of arrays of strings */
};
void cg_table_begin(struct cg_table *table, size_t columns, const char *const *titles);
void cg_table_row(struct cg_table *table, const char *const *cells);
void cg_table_end(struct cg_table *table);

/* Takes `name` off the arguments; true when it was there. */
bool cg_take_flag(int *argc, char **argv, const char *name);
/* Takes `name VALUE` or `name=VALUE` off; NULL when it was not there. *missing: it was, without a value. */
const char *cg_take_option(int *argc, char **argv, const char *name, bool *missing);
/* The first argument from 1 on that begins with a dash and is more than one; NULL: none. */
const char *cg_unknown_option(int argc, char **argv);

#endif
