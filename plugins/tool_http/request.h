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
    const char *credential; /* the value of the header that is one, among them; NULL: none */
};

/* Room for n headers; then one after the other. Each returns 0 or problem->err. */
int th_request_begin(struct th_request *request, size_t n, struct th_problem *problem);
int th_request_header(struct th_request *request, const char *name, const char *value,
                      struct th_problem *problem);
/* http:// or https://, a host, nothing that does not belong there. */
int th_address_valid(const char *address);

/* next: the whole address of the next page when the service gave one, else NULL. Returns 0 or problem->err. */
int th_request_build(const struct th_tool *tool, const struct th_vars *vars, const char *next,
                     struct th_request *out, struct th_problem *problem);
void th_request_finish(struct th_request *request);

/* The service's address for this tenant, without a slash at its end. */
int th_base(const struct th_tool *tool, const struct th_vars *vars, struct cp_buf *out,
            struct th_problem *problem);

#endif
