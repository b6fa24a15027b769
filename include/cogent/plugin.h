/* SPDX-License-Identifier: Apache-2.0
 * A plugin is a shared object with one exported function. It is opened NOW and LOCAL, before any request, once a
 * worker, and never closed.
 *
 *     COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest);
 *
 * The engine says which ABI numbers it speaks; the plugin returns its descriptor, or NULL when its own is not
 * among them. The descriptor and all it points to are constant for the life of the process.
 */
#ifndef COGENT_PLUGIN_H
#define COGENT_PLUGIN_H

#include <cogent/types.h>

struct cogent_tool;
struct cogent_toolset;
struct cogent_provider;
struct cogent_retriever;

struct cogent_plugin {
    size_t size;
    uint32_t abi; /* COGENT_ABI as compiled */
    const char *name;
    const char *version;
    const char *license;
    /* Any of these, each a list that ends with NULL. */
    const struct cogent_tool *const *tools;
    const struct cogent_toolset *const *toolsets;
    const struct cogent_provider *const *providers;
    const struct cogent_retriever *const *retrievers;
};

typedef const struct cogent_plugin *(*cogent_plugin_entry_fn)(uint32_t oldest, uint32_t newest);

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest);

#endif
