/* SPDX-License-Identifier: Apache-2.0
 * It crashes in the callback of a timer. */
#include "broken.h"

static void on_time(void *arg)
{
    struct cogent_call *call = arg;
    cogent_fail(call, *(volatile int *)(uintptr_t)8, "no");
}

static int run(struct cogent_call *call)
{
    call->host->timer->after(call->op, "poll", 1, on_time, call);
    return 0;
}

BROKEN("crash_timer", .hidden = 0)
