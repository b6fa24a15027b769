/* SPDX-License-Identifier: Apache-2.0
 * What the plugins of this folder share: one tool each, sound but for what the file's first comment says. They are built
 * by tests/e2e/test_plugin.py, outside the tree, with the installed headers. */
#ifndef BROKEN_H
#define BROKEN_H

#include <cogent/tool.h>

/* A tool and its plugin of one name; further members replace what stands here. */
#define BROKEN_TOOL(tool_name, ...)                                                                          \
    static const struct cogent_tool tool = { .size = sizeof tool,                                            \
                                             .name = tool_name,                                              \
                                             .about = "Broken on purpose.",                                  \
                                             .args = "{}",                                                   \
                                             .permission = "finance.read",                                   \
                                             .effect = COGENT_READ,                                          \
                                             .call = run,                                                    \
                                             .timeout_ms = 100,                                              \
                                             __VA_ARGS__ };                                                  \
    static const struct cogent_tool *const tools[] = { &tool, NULL }

#define BROKEN_PLUGIN(plugin_name, ...)                                                                      \
    static const struct cogent_plugin plugin = { .size = sizeof plugin,                                      \
                                                 .abi = COGENT_ABI,                                          \
                                                 .name = plugin_name,                                        \
                                                 .version = "1",                                             \
                                                 .license = "Apache-2.0",                                    \
                                                 .tools = tools,                                             \
                                                 __VA_ARGS__ }

#define BROKEN_ENTRY(entry_name)                                                                             \
    COGENT_EXPORT const struct cogent_plugin *entry_name(uint32_t oldest, uint32_t newest)                   \
    {                                                                                                        \
        return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;                                \
    }

/* All three. */
#define BROKEN(name, ...)                                                                                    \
    BROKEN_TOOL(name, __VA_ARGS__);                                                                          \
    BROKEN_PLUGIN(name, .tools = tools);                                                                     \
    BROKEN_ENTRY(cogent_plugin_entry)

/* A body for those whose call is never reached. */
#define BROKEN_SOUND_CALL                                                                                    \
    static int run(struct cogent_call *call)                                                                 \
    {                                                                                                        \
        return cogent_done(call, "{}");                                                                      \
    }

#endif
