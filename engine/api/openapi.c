/* SPDX-License-Identifier: Apache-2.0
 * GET /openapi.json: what this server can be asked, for programs. */
#include "openapi.h"

#include "request.h"

void cg_route_openapi(struct cg_request *r)
{
    cg_answer_text(r, 200, (struct cogent_str){ (const char *)cg_openapi_json, cg_openapi_json_size });
}
