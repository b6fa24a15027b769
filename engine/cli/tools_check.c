/* SPDX-License-Identifier: Apache-2.0
 * cogent tools check: the declarations loaded, each example run against them, and, with --live, each service tried. */
#include "tools.h"

#include "command.h"
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };

struct check {
    struct cg_tools tools;
    json_t *rows, *live;
    int checked, failed, unreached;
};

static void check_tool(struct check *c, const struct cg_tool *tool)
{
    static char why[MESSAGE_MAX];
    why[0] = '\0';
    int rc = cg_tool_check(c->tools.parts.plugins, tool, why, sizeof why);
    const char *says = rc == 0 ? "ok" : rc == COGENT_NOT_FOUND ? "no example" : "wrong";
    c->checked += rc == 0;
    c->failed += rc < 0 && rc != COGENT_NOT_FOUND;
    json_array_append_new(c->rows, json_pack("{s:s, s:s, s:s, s:s}", "tool", tool->api->name, "service",
                                             tool->service, "check", says, "why", rc < 0 ? why : ""));
}

/* --- live --- */

struct reached {
    struct cg_loop *loop;
    int err;
    json_t *result;
    char message[400];
};

static void on_reached(void *arg, int err, struct cogent_str text)
{
    struct reached *r = arg;
    r->err = err;
    if (err)
        cg_str_copy(r->message, sizeof r->message, text);
    else
        r->result = cg_json_parse(text, NULL);
    cg_loop_stop(r->loop);
}

static void tell_live(struct check *c, const struct cg_tool *tool, const char *tenant,
                      const struct reached *r)
{
    char says[500];
    int status = (int)cg_json_int(r->result, "status", 0);
    const char *login = cg_json_str(r->result, "login", "");
    bool ok = r->err == 0 && status < 500;
    if (r->err)
        cg_str_copy(says, sizeof says, cogent_str(r->message));
    else
        snprintf(says, sizeof says, "%s answers (status %d)%s", cg_json_str(r->result, "address", ""), status,
                 strcmp(login, "ok") == 0 ? ", and the login is good" : "");
    c->unreached += !ok;
    json_array_append_new(c->live,
                          json_pack("{s:s, s:s, s:s, s:b, s:s}", "service", tool->service, "tenant", tenant,
                                    "as", tool->api->as ? tool->api->as : "", "ok", (int)ok, "says", says));
}

static void reach(struct check *c, const struct cg_tool *tool, const char *tenant)
{
    struct cg_err err = { 0 };
    struct cg_tools_asker asker;
    struct reached r = { .loop = c->tools.loop };
    cg_auto_json none = json_array();
    int rc = cg_tools_asker_init(&asker, &c->tools, tenant, "cogent-check", none, &err);
    if (rc < 0) {
        r.err = rc;
        cg_str_copy(r.message, sizeof r.message, cogent_str(err.message));
    } else if (cogent_op_none(cg_invoke_reach(&c->tools.invoke, (struct cogent_op){ 0, 0 },
                                              c->tools.parts.plugins, tool, &asker.asker, on_reached, &r))) {
        cg_tools_asker_finish(&asker);
        return; /* a tool in C: what it talks to is its own affair */
    } else {
        cg_loop_run(c->tools.loop);
    }
    tell_live(c, tool, tenant, &r);
    json_decref(r.result);
    cg_tools_asker_finish(&asker);
}

/* One tool of each service for each way of its rights: tools of one service may differ in that. */
static bool first_of_its_kind(const struct check *c, size_t i)
{
    const struct cg_plugins *p = c->tools.parts.plugins;
    const struct cg_tool *tool = cg_tool_get(p, i);
    for (size_t j = 0; j < i; j++) {
        const struct cg_tool *other = cg_tool_get(p, j);
        if (strcmp(other->service, tool->service) == 0 &&
            strcmp(other->api->as ? other->api->as : "", tool->api->as ? tool->api->as : "") == 0)
            return false;
    }
    return true;
}

static void check_live(struct check *c, const char *tenant)
{
    const char *name;
    json_t *unused;
    cg_auto_json tenants = cg_json_parse(cogent_str(c->tools.config->tenants), NULL);
    for (size_t i = 0; i < cg_tool_count(c->tools.parts.plugins); i++) {
        const struct cg_tool *tool = cg_tool_get(c->tools.parts.plugins, i);
        if (!first_of_its_kind(c, i))
            continue;
        if (tenant || !json_object_size(tenants)) {
            reach(c, tool, tenant);
            continue;
        }
        json_object_foreach (tenants, name, unused)
            reach(c, tool, name);
    }
}

/* --- telling --- */

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

static void show_live(const struct check *c)
{
    static const char *const titles[] = { "SERVICE", "TENANT", "AS", "LIVE", "" };
    struct cg_table table;
    size_t i;
    json_t *row;
    printf("\n");
    cg_table_begin(&table, 5, titles);
    json_array_foreach (c->live, i, row) {
        const char *const cells[] = { cg_json_str(row, "service", ""), cg_json_str(row, "tenant", ""),
                                      cg_json_str(row, "as", ""),
                                      cg_json_bool(row, "ok", false) ? "ok" : "wrong",
                                      cg_json_str(row, "says", "") };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
}

static void report(const struct check *c, bool live, bool json)
{
    if (json && live) {
        cg_auto_json both = json_pack("{s:O, s:O}", "examples", c->rows, "live", c->live);
        cg_out_json(both);
    } else if (json) {
        cg_out_json(c->rows);
    } else {
        show(c);
        if (live)
            show_live(c);
    }
}

int cg_tools_check(int argc, char **argv, bool json)
{
    struct check c = { .rows = json_array(), .live = json_array() };
    struct cg_err err = { 0 };
    bool missing = false, live = cg_take_flag(&argc, argv, "--live");
    const char *tenant = cg_take_option(&argc, argv, "--tenant", &missing);
    const char *unknown = cg_unknown_option(argc, argv);
    if (unknown || missing || (tenant && !live)) {
        json_decref(c.rows);
        json_decref(c.live);
        return cg_usage_word("tools", unknown, "--tenant NAME goes with --live");
    }
    int rc = cg_tools_load(&c.tools, argc - 1, argv + 1, &err);
    if (rc < 0) {
        fprintf(stderr, "cogent tools: %s\n", err.message);
    } else {
        for (size_t i = 0; i < cg_tool_count(c.tools.parts.plugins); i++)
            check_tool(&c, cg_tool_get(c.tools.parts.plugins, i));
        if (live)
            check_live(&c, tenant);
        report(&c, live, json);
    }
    cg_tools_finish(&c.tools);
    json_decref(c.rows);
    json_decref(c.live);
    return rc < 0 || c.failed || c.unreached ? CG_EXIT_FAILED : CG_EXIT_OK;
}
