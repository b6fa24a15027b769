/* SPDX-License-Identifier: Apache-2.0
 * The engine finds no function in it. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN_TOOL("no_entry", .hidden = 0);
BROKEN_PLUGIN("no_entry", .tools = tools);
BROKEN_ENTRY(another_entry)
