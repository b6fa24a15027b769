/* SPDX-License-Identifier: Apache-2.0
 * cogent plugin list: the configuration loaded as a worker loads it, and what came of which file. */
#include "plugin.h"

#include "command.h"
#include "out.h"

#include "engine/deaths.h"
#include "engine/parts.h"

struct kind {
    const char *name;
    bool (*is)(const struct cogent_plugin *plugin);
};

/* A list that a plugin has, and that is not empty. */
#define HAS_SOME(plugin, list) (COGENT_HAS(plugin, list) && (plugin)->list && *(plugin)->list)

static bool makes_tools(const struct cogent_plugin *p)
{
    return HAS_SOME(p, tools);
}

static bool makes_toolsets(const struct cogent_plugin *p)
{
    return HAS_SOME(p, toolsets);
}

static bool provides(const struct cogent_plugin *p)
{
    return HAS_SOME(p, providers);
}

static bool retrieves(const struct cogent_plugin *p)
{
    return HAS_SOME(p, retrievers);
}

static const struct kind kinds[] = { { "tool", makes_tools },
                                     { "toolset", makes_toolsets },
                                     { "provider", provides },
                                     { "retriever", retrieves } };

static void add_kinds(struct cg_buf *out, const struct cogent_plugin *plugin)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].is(plugin))
            cg_buf_printf(out, "%s%s", out->len ? ", " : "", kinds[i].name);
    }
}

/* Its tools, the declared ones too. */
static json_t *tools_of(const struct cg_plugins *plugins, const char *name)
{
    json_t *names = json_array();
    for (size_t i = 0; i < cg_tool_count(plugins); i++) {
        const struct cg_tool *tool = cg_tool_get(plugins, i);
        if (strcmp(tool->plugin, name) == 0)
            json_array_append_new(names, json_string(tool->api->name));
    }
    return names;
}

/* deaths: what the server has written down of plugins that cost it workers. */
static json_t *describe(const struct cg_plugins *plugins, size_t i, const json_t *deaths)
{
    const char *path;
    const struct cogent_plugin *p = cg_plugin_get(plugins, i, &path);
    cg_auto_buf kind = { 0 };
    add_kinds(&kind, p);
    const json_t *d = json_object_get(deaths, p->name);
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:o, s:s, s:I, s:O*, s:O*}", "plugin", p->name, "version",
                     p->version, "license", p->license, "abi", (int)p->abi, "kind", kind.len ? kind.ptr : "",
                     "tools", tools_of(plugins, p->name), "file", path, "crashes",
                     (json_int_t)cg_json_int(d, "crashes", 0), "last_crash", json_object_get(d, "last_crash"),
                     "held_until", json_object_get(d, "held_until"));
}

/* "3, last 2026-01-31T12:00:00Z, held back until 2026-01-31T12:00:30Z" */
static void spell_crashes(const json_t *row, char *out, size_t size)
{
    const char *held = cg_json_str(row, "held_until", NULL);
    int crashes = (int)cg_json_int(row, "crashes", 0);
    if (crashes)
        snprintf(out, size, "%d, last %s%s%s", crashes, cg_json_str(row, "last_crash", ""),
                 held ? ", held back until " : "", held ? held : "");
    else
        snprintf(out, size, "0");
}

/* What a server has loaded that COGENT_URL names, this command does not know. */
static void show_source(const struct cg_config *config)
{
    if (config->folder) {
        printf("\nas the configuration in ");
        cg_out_text(config->folder);
        printf(
            " has it, with the crashes of the server of its state folder; COGENT_CONFIG=FILE names another\n");
    } else {
        printf(
            "\nno configuration is named, so this is the embedded default; COGENT_CONFIG=FILE names one\n");
    }
}

static void show(const json_t *rows, const struct cg_config *config)
{
    static const char *const titles[] = { "PLUGIN", "VERSION", "LICENSE", "ABI",
                                          "KIND",   "TOOLS",   "CRASHES", "FILE" };
    struct cg_table table;
    size_t i;
    json_t *row;
    cg_table_begin(&table, 8, titles);
    json_array_foreach (rows, i, row) {
        char abi[16], tools[16], crashes[96];
        snprintf(abi, sizeof abi, "%d", (int)cg_json_int(row, "abi", 0));
        snprintf(tools, sizeof tools, "%zu", json_array_size(json_object_get(row, "tools")));
        spell_crashes(row, crashes, sizeof crashes);
        const char *const cells[] = { cg_json_str(row, "plugin", ""),
                                      cg_json_str(row, "version", ""),
                                      cg_json_str(row, "license", ""),
                                      abi,
                                      cg_json_str(row, "kind", ""),
                                      tools,
                                      crashes,
                                      cg_json_str(row, "file", "") };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
    show_source(config);
}

int cg_plugin_list(bool json)
{
    struct cg_err err = { 0 };
    struct cg_files *files = NULL;
    struct cg_config *config = NULL;
    struct cg_parts parts = { 0 };
    int rc = cg_files_create(&files, &err);
    if (rc == 0)
        rc = cg_config_load(files, NULL, &config, &err);
    if (rc == 0)
        rc = cg_parts_load(&parts, files, config, &err);
    cg_auto_json deaths = config ? cg_deaths_read(config->state) : NULL;
    cg_auto_json rows = json_array();
    for (size_t i = 0; rc == 0 && i < cg_plugin_count(parts.plugins); i++)
        json_array_append_new(rows, describe(parts.plugins, i, deaths));
    if (rc < 0)
        fprintf(stderr, "cogent plugin: %s\n", err.message);
    else if (json)
        cg_out_json(rows);
    else
        show(rows, config);
    cg_parts_finish(&parts);
    cg_config_destroy(config);
    cg_files_destroy(files);
    return rc < 0 ? CG_EXIT_FAILED : CG_EXIT_OK;
}
