/* SPDX-License-Identifier: Apache-2.0
 * cogent tools: what the server offers this caller; the rest needs no server and has files of its own. */
#include "tools.h"

#include "client.h"
#include "command.h"
#include "out.h"

#include <string.h>

static void show(const json_t *all)
{
    static const char *const titles[] = { "TOOL", "AS", "PERMISSION", "EFFECT", "ONCE", "SERVICE", "ABOUT" };
    struct cg_table table;
    size_t i;
    json_t *tool;
    cg_auto_json tools = cg_out_sorted(all, "name");
    cg_table_begin(&table, 7, titles);
    json_array_foreach (tools, i, tool) {
        const char *about = cg_json_str(tool, "about", "");
        cg_auto_free char *first = cg_str_dup((struct cogent_str){ about, strcspn(about, ".\n") });
        const char *const cells[] = { cg_json_str(tool, "name", ""),
                                      cg_json_str(tool, "as", ""),
                                      cg_json_str(tool, "permission", ""),
                                      cg_json_str(tool, "effect", ""),
                                      cg_json_str(tool, "once", ""),
                                      cg_json_str(tool, "service", ""),
                                      first };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
}

static int list(bool json)
{
    struct cg_client client;
    json_t *answer = NULL;
    int rc = cg_client_open(&client, "tools");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = cg_client_call(&client, "GET", "/v1/tools", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK && json_array_size(json_object_get(answer, "data")) == 0)
        printf("the token gives no right to any tool\n");
    else if (rc == CG_EXIT_OK)
        show(json_object_get(answer, "data"));
    json_decref(answer);
    cg_client_close(&client);
    return rc;
}

int cg_cli_tools(int argc, char **argv)
{
    bool json = cg_take_flag(&argc, argv, "--json");
    const char *what = argc > 1 ? argv[1] : "list";
    if (strcmp(what, "check") == 0)
        return cg_tools_check(argc - 1, argv + 1, json);
    if (strcmp(what, "try") == 0)
        return cg_tools_try(argc - 1, argv + 1, json);
    if (strcmp(what, "import") == 0)
        return cg_tools_import(argc - 1, argv + 1);
    const char *unknown = cg_unknown_option(argc, argv);
    if (unknown || argc > 2 || strcmp(what, "list") != 0)
        return cg_usage_word("tools", unknown, "list, check, try or import?");
    return list(json);
}
