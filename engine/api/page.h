/* SPDX-License-Identifier: Apache-2.0
 * Lists that are read page by page: ?limit=&after=, newest first, and `next` where there may be more. */
#ifndef CG_API_PAGE_H
#define CG_API_PAGE_H

#include "request.h"

/* The two parameters of a statement that gives a page: rows before this point, and how many. */
struct cogent_value cg_page_before(const struct cg_request *r);
struct cogent_value cg_page_limit(const struct cg_request *r);

/* Answers with the rows of the first statement. object: a row as JSON, a new reference. cursor: the column that orders
 * them, an integer. */
void cg_answer_page(struct cg_request *r, const struct cogent_db_result *result,
                    json_t *(*object)(const struct cg_request *r, struct cogent_row row), size_t cursor);

#endif
