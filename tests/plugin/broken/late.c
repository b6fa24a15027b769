/* SPDX-License-Identifier: Apache-2.0
 * It completes its call again when that is over: by a timer that is not below the call. */
#include "broken.h"

static void on_time(void *arg)
{
    cogent_done(arg, "{\"late\":1}");
}

static int run(struct cogent_call *call)
{
    const struct cogent_op none = { 0, 0 };
    call->host->timer->after(none, "late", 50, on_time, call);
    return cogent_done(call, "{\"n\":1}");
}

BROKEN("late", .hidden = 0)
