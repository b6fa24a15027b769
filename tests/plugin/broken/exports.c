/* SPDX-License-Identifier: Apache-2.0
 * It exports a function of its own. */
#include "broken.h"

COGENT_EXPORT int helper(void);

int helper(void)
{
    return 1;
}

static int run(struct cogent_call *call)
{
    return helper() ? cogent_done(call, "{}") : COGENT_INTERNAL;
}

BROKEN("exports", .hidden = 0)
