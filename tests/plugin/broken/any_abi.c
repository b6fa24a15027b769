/* SPDX-License-Identifier: Apache-2.0
 * It gives its descriptor to every engine, whatever that speaks. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN_TOOL("any_abi", .hidden = 0);
BROKEN_PLUGIN("any_abi", .tools = tools);

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    (void)oldest, (void)newest;
    return &plugin;
}
