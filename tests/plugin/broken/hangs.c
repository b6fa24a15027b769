/* SPDX-License-Identifier: Apache-2.0
 * It does not come back. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    volatile int forever = call->tool->hidden == 0;
    while (forever)
        continue;
    return 0;
}

BROKEN("hangs", .hidden = 0)
