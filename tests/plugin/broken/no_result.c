/* SPDX-License-Identifier: Apache-2.0
 * It completes with nothing. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    return cogent_done(call, NULL);
}

BROKEN("no_result", .hidden = 0)
