/* SPDX-License-Identifier: Apache-2.0
 * It never completes. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    (void)call;
    return 0;
}

BROKEN("never", .hidden = 0)
