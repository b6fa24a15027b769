/* SPDX-License-Identifier: Apache-2.0
 * It calls a function of the engine. */
#include "broken.h"

int cg_engine_secret(void);

static int run(struct cogent_call *call)
{
    return cogent_fail(call, cg_engine_secret(), "no");
}

BROKEN("undefined", .hidden = 0)
