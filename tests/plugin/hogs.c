/* SPDX-License-Identifier: Apache-2.0
 * A broken plugin that no kit should call 600 times: it keeps 64 MiB with every call. */
#include "broken/broken.h"

#include <stdlib.h>

enum { LOST = 64 << 20 };

static int run(struct cogent_call *call)
{
    char *lost = malloc(LOST);
    if (lost)
        memset(lost, 1, LOST);
    return cogent_done(call, lost ? "{}" : "{\"lost\":0}");
}

BROKEN("hogs", .hidden = 0)
