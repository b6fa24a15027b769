/* SPDX-License-Identifier: Apache-2.0
 * Groups and their results, between a driver's thread and the loop. For the drivers only. */
#ifndef CG_IO_DB_ROWS_H
#define CG_IO_DB_ROWS_H

#include "db.h"

struct cg_db_step_copy {
    const struct cogent_statement *statement;
    size_t first, n; /* in values */
};

struct cg_db_step_result {
    size_t first, columns, rows; /* in result values; tenant_id is not among the columns */
    size_t changed;
};

/* One group on its way. The loop makes it, a driver's thread fills the result, the loop frees it. */
struct cg_db_group {
    struct cogent_db_result result; /* first: what callers see */
    struct cg_db_group *next;
    struct cg_db *db;
    char tenant[CG_UUID_SIZE]; /* "" for a system group */
    enum cg_durable durable;
    struct cg_db_step_copy *steps;
    struct cogent_value *values;
    struct cg_db_step_result *results;
    struct cogent_value *rows;
    size_t n_steps, n_values, n_rows, cap_rows, bytes;
    struct cogent_op op;
    cg_db_done_fn done;
    void *arg;
    bool waits;
};

struct cg_db_group *cg_db_group_create(const char *tenant, enum cg_durable durable,
                                       const struct cg_db_step *steps, size_t n);
void cg_db_group_destroy(struct cg_db_group *group);
void cg_db_group_clear_rows(struct cg_db_group *group);
/* A new value at the end of the rows; text and blob are copied. */
int cg_db_group_push(struct cg_db_group *group, const struct cogent_value *value);

#endif
