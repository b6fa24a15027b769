/* SPDX-License-Identifier: Apache-2.0
 * Its tool's struct ends before call. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("short_tool", .size = 16)
