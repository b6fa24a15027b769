/* SPDX-License-Identifier: Apache-2.0
 * Its tool has the name of one that is there already. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("get_invoice", .hidden = 0)
