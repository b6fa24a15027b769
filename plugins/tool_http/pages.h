/* SPDX-License-Identifier: Apache-2.0
 * A list that comes page by page: what has been read, and whether there is more.
 */
#ifndef TOOL_HTTP_PAGES_H
#define TOOL_HTTP_PAGES_H

#include "tool_http.h"

struct th_pages_read {
    json_t *items;
    int64_t number; /* 1 for the first page */
    json_t *cursor; /* of the next page */
    char *url;      /* of the next page, when the service gives whole addresses */
    int more;       /* there is more than was read */
};

/* Takes a page: body is the whole answer, rows its list, shaped what of it is kept, result has the Link header.
 * origin is the service's address. again: another page is wanted. Returns 0 or problem->err. */
struct th_page {
    json_t *body;
    json_t *rows;
    json_t *shaped;
    const struct cogent_http_result *result; /* NULL in an example */
    const char *origin;
};
int th_pages_take(const struct th_tool *tool, struct th_pages_read *read, const struct th_page *page,
                  int *again, struct th_problem *problem);
/* {"items": [...], "more": ...}, a new reference. */
json_t *th_pages_result(const struct th_pages_read *read);
void th_pages_finish(struct th_pages_read *read);

#endif
