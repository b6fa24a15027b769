/* SPDX-License-Identifier: Apache-2.0
 * What a call sends and gets, told to whoever watches it (`cogent tools try`), without credentials. In a server nobody
 * watches, and nothing is made.
 */
#ifndef TOOL_HTTP_TRACE_H
#define TOOL_HTTP_TRACE_H

#include "request.h"

/* The same request once more, to be shown. Non-zero: it is not to be sent. */
int th_trace_request(const struct cogent_call *call, const struct th_tool *tool, const struct th_vars *vars,
                     const char *next);
/* What came back; the words of `body` without those that th_judge would hide. */
void th_trace_reply(const struct cogent_call *call, const struct th_tool *tool, const struct th_vars *vars,
                    const char *credential, const struct cogent_http_result *result);
/* Of a login only this much. */
void th_trace_status(const struct cogent_call *call, const char *what, int status);

/* {method, url, headers, body} of a request; also what an example shows. */
json_t *th_request_shown(const struct th_tool *tool, const struct th_request *request);

#endif
