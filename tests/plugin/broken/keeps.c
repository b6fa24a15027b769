/* SPDX-License-Identifier: Apache-2.0
 * It keeps a count that all calls share. */
#include "broken.h"

static int calls;

static int run(struct cogent_call *call)
{
    return calls++ < 0 ? COGENT_INTERNAL : cogent_done(call, "{}");
}

BROKEN("keeps", .hidden = 0)
