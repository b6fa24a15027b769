/* SPDX-License-Identifier: Apache-2.0
 * Anybody could call it: a permission without a word. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("empty_permission", .permission = "")
