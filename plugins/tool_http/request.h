/* SPDX-License-Identifier: Apache-2.0
 * A tool and its variables become one HTTP request.
 */
#ifndef TOOL_HTTP_REQUEST_H
#define TOOL_HTTP_REQUEST_H

#include "tool_http.h"

struct th_request {
    struct cp_buf url;
    struct cp_buf body;
    struct cogent_http_header *headers; /* values are owned, names are not */
    size_t n_headers;
};

/* next: the whole address of the next page when the service gave one, else NULL. Returns 0 or problem->err. */
int th_request_build(const struct th_tool *tool, const struct th_vars *vars, const char *next,
                     struct th_request *out, struct th_problem *problem);
void th_request_finish(struct th_request *request);

/* The service's address for this tenant, without a slash at its end. */
int th_base(const struct th_tool *tool, const struct th_vars *vars, struct cp_buf *out,
            struct th_problem *problem);

#endif
