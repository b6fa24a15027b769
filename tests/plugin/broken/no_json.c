/* SPDX-License-Identifier: Apache-2.0
 * Its result is no JSON. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    return cogent_done(call, "{\"n\":");
}

BROKEN("no_json", .hidden = 0)
