/* SPDX-License-Identifier: Apache-2.0
 * cogent tools check: the declarations loaded as a worker loads them, and each example run against them. */
#include "tools.h"

#include "command.h"
#include "out.h"

#include "engine/io/http_client.h"
#include "engine/parts.h"
#include "engine/plugin/host.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };

struct check {
    struct cg_files *files;
    struct cg_config *config;
    struct cg_parts parts;
    struct cg_loop *loop;
    struct cg_http_client *http;
    struct cg_buf text;
    json_t *rows;
    int checked, failed;
};

static int run_script(void *self, const char *reference, struct cogent_str args, struct cogent_str *out)
{
    struct check *c = self;
    struct cg_err err;
    json_t *made = NULL;
    cg_auto_json value = cg_json_parse(args, NULL);
    int rc = cg_files_call(c->files, reference, value, json_is_array(value), &made, &err);
    cg_buf_clear(&c->text);
    if (rc == 0 && made)
        cg_json_add(&c->text, made);
    else if (rc == 0)
        cg_buf_text(&c->text, "null");
    else
        cg_buf_text(&c->text, err.message);
    json_decref(made);
    *out = cg_buf_view(&c->text);
    return rc;
}

static void check_tool(struct check *c, const struct cg_tool *tool)
{
    static char why[MESSAGE_MAX];
    why[0] = '\0';
    int rc = cg_tool_check(c->parts.plugins, tool, why, sizeof why);
    const char *says = rc == 0 ? "ok" : rc == COGENT_NOT_FOUND ? "no example" : "wrong";
    c->checked += rc == 0;
    c->failed += rc < 0 && rc != COGENT_NOT_FOUND;
    json_array_append_new(c->rows, json_pack("{s:s, s:s, s:s, s:s}", "tool", tool->api->name, "service",
                                             tool->service, "check", says, "why", rc < 0 ? why : ""));
}

/* Files that are named take the place of the configuration's. */
static int take_files(struct cg_config *config, int n, char *const *files, struct cg_err *err)
{
    if (n == 0)
        return 0;
    cg_auto_json list = json_array();
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        if (!realpath(files[i], path))
            return cg_err_set(err, COGENT_NOT_FOUND, "%s: there is no such file", files[i]);
        json_array_append_new(list, json_string(path));
    }
    free(config->tools);
    config->tools = cg_json_text(list);
    return config->tools ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
}

static int load(struct check *c, int n, char *const *files, struct cg_err *err)
{
    int rc = cg_files_create(&c->files, err);
    if (rc == 0)
        rc = cg_config_load(c->files, NULL, &c->config, err);
    if (rc == 0)
        rc = take_files(c->config, n, files, err);
    if (rc == 0)
        rc = cg_parts_load(&c->parts, c->files, c->config, err);
    if (rc < 0)
        return rc;
    c->loop = cg_loop_create();
    c->http = c->loop ? cg_http_client_create(c->loop, NULL, NULL) : NULL;
    if (!c->http)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    const struct cg_host_env host = { c->loop, c->http, NULL, c->parts.plugins, run_script, c };
    cg_host_setup(&host);
    return 0;
}

static void unload(struct check *c)
{
    cg_http_client_destroy(c->http);
    cg_parts_finish(&c->parts);
    cg_loop_destroy(c->loop);
    cg_config_destroy(c->config);
    cg_files_destroy(c->files);
    cg_buf_finish(&c->text);
    json_decref(c->rows);
}

static void show(const struct check *c)
{
    static const char *const titles[] = { "TOOL", "SERVICE", "EXAMPLE", "" };
    struct cg_table table;
    size_t i;
    json_t *row;
    cg_auto_json rows = cg_out_sorted(c->rows, "tool");
    cg_table_begin(&table, 4, titles);
    json_array_foreach (rows, i, row) {
        bool wrong = strcmp(cg_json_str(row, "check", ""), "wrong") == 0;
        const char *const cells[] = { cg_json_str(row, "tool", ""), cg_json_str(row, "service", ""),
                                      cg_json_str(row, "check", ""),
                                      wrong ? cg_json_str(row, "why", "") : "" };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
    printf("\n%d examples are right, %d wrong\n", c->checked, c->failed);
}

int cg_tools_check(int n, char *const *files, bool json)
{
    struct check c = { .rows = json_array() };
    struct cg_err err = { 0 };
    int rc = load(&c, n, files, &err);
    if (rc < 0) {
        fprintf(stderr, "cogent tools: %s\n", err.message);
        unload(&c);
        return CG_EXIT_FAILED;
    }
    for (size_t i = 0; i < cg_tool_count(c.parts.plugins); i++)
        check_tool(&c, cg_tool_get(c.parts.plugins, i));
    if (json)
        cg_out_json(c.rows);
    else
        show(&c);
    rc = c.failed ? CG_EXIT_FAILED : CG_EXIT_OK;
    unload(&c);
    return rc;
}
