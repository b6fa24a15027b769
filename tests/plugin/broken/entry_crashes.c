/* SPDX-License-Identifier: Apache-2.0
 * Its entry crashes. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN_TOOL("entry_crashes", .hidden = 0);
BROKEN_PLUGIN("entry_crashes", .tools = tools);

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    return oldest <= newest ? &plugin + *(volatile int *)(uintptr_t)8 : NULL;
}
