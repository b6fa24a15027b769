/* SPDX-License-Identifier: Apache-2.0
 * Its words are not UTF-8. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    return cogent_fail(call, COGENT_INVALID, "\xff\xfe");
}

BROKEN("no_utf8", .hidden = 0)
