/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include "engine/base/log.h"
#include "engine/base/options.h"
#include "loader.h"

#include <stdlib.h>

enum { PLUGINS_MAX = 64, TOOLS_MAX = 512, PROVIDERS_MAX = 32, SETS_MAX = 128, NAME_MAX_TOOL = 64 };

struct declared {
    const struct cogent_toolset *api;
    void *self;
    size_t first, n; /* its tools */
    char *name;
};

struct cg_plugins {
    const struct cogent_host *host;
    const struct cogent_plugin *plugins[PLUGINS_MAX];
    char *paths[PLUGINS_MAX];
    struct cg_tool tools[TOOLS_MAX];
    struct cg_provider providers[PROVIDERS_MAX];
    void *provider_options[PROVIDERS_MAX];
    struct declared sets[SETS_MAX];
    struct cg_retriever retriever;
    void *retriever_options;
    size_t n_plugins, n_tools, n_providers, n_sets;
};

struct cg_plugins *cg_plugins_create(const struct cogent_host *host)
{
    struct cg_plugins *p = calloc(1, sizeof *p);
    if (p)
        p->host = host;
    return p;
}

static void options_free(const struct cogent_option *table, void *options)
{
    if (options && table)
        cg_options_finish(table, options);
    free(options);
}

void cg_plugins_destroy(struct cg_plugins *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_tools; i++) {
        cg_schema_destroy(p->tools[i].schema);
        json_decref(p->tools[i].args);
        free(p->tools[i].args_text);
    }
    for (size_t i = 0; i < p->n_sets; i++) {
        p->sets[i].api->close(p->sets[i].self);
        free(p->sets[i].name);
    }
    for (size_t i = 0; i < p->n_providers; i++) {
        p->providers[i].api->close(p->providers[i].self);
        options_free(p->providers[i].api->options, p->provider_options[i]);
        free(p->providers[i].name);
    }
    if (p->retriever.api) {
        p->retriever.api->close(p->retriever.self);
        options_free(p->retriever.api->options, p->retriever_options);
    }
    for (size_t i = 0; i < p->n_plugins; i++)
        free(p->paths[i]);
    free(p);
}

static bool name_ok(const char *name)
{
    size_t n = 0;
    for (; name[n]; n++) {
        char c = name[n];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '-'))
            return false;
    }
    return n > 0 && n <= NAME_MAX_TOOL;
}

/* A list of the descriptor's, or NULL: a shorter descriptor is one of an earlier day. */
#define LIST_OF(plugin, member) (COGENT_HAS(plugin, member) ? (plugin)->member : NULL)

static const char *promise_wrong(const struct cogent_tool *t)
{
    if (!COGENT_HAS(t, once) || t->once == COGENT_ONCE_NONE)
        return "it writes and does not say what once promises";
    if (t->once < COGENT_ONCE_NONE || t->once > COGENT_ONCE_NEVER)
        return "its once is none that the ABI knows";
    if (t->once == COGENT_ONCE_FIND && (!COGENT_HAS(t, find) || !t->find))
        return "its once is find, and it names no tool to find with";
    return NULL;
}

/* What must hold of a tool before it is worth a schema. */
static const char *tool_wrong(const struct cogent_tool *t)
{
    if (!COGENT_HAS(t, call))
        return "its struct is too short (.size = sizeof tool)";
    if (!t->call || !t->args)
        return "it has no call or no args";
    if (!t->name || !name_ok(t->name))
        return "its name is not 1 to 64 letters, digits, _ or -";
    if (!t->about || !t->about[0])
        return "it says nothing about itself";
    if (!t->permission || !t->permission[0])
        return "it names no permission";
    if (t->effect < COGENT_READ || t->effect > COGENT_EXTERNAL)
        return "its effect is not read, write or external";
    return t->effect == COGENT_READ ? NULL : promise_wrong(t);
}

/* What must hold of the other parts: everything that is called without a look. */
static const char *parts_wrong(const struct cogent_plugin *plugin)
{
    for (const struct cogent_toolset *const *s = LIST_OF(plugin, toolsets); s && *s; s++) {
        if (!COGENT_HAS(*s, get) || !(*s)->open || !(*s)->close || !(*s)->count || !(*s)->get)
            return "a toolset's struct is too short or lacks open, close, count or get";
    }
    for (const struct cogent_provider *const *v = LIST_OF(plugin, providers); v && *v; v++) {
        if (!COGENT_HAS(*v, chat) || !(*v)->name || !(*v)->open || !(*v)->close || !(*v)->chat)
            return "a provider's struct is too short or lacks name, open, close or chat";
    }
    for (const struct cogent_retriever *const *r = LIST_OF(plugin, retrievers); r && *r; r++) {
        if (!COGENT_HAS(*r, request) || !(*r)->open || !(*r)->close || !(*r)->request)
            return "a retriever's struct is too short or lacks open, close or request";
    }
    return NULL;
}

static int add_tool(struct cg_plugins *p, const struct cogent_tool *api, const char *plugin,
                    const char *service, struct cg_err *err)
{
    const char *wrong = tool_wrong(api);
    if (wrong)
        return cg_err_set(err, COGENT_INVALID, "%s: tool %s: %s", service,
                          COGENT_HAS(api, name) && api->name ? api->name : "?", wrong);
    if (cg_tool_find(p, cogent_str(api->name)))
        return cg_err_set(err, COGENT_CONFLICT, "%s: tool %s: the name is taken; rename one of the two",
                          service, api->name);
    if (p->n_tools == TOOLS_MAX)
        return cg_err_set(err, COGENT_LIMIT, "%s: more than %d tools", service, TOOLS_MAX);
    struct cg_err why;
    struct cg_tool *t = &p->tools[p->n_tools];
    *t = (struct cg_tool){ .api = api, .plugin = plugin, .service = service };
    t->args = cg_json_parse(cogent_str(api->args), &why);
    if (!json_is_object(t->args)) {
        json_decref(t->args);
        return cg_err_set(err, COGENT_INVALID, "%s: tool %s: args are no JSON Schema object", service,
                          api->name);
    }
    json_object_set_new(t->args, "type", json_string("object"));
    if (!json_object_get(t->args, "properties"))
        json_object_set_new(t->args, "properties", json_object());
    json_object_set_new(t->args, "additionalProperties", json_false());
    t->args_text = cg_json_text(t->args);
    if (cg_schema_compile(t->args, &t->schema, &why) < 0) {
        json_decref(t->args);
        free(t->args_text);
        return cg_err_set(err, COGENT_INVALID, "%s: tool %s: args: %s", service, api->name, why.message);
    }
    p->n_tools++;
    return 0;
}

int cg_plugins_open(struct cg_plugins *p, const char *path, struct cg_err *err)
{
    const struct cogent_plugin *plugin = cg_loader_open(path, err);
    if (!plugin)
        return err ? err->code : COGENT_INVALID;
    if (p->n_plugins == PLUGINS_MAX)
        return cg_err_set(err, COGENT_LIMIT, "%s: more than %d plugins", path, PLUGINS_MAX);
    for (size_t i = 0; i < p->n_plugins; i++) {
        if (strcmp(p->plugins[i]->name, plugin->name) == 0)
            return p->plugins[i] == plugin
                       ? 0
                       : cg_err_set(err, COGENT_CONFLICT, "%s: plugin %s is loaded already", path,
                                    plugin->name);
    }
    const char *wrong = parts_wrong(plugin);
    if (wrong)
        return cg_err_set(err, COGENT_INVALID, "plugin %s: %s", path, wrong);
    p->paths[p->n_plugins] = cg_str_dup(cogent_str(path));
    p->plugins[p->n_plugins++] = plugin;
    for (const struct cogent_tool *const *t = LIST_OF(plugin, tools); t && *t; t++) {
        struct cg_err why;
        int rc = add_tool(p, *t, plugin->name, plugin->name, &why);
        if (rc < 0)
            return cg_err_set(err, rc, "plugin %s: %s", path, why.message);
    }
    return 0;
}

int cg_plugins_declare(struct cg_plugins *p, const char *name, const json_t *declaration, struct cg_err *err)
{
    const struct cogent_plugin *owner = NULL;
    for (size_t i = 0; i < p->n_plugins && !owner; i++)
        owner = LIST_OF(p->plugins[i], toolsets) && *p->plugins[i]->toolsets ? p->plugins[i] : NULL;
    if (!owner)
        return cg_err_set(err, COGENT_NOT_FOUND, "%s: no plugin makes tools from declarations (tool_http)",
                          name);
    if (p->n_sets == SETS_MAX)
        return cg_err_set(err, COGENT_LIMIT, "%s: more than %d tool files", name, SETS_MAX);
    char why[300] = "";
    cg_auto_free char *text = cg_json_text(declaration);
    struct declared *set = &p->sets[p->n_sets];
    *set = (struct declared){ .api = *owner->toolsets,
                              .first = p->n_tools,
                              .name = cg_str_dup(cogent_str(name)) };
    if (!text || !set->name || set->api->open(p->host, cogent_str(text), &set->self, why, sizeof why) < 0) {
        free(set->name);
        return cg_err_set(err, COGENT_INVALID, "%s: %s", name, why[0] ? why : "out of memory");
    }
    p->n_sets++;
    for (size_t i = 0; i < set->api->count(set->self); i++) {
        int rc = add_tool(p, set->api->get(set->self, i), owner->name, set->name, err);
        if (rc < 0)
            return rc;
        set->n++;
    }
    return 0;
}

static int fill(const struct cogent_option *table, size_t size, const json_t *json, const char *where,
                void **out, struct cg_err *err)
{
    static const struct cogent_option none[] = { { 0 } };
    *out = calloc(1, size ? size : 1);
    if (!*out)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = cg_options_fill(table ? table : none, json, *out, where, err);
    if (rc < 0) {
        options_free(table, *out);
        *out = NULL;
    }
    return rc;
}

static const struct cogent_provider *provider_api(const struct cg_plugins *p, const char *name,
                                                  const char **plugin)
{
    for (size_t i = 0; i < p->n_plugins; i++) {
        for (const struct cogent_provider *const *v = LIST_OF(p->plugins[i], providers); v && *v; v++) {
            if (strcmp((*v)->name, name) == 0) {
                *plugin = p->plugins[i]->name;
                return *v;
            }
        }
    }
    return NULL;
}

int cg_plugins_provide(struct cg_plugins *p, const char *name, const char *plugin, const json_t *options,
                       struct cg_err *err)
{
    char where[128], why[300] = "";
    struct cg_provider *v = &p->providers[p->n_providers];
    if (p->n_providers == PROVIDERS_MAX)
        return cg_err_set(err, COGENT_LIMIT, "providers: more than %d", PROVIDERS_MAX);
    snprintf(where, sizeof where, "providers: %.64s", name);
    *v = (struct cg_provider){ 0 };
    v->api = provider_api(p, plugin, &v->plugin);
    if (!v->api)
        return cg_err_set(err, COGENT_NOT_FOUND, "%s: no loaded plugin provides \"%.64s\"", where, plugin);
    void **opts = &p->provider_options[p->n_providers];
    int rc = fill(v->api->options, v->api->options_size, options, where, opts, err);
    if (rc < 0)
        return rc;
    v->name = cg_str_dup(cogent_str(name));
    if (!v->name || v->api->open(p->host, *opts, &v->self, why, sizeof why) < 0) {
        options_free(v->api->options, *opts);
        free(v->name);
        return cg_err_set(err, COGENT_INVALID, "%s: %s", where, why[0] ? why : "out of memory");
    }
    p->n_providers++;
    return 0;
}

int cg_plugins_retrieve(struct cg_plugins *p, const json_t *options, struct cg_err *err)
{
    char why[300] = "";
    for (size_t i = 0; i < p->n_plugins; i++) {
        if (!LIST_OF(p->plugins[i], retrievers) || !*p->plugins[i]->retrievers)
            continue;
        struct cg_retriever r = { .api = *p->plugins[i]->retrievers, .plugin = p->plugins[i]->name };
        int rc = fill(r.api->options, r.api->options_size, options, "retriever", &p->retriever_options, err);
        if (rc < 0)
            return rc;
        if (r.api->open(p->host, p->retriever_options, &r.self, why, sizeof why) < 0)
            return cg_err_set(err, COGENT_INVALID, "retriever: %s", why);
        p->retriever = r;
        return 0;
    }
    return cg_err_set(err, COGENT_NOT_FOUND, "no loaded plugin is a retriever");
}

size_t cg_plugin_count(const struct cg_plugins *p)
{
    return p->n_plugins;
}

const struct cogent_plugin *cg_plugin_get(const struct cg_plugins *p, size_t i, const char **path)
{
    *path = p->paths[i] ? p->paths[i] : "";
    return p->plugins[i];
}

const struct cg_tool *cg_tool_find(const struct cg_plugins *p, struct cogent_str name)
{
    for (size_t i = 0; i < p->n_tools; i++) {
        if (cg_str_eq(name, p->tools[i].api->name))
            return &p->tools[i];
    }
    return NULL;
}

size_t cg_tool_count(const struct cg_plugins *p)
{
    return p->n_tools;
}

const struct cg_tool *cg_tool_get(const struct cg_plugins *p, size_t i)
{
    return &p->tools[i];
}

const struct cg_provider *cg_provider_find(const struct cg_plugins *p, const char *name)
{
    for (size_t i = 0; i < p->n_providers; i++) {
        if (strcmp(p->providers[i].name, name) == 0)
            return &p->providers[i];
    }
    return NULL;
}

const struct cg_retriever *cg_retriever_get(const struct cg_plugins *p)
{
    return p->retriever.api ? &p->retriever : NULL;
}

const struct cogent_statement *cg_plugin_statements(const struct cg_plugins *p, const char *plugin, size_t *n)
{
    *n = 0;
    if (!p->retriever.api || strcmp(p->retriever.plugin, plugin) != 0)
        return NULL;
    while (p->retriever.api->statements && p->retriever.api->statements[*n].name)
        ++*n;
    return p->retriever.api->statements;
}

const struct cogent_toolset *cg_tool_set(const struct cg_plugins *p, const struct cg_tool *tool, void **self)
{
    size_t at = (size_t)(tool - p->tools);
    for (size_t i = 0; i < p->n_sets; i++)
        if (at >= p->sets[i].first && at < p->sets[i].first + p->sets[i].n) {
            *self = p->sets[i].self;
            return p->sets[i].api;
        }
    return NULL;
}

int cg_tool_check(const struct cg_plugins *p, const struct cg_tool *tool, char *out, size_t size)
{
    size_t at = (size_t)(tool - p->tools);
    for (size_t i = 0; i < p->n_sets; i++) {
        const struct declared *set = &p->sets[i];
        if (at >= set->first && at < set->first + set->n)
            return COGENT_HAS(set->api, check) && set->api->check
                       ? set->api->check(set->self, at - set->first, out, size)
                       : COGENT_NOT_FOUND;
    }
    return COGENT_NOT_FOUND;
}
