/* SPDX-License-Identifier: Apache-2.0
 * Its descriptor ends before its license. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN_TOOL("short_descriptor", .hidden = 0);
BROKEN_PLUGIN("short_descriptor", .size = 16);
BROKEN_ENTRY(cogent_plugin_entry)
