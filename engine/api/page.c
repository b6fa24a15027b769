/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdio.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };

static int64_t limit_of(const struct cg_request *r)
{
    return cg_query_int(r, "limit", LIMIT_DEFAULT, LIMIT_MAX);
}

struct cogent_value cg_page_before(const struct cg_request *r)
{
    return cogent_int(cg_query_int(r, "after", INT64_MAX, INT64_MAX));
}

struct cogent_value cg_page_limit(const struct cg_request *r)
{
    return cogent_int(limit_of(r));
}

void cg_answer_page(struct cg_request *r, const struct cogent_db_result *result,
                    json_t *(*object)(const struct cg_request *r, struct cogent_row row), size_t cursor)
{
    if (result->err < 0) {
        cg_answer_unavailable(r, result->err);
        return;
    }
    char next[24] = "";
    json_t *list = json_array();
    size_t n = result->rows(result, 0);
    for (size_t i = 0; i < n; i++) {
        struct cogent_row row = result->row(result, 0, i);
        json_array_append_new(list, object(r, row));
        snprintf(next, sizeof next, "%lld", (long long)row.values[cursor].num);
    }
    cg_answer_list(r, list, n == (size_t)limit_of(r) ? next : NULL);
}
