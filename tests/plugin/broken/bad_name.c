/* SPDX-License-Identifier: Apache-2.0
 * Its tool's name has a space. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("bad name", .hidden = 0)
