/* SPDX-License-Identifier: Apache-2.0
 * Anybody could call it. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("no_permission", .permission = NULL)
