/* SPDX-License-Identifier: Apache-2.0
 * GET /healthz: this worker turns. GET /readyz: the database answers; never a provider or the ERP. */
#include "request.h"

void cg_route_healthz(struct cg_request *r)
{
    cg_auto_json body = json_pack("{s:s}", "status", "ok");
    cg_answer_json(r, 200, body);
}

void cg_route_readyz(struct cg_request *r)
{
    const char *why = "";
    if (!r->env->ready(r->env->ready_self, &why)) {
        cg_answer_error(r, COGENT_UNAVAILABLE, "not_ready", "Not ready: %s.", why);
        return;
    }
    cg_auto_json body = json_pack("{s:s}", "status", "ready");
    cg_answer_json(r, 200, body);
}
