/* SPDX-License-Identifier: Apache-2.0
 * One call: requests, attempts, pages, and its completion.
 */
#ifndef TOOL_HTTP_CALL_H
#define TOOL_HTTP_CALL_H

#include "tool_http.h"

int th_call(struct cogent_call *call);
/* As a call, up to the tool's own request: a login, and whether anybody answers at the service's address. */
int th_reach(struct cogent_call *call);

#endif
