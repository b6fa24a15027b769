/* SPDX-License-Identifier: Apache-2.0
 * cogent effects: writes whose answer was lost, and a person's word on one. Nothing here sends anything again. */
#include "client.h"
#include "command.h"
#include "out.h"

#include <string.h>

static void show_list(const json_t *effects, const char *state)
{
    static const char *const titles[] = { "EFFECT", "TOOL", "USER", "RUN", "SINCE", "LOOKED" };
    struct cg_table table;
    size_t i;
    json_t *e;
    if (json_array_size(effects) == 0) {
        printf(strcmp(state, "unknown") == 0 ? "nothing is in doubt\n" : "there is none\n");
        return;
    }
    cg_table_begin(&table, 6, titles);
    json_array_foreach (effects, i, e) {
        char looks[24];
        snprintf(looks, sizeof looks, "%lld times", (long long)cg_json_int(e, "looks", 0));
        const char *const cells[] = { cg_json_str(e, "effect", ""),  cg_json_str(e, "tool", ""),
                                      cg_json_str(e, "user", ""),    cg_json_str(e, "run", ""),
                                      cg_json_str(e, "created", ""), looks };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
}

static int list(struct cg_client *client, const char *state, bool json)
{
    json_t *answer = NULL;
    cg_auto_buf path = { 0 };
    cg_buf_text(&path, "/v1/effects?state=");
    cg_buf_percent(&path, cogent_str(state));
    int rc = cg_client_call(client, "GET", path.ptr ? path.ptr : "/", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        show_list(json_object_get(answer, "data"), state);
    json_decref(answer);
    return rc;
}

static int resolve(struct cg_client *client, const char *id, const char *outcome, const char *note, bool json)
{
    json_t *answer = NULL;
    cg_auto_free char *path = cg_client_path("/v1/effects/", id, NULL);
    cg_auto_json body = json_pack("{s:s, s:s*}", "outcome", outcome, "note", note);
    int rc = cg_client_call(client, "POST", path ? path : "/", body, &answer);
    const json_t *data = json_object_get(answer, "data");
    if (rc == CG_EXIT_OK && json) {
        cg_out_json(answer);
    } else if (rc == CG_EXIT_OK) {
        cg_out_text(cg_json_str(data, "tool", id));
        printf(": %s, by your word\n", cg_json_str(data, "state", outcome));
    }
    json_decref(answer);
    return rc;
}

int cg_cli_effects(int argc, char **argv)
{
    struct cg_client client;
    bool missing = false;
    bool json = cg_take_flag(&argc, argv, "--json"), done = cg_take_flag(&argc, argv, "--done"),
         failed = cg_take_flag(&argc, argv, "--failed");
    const char *note = cg_take_option(&argc, argv, "--note", &missing);
    const char *state = missing ? NULL : cg_take_option(&argc, argv, "--state", &missing);
    const char *unknown = cg_unknown_option(argc, argv), *what = argc > 1 ? argv[1] : "list";
    bool resolves = strcmp(what, "resolve") == 0;
    if (unknown)
        return cg_usage_word("effects", unknown, "");
    if (missing)
        return cg_usage("effects", "--note and --state want a text");
    if (resolves ? argc != 3 || done == failed : argc > 2 || strcmp(what, "list") != 0 || done || failed)
        return cg_usage("effects", resolves
                                       ? "say which effect, and --done or --failed: look in the ERP first"
                                       : "list or resolve?");
    int rc = cg_client_open(&client, "effects");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = resolves ? resolve(&client, argv[2], done ? "done" : "failed", note, json)
                  : list(&client, state ? state : "unknown", json);
    cg_client_close(&client);
    return rc;
}
