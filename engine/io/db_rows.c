/* SPDX-License-Identifier: Apache-2.0 */
#include "db_rows.h"

#include "engine/base/buf.h"

#include <stdlib.h>

enum { BYTES_MAX = 256 * 1024 * 1024 };

static size_t result_rows(const struct cogent_db_result *result, size_t i)
{
    const struct cg_db_group *g = (const struct cg_db_group *)result;
    return i < g->n_steps && g->results ? g->results[i].rows : 0;
}

static size_t result_changed(const struct cogent_db_result *result, size_t i)
{
    const struct cg_db_group *g = (const struct cg_db_group *)result;
    return i < g->n_steps && g->results ? g->results[i].changed : 0;
}

static struct cogent_row result_row(const struct cogent_db_result *result, size_t i, size_t row)
{
    const struct cg_db_group *g = (const struct cg_db_group *)result;
    if (row >= result_rows(result, i))
        return (struct cogent_row){ NULL, 0 };
    const struct cg_db_step_result *r = &g->results[i];
    return (struct cogent_row){ g->rows + r->first + row * r->columns, r->columns };
}

static bool copy_value(struct cogent_value *dst, const struct cogent_value *src)
{
    *dst = *src;
    if (src->type != COGENT_TEXT && src->type != COGENT_BLOB)
        return true;
    dst->str.ptr = cg_str_dup(src->str);
    return dst->str.ptr != NULL;
}

static void free_values(struct cogent_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (values[i].type == COGENT_TEXT || values[i].type == COGENT_BLOB)
            free((char *)values[i].str.ptr);
    }
    free(values);
}

struct cg_db_group *cg_db_group_create(const char *tenant, enum cg_durable durable,
                                       const struct cg_db_step *steps, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += steps[i].n;
    struct cg_db_group *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->result = (struct cogent_db_result){ sizeof g->result, 0, result_rows, result_changed, result_row };
    g->durable = durable;
    g->steps = calloc(n + 1, sizeof *g->steps);
    g->results = calloc(n + 1, sizeof *g->results);
    g->values = calloc(total + 1, sizeof *g->values);
    g->n_steps = n;
    cg_str_copy(g->tenant, sizeof g->tenant, cogent_str(tenant));
    bool ok = g->steps && g->results && g->values;
    for (size_t i = 0; ok && i < n; i++) {
        g->steps[i] = (struct cg_db_step_copy){ steps[i].statement, g->n_values, steps[i].n };
        for (size_t k = 0; ok && k < steps[i].n; k++)
            ok = copy_value(&g->values[g->n_values++], &steps[i].values[k]);
    }
    if (ok)
        return g;
    cg_db_group_destroy(g);
    return NULL;
}

void cg_db_group_clear_rows(struct cg_db_group *g)
{
    free_values(g->rows, g->n_rows);
    g->rows = NULL;
    g->n_rows = g->cap_rows = g->bytes = 0;
    for (size_t i = 0; i < g->n_steps; i++)
        g->results[i] = (struct cg_db_step_result){ 0 };
}

void cg_db_group_destroy(struct cg_db_group *g)
{
    if (!g)
        return;
    if (g->values)
        free_values(g->values, g->n_values);
    if (g->rows)
        free_values(g->rows, g->n_rows);
    free(g->steps);
    free(g->results);
    free(g);
}

int cg_db_group_push(struct cg_db_group *g, const struct cogent_value *value)
{
    if (g->n_rows == g->cap_rows) {
        size_t cap = g->cap_rows ? g->cap_rows * 2 : 32;
        struct cogent_value *rows = realloc(g->rows, cap * sizeof *rows);
        if (!rows)
            return COGENT_NO_MEMORY;
        g->rows = rows;
        g->cap_rows = cap;
    }
    g->bytes += value->type == COGENT_TEXT || value->type == COGENT_BLOB ? value->str.len : 8;
    if (g->bytes > BYTES_MAX)
        return COGENT_LIMIT;
    if (!copy_value(&g->rows[g->n_rows], value))
        return COGENT_NO_MEMORY;
    g->n_rows++;
    return 0;
}
