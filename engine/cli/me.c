/* SPDX-License-Identifier: Apache-2.0
 * cogent me: who the token says one is. */
#include "client.h"
#include "command.h"
#include "out.h"

#include <string.h>

static void show_list(const char *label, const json_t *list)
{
    size_t i;
    json_t *entry;
    printf("  %-12s", label);
    json_array_foreach (list, i, entry) {
        fputs(i ? ", " : "", stdout);
        cg_out_text(json_string_value(entry) ? json_string_value(entry) : "");
    }
    printf("%s\n", i ? "" : "none");
}

static void show_word(const char *label, const char *word)
{
    printf("  %-12s", label);
    cg_out_text(word);
    putchar('\n');
}

static void show(const json_t *me)
{
    const json_t *limits = json_object_get(me, "limits");
    show_word("user", cg_json_str(me, "user", ""));
    show_word("tenant", cg_json_str(me, "tenant", ""));
    show_word("locale", cg_json_str(me, "locale", ""));
    show_word("time zone", cg_json_str(me, "time_zone", ""));
    show_list("roles", json_object_get(me, "roles"));
    show_list("permissions", json_object_get(me, "permissions"));
    show_list("tools", json_object_get(me, "tools"));
    printf("  %-12s%lld questions an hour, %lld turns and %lld s each\n", "limits",
           (long long)cg_json_int(limits, "calls_per_hour", 0), (long long)cg_json_int(limits, "steps", 0),
           (long long)cg_json_int(limits, "seconds", 0));
}

int cg_cli_me(int argc, char **argv)
{
    struct cg_client client;
    json_t *answer = NULL;
    bool json = cg_take_flag(&argc, argv, "--json");
    if (argc > 1)
        return cg_usage_word("me", argv[1], "");
    int rc = cg_client_open(&client, "me");
    if (rc != CG_EXIT_OK)
        return rc;
    rc = cg_client_call(&client, "GET", "/v1/me", NULL, &answer);
    if (rc == CG_EXIT_OK && json)
        cg_out_json(answer);
    else if (rc == CG_EXIT_OK)
        show(json_object_get(answer, "data"));
    json_decref(answer);
    cg_client_close(&client);
    return rc;
}
