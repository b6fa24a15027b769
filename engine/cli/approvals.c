/* SPDX-License-Identifier: Apache-2.0
 * cogent approvals: what waits, and the decision. */
#include "client.h"
#include "command.h"
#include "out.h"

#include <string.h>

static void show_list(const json_t *approvals)
{
    static const char *const titles[] = { "APPROVAL", "TITLE", "REASON", "EXPIRES" };
    struct cg_table table;
    size_t i;
    json_t *a;
    if (json_array_size(approvals) == 0) {
        printf("nothing waits for you\n");
        return;
    }
    cg_table_begin(&table, 4, titles);
    json_array_foreach (approvals, i, a) {
        const char *const cells[] = { cg_json_str(a, "id", ""), cg_json_str(a, "title", ""),
                                      cg_json_str(a, "reason", ""), cg_json_str(a, "expires", "") };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
}

static int list(struct cg_client *client, bool json)
{
    json_t *answer = NULL;
    int rc = cg_client_call(client, "GET", "/v1/approvals?state=waiting", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        show_list(json_object_get(answer, "data"));
    json_decref(answer);
    return rc;
}

static int decide(struct cg_client *client, const char *id, json_t *body, bool json)
{
    json_t *answer = NULL;
    const char *decision = cg_json_str(body, "decision", "");
    cg_auto_free char *path = cg_client_path("/v1/approvals/", id, NULL);
    int rc = cg_client_call(client, "POST", path ? path : "/", body, &answer);
    const json_t *data = json_object_get(answer, "data");
    if (rc == CG_EXIT_OK && json) {
        cg_out_json(answer);
    } else if (rc == CG_EXIT_OK) {
        cg_out_text(cg_json_str(data, "title", id));
        printf(": %s\n", cg_json_str(data, "state", decision));
        printf("what becomes of it: cogent runs %s\n", cg_json_str(data, "run", ""));
    }
    json_decref(answer);
    return rc;
}

int cg_cli_approvals(int argc, char **argv)
{
    struct cg_client client;
    struct cg_err err;
    bool json = cg_take_flag(&argc, argv, "--json"), missing = false;
    const char *note = cg_take_option(&argc, argv, "--note", &missing);
    const char *arguments = missing ? NULL : cg_take_option(&argc, argv, "--arguments", &missing);
    const char *unknown = cg_unknown_option(argc, argv), *what = argc > 1 ? argv[1] : "list";
    bool decides = strcmp(what, "approve") == 0 || strcmp(what, "deny") == 0;
    if (unknown)
        return cg_usage_word("approvals", unknown, "");
    if (decides ? argc != 3 : argc > 2 || strcmp(what, "list") != 0)
        return cg_usage("approvals", decides ? "say which approval: `cogent approvals` lists their ids"
                                             : "list, approve or deny?");
    if (missing)
        return cg_usage("approvals", "--note and --arguments want a text");
    cg_auto_json args = arguments ? cg_json_parse(cogent_str(arguments), &err) : NULL;
    if (arguments && !json_is_object(args))
        return cg_usage("approvals", "--arguments must be a JSON object: %s",
                        args ? "it is none" : err.message);
    cg_auto_json body = json_pack("{s:s, s:O*, s:s*}", "decision", what, "arguments", args, "note", note);
    int rc = cg_client_open(&client, "approvals");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = decides ? decide(&client, argv[2], body, json) : list(&client, json);
    cg_client_close(&client);
    return rc;
}
