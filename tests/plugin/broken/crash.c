/* SPDX-License-Identifier: Apache-2.0
 * It crashes in its call. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    (void)call;
    return *(volatile int *)(uintptr_t)8;
}

BROKEN("crash", .hidden = 0)
