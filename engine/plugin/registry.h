/* SPDX-License-Identifier: Apache-2.0
 * Plugins and what they bring: tools, providers, retrievers. Loaded once a worker, never unloaded. */
#ifndef CG_PLUGIN_REGISTRY_H
#define CG_PLUGIN_REGISTRY_H

#include "engine/base/json.h"
#include "engine/base/schema.h"

#include <cogent/provider.h>
#include <cogent/retriever.h>
#include <cogent/tool.h>

struct cg_plugins;

struct cg_tool {
    const struct cogent_tool *api;
    const char *plugin;
    const char *service; /* file or plugin that it came from */
    struct cg_schema *schema;
    json_t *args; /* the schema as an object that accepts nothing else */
    char *args_text;
};

struct cg_provider {
    const struct cogent_provider *api;
    const char *plugin;
    char *name; /* of the instance: "openai", "ollama" */
    void *self;
};

struct cg_retriever {
    const struct cogent_retriever *api;
    const char *plugin;
    void *self;
};

/* host is handed to every plugin and must outlive the registry. */
struct cg_plugins *cg_plugins_create(const struct cogent_host *host);
void cg_plugins_destroy(struct cg_plugins *plugins);

/* Opens a shared object. Refused, each with its sentence: not a file of ours (writable by others), no entry symbol,
 * another ABI, a short struct, a name taken, a tool without permission, a bad schema. */
int cg_plugins_open(struct cg_plugins *plugins, const char *path, struct cg_err *err);

/* A declaration (tools file as JSON) for the toolset that is loaded. */
int cg_plugins_declare(struct cg_plugins *plugins, const char *name, const json_t *declaration,
                       struct cg_err *err);
/* An instance of a provider of the plugin's, under a name; options as JSON object. */
int cg_plugins_provide(struct cg_plugins *plugins, const char *name, const char *plugin,
                       const json_t *options, struct cg_err *err);
int cg_plugins_retrieve(struct cg_plugins *plugins, const json_t *options, struct cg_err *err);

/* What is loaded, in the order of loading, and the file it came from. */
size_t cg_plugin_count(const struct cg_plugins *plugins);
const struct cogent_plugin *cg_plugin_get(const struct cg_plugins *plugins, size_t i, const char **path);

const struct cg_tool *cg_tool_find(const struct cg_plugins *plugins, struct cogent_str name);
size_t cg_tool_count(const struct cg_plugins *plugins);
const struct cg_tool *cg_tool_get(const struct cg_plugins *plugins, size_t i);
const struct cg_provider *cg_provider_find(const struct cg_plugins *plugins, const char *name);
const struct cg_retriever *cg_retriever_get(const struct cg_plugins *plugins); /* NULL: none */

/* The statements of a plugin, for host->db and for the generated test. */
const struct cogent_statement *cg_plugin_statements(const struct cg_plugins *plugins, const char *plugin,
                                                    size_t *n);
/* The toolset that made a tool, and its self; NULL when the tool is a plugin's own. */
const struct cogent_toolset *cg_tool_set(const struct cg_plugins *plugins, const struct cg_tool *tool,
                                         void **self);
/* Runs the `example` of a declared tool: see cogent/tool.h. */
int cg_tool_check(const struct cg_plugins *plugins, const struct cg_tool *tool, char *out, size_t size);

#endif
