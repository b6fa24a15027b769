/* SPDX-License-Identifier: Apache-2.0
 * GET /healthz: this worker turns. GET /readyz: the database answers; never a provider or the ERP. */
#include "request.h"

#include "engine/base/clock.h"
#include "engine/base/holds.h"

void cg_route_healthz(struct cg_request *r)
{
    cg_auto_json body = json_pack("{s:s}", "status", "ok");
    cg_answer_json(r, 200, body);
}

/* A server without one of its plugins answers all the same. */
static json_t *held_back(const struct cg_board *board)
{
    json_t *names = json_array();
    for (size_t i = 0; i < CG_BOARD_PLUGINS && board->plugins[i].name[0]; i++) {
        if (cg_holds_left(board, board->plugins[i].name, cg_mono_us()))
            json_array_append_new(names, json_string(board->plugins[i].name));
    }
    return names;
}

void cg_route_readyz(struct cg_request *r)
{
    const char *why = "";
    if (!r->env->ready(r->env->ready_self, &why)) {
        cg_answer_error(r, COGENT_UNAVAILABLE, "not_ready", "Not ready: %s.", why);
        return;
    }
    cg_auto_json body = json_pack("{s:s}", "status", "ready");
    cg_auto_json held = held_back(r->env->run->board);
    if (json_array_size(held))
        json_object_set(body, "held_back", held);
    cg_answer_json(r, 200, body);
}
