/* SPDX-License-Identifier: Apache-2.0
 * It crashes in its release. */
#include "broken.h"

static void drop(void *data)
{
    *(volatile int *)data = 1;
}

static int run(struct cogent_call *call)
{
    call->data = (void *)(uintptr_t)8;
    call->release = drop;
    return cogent_done(call, "{}");
}

BROKEN("crash_release", .hidden = 0)
