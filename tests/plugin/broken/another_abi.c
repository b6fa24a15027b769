/* SPDX-License-Identifier: Apache-2.0
 * Built for a later engine. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN_TOOL("another_abi", .hidden = 0);
BROKEN_PLUGIN("another_abi", .abi = COGENT_ABI + 1);
BROKEN_ENTRY(cogent_plugin_entry)
