/* SPDX-License-Identifier: Apache-2.0
 * It leaves a file open with every call. */
#include "broken.h"

#include <fcntl.h>

static int run(struct cogent_call *call)
{
    return cogent_done(call, open("/dev/null", O_RDONLY) < 0 ? "{}" : "{\"open\":1}");
}

BROKEN("leaks_files", .hidden = 0)
