/* SPDX-License-Identifier: Apache-2.0
 * It completes twice. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    cogent_done(call, "{\"n\":1}");
    return cogent_done(call, "{\"n\":2}");
}

BROKEN("twice", .hidden = 0)
