/* SPDX-License-Identifier: Apache-2.0
 * It ends the process. */
#include "broken.h"

#include <unistd.h>

static int run(struct cogent_call *call)
{
    (void)call;
    _exit(3);
}

BROKEN("exits", .hidden = 0)
