/* SPDX-License-Identifier: Apache-2.0
 * cogent search: records by words or numbers, as the asking user may see them. */
#include "client.h"
#include "command.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>

static void show_found(size_t n, const json_t *found)
{
    /* The first line of the text repeats the title. */
    const char *text = cg_json_str(found, "text", ""), *more = strchr(text, '\n');
    printf("%2zu. %s", n, cg_out_bold());
    cg_out_text(cg_json_str(found, "title", ""));
    printf("%s  %s", cg_out_plain(), cg_out_dim());
    cg_out_text(cg_json_str(found, "type", ""));
    putchar('/');
    cg_out_text(cg_json_str(found, "id", ""));
    printf("%s\n", cg_out_plain());
    while (more && *++more) {
        size_t len = strcspn(more, "\n");
        cg_auto_free char *line = cg_str_dup((struct cogent_str){ more, len });
        printf("    ");
        cg_out_text(line ? line : "");
        putchar('\n');
        more = more[len] ? more + len : NULL;
    }
}

int cg_cli_search(int argc, char **argv)
{
    bool missing = false, json = cg_take_flag(&argc, argv, "--json");
    const char *type, *limit = cg_take_option(&argc, argv, "--limit", &missing);
    cg_auto_json types = json_array();
    while ((type = cg_take_option(&argc, argv, "--type", &missing)))
        json_array_append_new(types, json_string(type));
    const char *unknown = cg_unknown_option(argc, argv);
    long n = limit ? strtol(limit, NULL, 10) : 8;
    if (missing || unknown || n < 1)
        return cg_usage_word("search", unknown, "--type and --limit need a value");
    if (argc != 2)
        return cg_usage("search", "say what to look for, as one argument: \"blue lamp\"");
    cg_auto_json body = json_pack("{s:s, s:I}", "query", argv[1], "limit", (json_int_t)n);
    if (!body)
        return cg_usage("search", "the words are not valid UTF-8");
    if (json_array_size(types))
        json_object_set(body, "types", types);
    struct cg_client client;
    json_t *answer = NULL;
    int rc = cg_client_open(&client, "search");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = cg_client_call(&client, "POST", "/v1/search", body, &answer);
    if (rc == CG_EXIT_OK && json) {
        cg_out_json(answer);
    } else if (rc == CG_EXIT_OK) {
        size_t i;
        json_t *found;
        json_array_foreach (json_object_get(answer, "data"), i, found)
            show_found(i + 1, found);
        if (i == 0)
            printf("nothing was found\n");
    }
    json_decref(answer);
    cg_client_close(&client);
    return rc;
}
