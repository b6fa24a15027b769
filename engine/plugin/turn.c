/* SPDX-License-Identifier: Apache-2.0 */
#include "turn.h"

#include "engine/base/buf.h"

void cg_turn_begin(struct cg_turn *turn, char *running, const char *plugin)
{
    if (!running)
        return;
    cg_str_copy(turn->before, sizeof turn->before, cogent_str(running));
    cg_str_copy(running, CG_RUNNING_SIZE, cogent_str(plugin));
}

void cg_turn_end(const struct cg_turn *turn, char *running)
{
    if (running)
        cg_str_copy(running, CG_RUNNING_SIZE, cogent_str(turn->before));
}
