/* SPDX-License-Identifier: Apache-2.0
 * What of an answer is the tool's result.
 */
#ifndef TOOL_HTTP_RESULT_H
#define TOOL_HTTP_RESULT_H

#include "tool_http.h"

/* What `at` points to; borrowed; NULL when nothing or null stands there. */
json_t *th_result_at(const struct th_tool *tool, json_t *body);
/* value through `keep` or the function: a new reference. NULL in out: not found. Returns 0 or problem->err. */
int th_result_shape(const struct th_tool *tool, json_t *value, json_t **out, struct th_problem *problem);

#endif
