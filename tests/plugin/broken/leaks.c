/* SPDX-License-Identifier: Apache-2.0
 * It loses some memory with every call. */
#include "broken.h"

#include <stdlib.h>

static int run(struct cogent_call *call)
{
    char *lost = malloc(64);
    if (lost)
        memset(lost, 1, 64);
    return cogent_done(call, lost ? "{}" : "{\"lost\":0}");
}

BROKEN("leaks", .hidden = 0)
