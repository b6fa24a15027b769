/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"

#include "engine/base/log.h"
#include "engine/plugin/host.h"
#include "engine/plugin/invoke.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIMENSIONS_MAX = 65536 };

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The shipped plugins: providers, retrievers and the toolset, by their folder's names. A tool of one's own is named
 * in `tools`. */
static bool shipped(const char *name)
{
    static const char *const prefixes[] = { "provider_", "retriever_", "tool_http." };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return ends_with(name, ".so");
    }
    return false;
}

static int open_shipped(struct cg_parts *parts, const char *folder, struct cg_err *err)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort), rc = 0;
    if (n < 0)
        return cg_err_set(err, COGENT_NOT_FOUND, "plugins: folder %s: %s (set plugins, or COGENT_PLUGINS)",
                          folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        cg_auto_buf path = { 0 };
        cg_buf_printf(&path, "%s/%s", folder, names[i]->d_name);
        if (rc == 0 && shipped(names[i]->d_name))
            rc = cg_plugins_open(parts->plugins, path.ptr, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return cg_str_dup((struct cogent_str){ name, dot ? (size_t)(dot - name) : strlen(name) });
}

static int load_tool(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                     const char *name, struct cg_err *err)
{
    cg_auto_free char *path = cg_config_path(config, name);
    cg_auto_free char *stem = stem_of(name);
    if (!path || !stem)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (ends_with(name, ".so"))
        return cg_plugins_open(parts->plugins, path, err);
    cg_auto_buf reference = { 0 };
    cg_buf_printf(&reference, "tools/%s", stem);
    json_t *declaration = NULL;
    int rc = cg_files_load(files, path, reference.ptr, &declaration, err);
    if (rc == 0)
        rc = cg_plugins_declare(parts->plugins, stem, declaration, err);
    json_decref(declaration);
    return rc;
}

static int load_tools(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                      struct cg_err *err)
{
    size_t i;
    json_t *entry;
    cg_auto_json list = cg_json_parse(cogent_str(config->tools), err);
    json_array_foreach (list, i, entry) {
        if (!json_is_string(entry))
            return cg_err_set(err, COGENT_INVALID, "tools: must be a list of file names");
        int rc = load_tool(parts, files, config, json_string_value(entry), err);
        if (rc < 0)
            return rc;
    }
    return json_is_array(list) || json_object_size(list) == 0
               ? 0
               : cg_err_set(err, COGENT_INVALID, "tools: must be a list of file names");
}

/* The rules provider is always there: it is the offline default and the last resort of a chain. */
static int load_rules(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                      struct cg_err *err)
{
    json_t *rules = NULL;
    int rc = cg_files_load_folder(files, config->rules, "rules", &rules, err);
    if (rc == COGENT_NOT_FOUND) {
        rules = json_object();
        rc = 0;
    }
    cg_auto_json options = json_pack("{s:o}", "rules", rules ? rules : json_object());
    return rc < 0 ? rc : cg_plugins_provide(parts->plugins, "rules", "rules", options, err);
}

static int load_providers(struct cg_parts *parts, const struct cg_config *config, struct cg_err *err)
{
    const char *name;
    json_t *entry;
    cg_auto_json all = cg_json_parse(cogent_str(config->providers), err);
    json_object_foreach (all, name, entry) {
        cg_auto_json options = json_deep_copy(entry);
        const char *plugin = cg_json_str(options, "plugin", name);
        cg_auto_free char *kept = cg_str_dup(cogent_str(plugin));
        json_object_del(options, "plugin");
        int rc = kept ? cg_plugins_provide(parts->plugins, name, kept, options, err) : COGENT_NO_MEMORY;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static const struct cg_provider *provider_of(const struct cg_parts *parts, const char *chain,
                                             const char *link, struct cg_err *err)
{
    char name[64];
    cg_str_copy(name, sizeof name, (struct cogent_str){ link, strcspn(link, "/") });
    const struct cg_provider *provider = cg_provider_find(parts->plugins, name);
    if (!provider)
        cg_err_set(err, COGENT_INVALID, "models: %s: \"%.80s\": there is no provider \"%s\" in providers",
                   chain, link, name);
    return provider;
}

/* Vectors of two models do not compare, so there is one link and nothing to fall back to. */
static int take_embedding(struct cg_parts *parts, const char *name, const json_t *chain, struct cg_err *err)
{
    const char *key;
    json_t *value;
    const json_t *link = json_is_array(chain) ? json_array_get(chain, 0) : json_object_get(chain, "1");
    const json_t *dimensions = json_object_get(chain, "dimensions");
    if (json_array_size(chain) > 1 || json_object_get(chain, "2"))
        return cg_err_set(err, COGENT_INVALID,
                          "models: %s: embeddings never fail over to another model: name one", name);
    json_object_foreach ((json_t *)chain, key, value) {
        if (strcmp(key, "1") != 0 && strcmp(key, "dimensions") != 0)
            return cg_err_set(err, COGENT_INVALID, "models: %s: \"%.64s\" is not known; dimensions is", name,
                              key);
    }
    if (!json_is_string(link))
        return cg_err_set(err, COGENT_INVALID, "models: %s must be { \"provider/model\", dimensions = N }",
                          name);
    if (dimensions && (json_integer_value(dimensions) < 1 || json_integer_value(dimensions) > DIMENSIONS_MAX))
        return cg_err_set(err, COGENT_INVALID, "models: %s: dimensions must be 1 to %d", name,
                          DIMENSIONS_MAX);
    const struct cg_provider *provider = provider_of(parts, name, json_string_value(link), err);
    if (!provider)
        return COGENT_INVALID;
    if (!cg_provider_embeds(provider))
        return cg_err_set(err, COGENT_INVALID, "models: %s: the provider \"%s\" makes no embeddings", name,
                          provider->name);
    json_object_set_new(parts->embeddings, name,
                        json_pack("{s:O, s:O*}", "link", link, "dimensions", (json_t *)dimensions));
    return 0;
}

/* Every link of every chain must name a provider that is there. */
static int take_chain(struct cg_parts *parts, const char *name, json_t *chain, struct cg_err *err)
{
    size_t i;
    json_t *link;
    if (!json_is_array(chain) || json_array_size(chain) == 0)
        return cg_err_set(err, COGENT_INVALID, "models: %s must be a list of \"provider/model\"", name);
    json_array_foreach (chain, i, link) {
        const char *text = json_string_value(link) ? json_string_value(link) : "";
        if (!provider_of(parts, name, text, err))
            return COGENT_INVALID;
    }
    json_object_set(parts->models, name, chain);
    return 0;
}

/* What has dimensions makes vectors, and so does what is called `embed`. */
static int load_models(struct cg_parts *parts, const struct cg_config *config, struct cg_err *err)
{
    const char *name;
    json_t *chain;
    cg_auto_json all = cg_json_parse(cogent_str(config->models), err);
    json_object_foreach (all, name, chain) {
        bool embeds = json_object_get(chain, "dimensions") || strcmp(name, "embed") == 0;
        int rc = embeds ? take_embedding(parts, name, chain, err) : take_chain(parts, name, chain, err);
        if (rc < 0)
            return rc;
    }
    return all ? 0 : COGENT_INVALID;
}

static int load_kinds(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                      struct cg_err *err)
{
    json_t *entities = NULL;
    int rc = cg_files_load_folder(files, config->entities, "entities", &entities, err);
    if (rc == COGENT_NOT_FOUND) {
        entities = json_object();
        rc = 0;
    }
    if (rc == 0)
        rc = cg_kinds_create(entities, &parts->kinds, err);
    json_decref(entities);
    return rc;
}

/* A decision that nobody would ask is worse than none: its author relies on it. */
static int check_points(const struct cg_policy *policy, const char *folder, struct cg_err *err)
{
    for (int point = 0; point < CG_POINTS; point++) {
        const char *name = cg_policy_first(policy, (enum cg_point)point);
        char why[256];
        if (!name || cg_point_asked((enum cg_point)point))
            continue;
        cg_point_unasked_words((enum cg_point)point, name, why, sizeof why);
        return cg_err_set(err, COGENT_INVALID, "policies: %s: %s", folder, why);
    }
    return 0;
}

static int load_tenants(struct cg_parts *parts, const struct cg_config *config, struct cg_err *err)
{
    cg_auto_json tenants = cg_json_parse(cogent_str(config->tenants), err);
    if (!json_is_object(tenants) && json_array_size(tenants) > 0)
        return cg_err_set(err, COGENT_INVALID, "tenants: must be a table of name = { ... }");
    return cg_tenants_create(tenants, config->secrets, &parts->tenants, err);
}

int cg_parts_load(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                  struct cg_err *err)
{
    *parts = (struct cg_parts){ 0 };
    parts->plugins = cg_plugins_create(cg_host_table());
    parts->models = json_object();
    parts->embeddings = json_object();
    parts->prices = cg_json_parse(cogent_str(config->prices), err);
    if (!parts->plugins || !parts->models || !parts->embeddings || !parts->prices)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = open_shipped(parts, config->modules, err);
    if (rc == 0)
        rc = load_tenants(parts, config, err);
    if (rc == 0)
        rc = load_tools(parts, files, config, err);
    if (rc == 0)
        rc = cg_plugins_retrieve(parts->plugins, NULL, err);
    if (rc == 0)
        rc = load_rules(parts, files, config, err);
    if (rc == 0)
        rc = load_providers(parts, config, err);
    if (rc == 0)
        rc = load_models(parts, config, err);
    if (rc == 0)
        rc = load_kinds(parts, files, config, err);
    if (rc == 0)
        rc = cg_policy_create(config->policies, &parts->policy, err);
    return rc == 0 ? check_points(parts->policy, config->policies, err) : rc;
}

int cg_parts_auth(const struct cg_parts *parts, const struct cg_config *config, struct cg_auth **out,
                  struct cg_err *err)
{
    const struct cg_config_auth *a = &config->auth_options;
    const struct cg_auth_config auth = { .issuer = a->issuer,
                                         .audience = a->audience,
                                         .secret = a->secret,
                                         .keys = config->auth_keys,
                                         .jwks = a->jwks,
                                         .tenant = a->tenant,
                                         .user = a->user,
                                         .permissions = a->permissions,
                                         .roles = a->roles };
    return cg_auth_create(&auth, parts->tenants, out, err);
}

void cg_parts_finish(struct cg_parts *parts)
{
    cg_plugins_destroy(parts->plugins);
    cg_kinds_destroy(parts->kinds);
    cg_policy_destroy(parts->policy);
    cg_tenants_destroy(parts->tenants);
    json_decref(parts->models);
    json_decref(parts->embeddings);
    json_decref(parts->prices);
    *parts = (struct cg_parts){ 0 };
}
