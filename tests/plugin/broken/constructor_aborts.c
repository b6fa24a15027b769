/* SPDX-License-Identifier: Apache-2.0
 * It aborts while it is loaded. */
#include "broken.h"

#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
    abort();
}

BROKEN_SOUND_CALL

BROKEN("constructor_aborts", .hidden = 0)
