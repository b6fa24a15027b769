/* SPDX-License-Identifier: Apache-2.0
 * The sentence of its approval names an argument that it has not. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("ask_unknown", .effect = COGENT_WRITE, .once = COGENT_ONCE_NEVER, .ask = "Pay {amount}")
