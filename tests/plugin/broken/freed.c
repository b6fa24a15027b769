/* SPDX-License-Identifier: Apache-2.0
 * It tells whether its release was called: not broken at all. */
#include "broken.h"

#include <stdlib.h>

static int released;

static void drop(void *data)
{
    free(data);
    released++;
}

static int run(struct cogent_call *call)
{
    call->data = malloc(8);
    call->release = drop;
    return cogent_done(call, released ? "{\"again\":1}" : "{}");
}

BROKEN("freed", .hidden = 0)
