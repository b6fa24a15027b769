/* SPDX-License-Identifier: Apache-2.0
 * It ends the process while it is loaded. */
#include "broken.h"

#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    _exit(3);
}

BROKEN_SOUND_CALL

BROKEN("constructor_exits", .hidden = 0)
