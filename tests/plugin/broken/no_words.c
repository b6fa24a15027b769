/* SPDX-License-Identifier: Apache-2.0
 * It fails without a word. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    (void)call;
    return COGENT_CONFLICT;
}

BROKEN("no_words", .hidden = 0)
