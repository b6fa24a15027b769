/* SPDX-License-Identifier: Apache-2.0
 * It writes and does not say what happens after a doubt. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("write_no_promise", .effect = COGENT_WRITE)
