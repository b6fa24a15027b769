/* SPDX-License-Identifier: Apache-2.0
 * The request that opens a session or asks for a token, and what its answer gives.
 */
#ifndef TOOL_HTTP_LOGIN_H
#define TOOL_HTTP_LOGIN_H

#include "request.h"

/* Returns 0 or problem->err. */
int th_login_build(const struct th_tool *tool, const struct cogent_call *call, struct th_request *out,
                   struct th_problem *problem);
/* method and time of that request. */
const char *th_login_method(const struct th_auth *auth);
uint32_t th_login_ms(const struct th_tool *tool);

/* The answer: an object of what it gives, and how many seconds it holds (0: until it is refused). Returns 0 or
 * problem->err, whose words hold nothing that the other side said. */
int th_login_take(const struct th_tool *tool, const struct cogent_call *call,
                  const struct cogent_http_result *result, json_t **login, int64_t *seconds,
                  struct th_problem *problem);

#endif
