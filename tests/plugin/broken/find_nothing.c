/* SPDX-License-Identifier: Apache-2.0
 * It promises to be found again and names no tool to find with. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("find_nothing", .effect = COGENT_WRITE, .once = COGENT_ONCE_FIND)
