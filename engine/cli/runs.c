/* SPDX-License-Identifier: Apache-2.0
 * cogent runs: one's own questions, their journals, and stopping one. */
#include "client.h"
#include "command.h"
#include "out.h"

#include <string.h>

enum { BODY_SHOWN = 200 };

static void show_list(const json_t *runs)
{
    static const char *const titles[] = { "RUN", "STATUS", "CREATED", "SESSION" };
    struct cg_table table;
    size_t i;
    json_t *run;
    cg_table_begin(&table, 4, titles);
    json_array_foreach (runs, i, run) {
        const char *const cells[] = { cg_json_str(run, "run", ""), cg_json_str(run, "status", ""),
                                      cg_json_str(run, "created", ""), cg_json_str(run, "session", "") };
        cg_table_row(&table, cells);
    }
    cg_table_end(&table);
}

static void show_run(const json_t *run)
{
    size_t i;
    json_t *row;
    printf("%s  %s\n", cg_json_str(run, "run", ""), cg_json_str(run, "status", ""));
    json_array_foreach (json_object_get(run, "rows"), i, row) {
        cg_auto_free char *body = cg_json_text(json_object_get(row, "body"));
        size_t n = body ? strlen(body) : 0;
        printf("%3lld  %s  %-9s ", (long long)cg_json_int(row, "row", 0), cg_json_str(row, "at", ""),
               cg_json_str(row, "kind", ""));
        if (n > BODY_SHOWN) {
            n = BODY_SHOWN;
            while (n && ((unsigned char)body[n] & 0xc0) == 0x80)
                n--;
            body[n] = '\0';
        }
        cg_out_text(body ? body : "");
        printf("%s\n", n >= BODY_SHOWN - 3 ? "..." : "");
    }
}

static void show_event(void *arg, struct cogent_str name, const json_t *data)
{
    (void)arg;
    cg_auto_json event = json_pack("{s:o, s:O}", "event", cg_json_strn(name), "data", (json_t *)data);
    cg_out_json(event);
}

static int one(struct cg_client *client, const char *id, bool events, bool json)
{
    json_t *answer = NULL;
    cg_auto_free char *path = cg_client_path("/v1/runs/", id, NULL);
    if (events) {
        cg_auto_buf replay = { 0 };
        cg_buf_printf(&replay, "%s/events", path ? path : "");
        int rc = cg_client_stream(client, "GET", replay.ptr ? replay.ptr : "/", NULL, show_event, NULL);
        if (client->broke)
            fprintf(
                stderr,
                "cogent runs: the stream broke off: the worker that gave it was lost, or the connection to "
                "it. The same command follows the run again.\n");
        return rc;
    }
    int rc = cg_client_call(client, "GET", path ? path : "/", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        show_run(json_object_get(answer, "data"));
    json_decref(answer);
    return rc;
}

static int list(struct cg_client *client, bool json)
{
    json_t *answer = NULL;
    int rc = cg_client_call(client, "GET", "/v1/runs?limit=20", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        show_list(json_object_get(answer, "data"));
    json_decref(answer);
    return rc;
}

static int cancel(struct cg_client *client, const char *id, bool json)
{
    json_t *answer = NULL;
    cg_auto_buf path = { 0 };
    cg_auto_free char *run = cg_client_path("/v1/runs/", id, NULL);
    cg_buf_printf(&path, "%s/cancel", run ? run : "");
    int rc = cg_client_call(client, "POST", path.ptr ? path.ptr : "/", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        printf("%s is being cancelled\n", id);
    json_decref(answer);
    return rc;
}

int cg_cli_runs(int argc, char **argv)
{
    struct cg_client client;
    bool json = cg_take_flag(&argc, argv, "--json"), events = cg_take_flag(&argc, argv, "--events");
    const char *unknown = cg_unknown_option(argc, argv);
    bool cancels = argc > 1 && strcmp(argv[1], "cancel") == 0;
    if (unknown || argc > 2 + cancels || (cancels && argc != 3) || (events && (argc != 2 || cancels)))
        return cg_usage_word("runs", unknown, cancels ? "cancel which run?" : "one run's id, or none");
    int rc = cg_client_open(&client, "runs");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = cancels     ? cancel(&client, argv[2], json)
         : argc == 2 ? one(&client, argv[1], events, json)
                     : list(&client, json);
    cg_client_close(&client);
    return rc;
}
