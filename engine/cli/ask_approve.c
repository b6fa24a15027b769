/* SPDX-License-Identifier: Apache-2.0
 * An approval at the terminal: what would be done, where each value comes from, and the question. */
#include "ask.h"
#include "command.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "/line_items/0/quantity" -> the value there. */
static void show_sources(const json_t *approval)
{
    const char *pointer;
    json_t *source;
    const json_t *arguments = json_object_get(approval, "arguments");
    cg_auto_buf text = { 0 };
    cg_json_canonical(&text, json_object_get(approval, "sources"));
    cg_auto_json sources = cg_json_parse(cg_buf_view(&text), NULL); /* in the order of the pointers */
    json_object_foreach (sources, pointer, source) {
        cg_auto_free char *value = cg_json_text(cg_json_at(arguments, pointer));
        printf("    ");
        cg_out_text(pointer + (*pointer == '/'));
        printf(" = ");
        cg_out_text(value ? value : "");
        printf("  %s(", cg_out_dim());
        cg_out_text(json_string_value(source) ? json_string_value(source) : "");
        printf(")%s\n", cg_out_plain());
    }
}

static void show_one_decider(const json_t *decider)
{
    const char *role = cg_json_str(decider, "role", NULL);
    if (role)
        printf("role ");
    cg_out_text(role ? role : cg_json_str(decider, "user", "?"));
}

/* Of a list everybody must say yes. */
static void show_decider(const json_t *decider)
{
    size_t i;
    const json_t *one;
    printf("    decides: ");
    if (json_is_object(decider))
        show_one_decider(decider);
    json_array_foreach (decider, i, one) {
        printf("%s", i ? " and " : "");
        show_one_decider(one);
    }
    putchar('\n');
}

static void show_approval(const json_t *approval)
{
    printf("\n  %s", cg_out_bold());
    cg_out_text(cg_json_str(approval, "title", cg_json_str(approval, "tool", "?")));
    printf("%s\n", cg_out_plain());
    show_sources(approval);
    printf("    because: ");
    cg_out_text(cg_json_str(approval, "reason", ""));
    putchar('\n');
    show_decider(json_object_get(approval, "decider"));
}

static bool prompt(void)
{
    char line[64];
    printf("  Approve? [y/N] ");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

int cg_ask_settle(struct cg_ask *ask, json_t *approval, bool *decided)
{
    const char *id = cg_json_str(approval, "id", "");
    bool approve = ask->decide == CG_ASK_YES;
    *decided = false;
    if (!ask->json)
        show_approval(approval);
    if (ask->decide == CG_ASK_PROMPT) {
        if (ask->json)
            return CG_EXIT_OK;
        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
            printf("\n  To decide: cogent approvals approve %s\n         or: cogent approvals deny %s\n", id,
                   id);
            return CG_EXIT_OK;
        }
        approve = prompt();
    } else if (!ask->json) {
        printf("  %s\n", approve ? "approved (--yes)" : "denied (--no)");
    }
    cg_auto_free char *path = cg_client_path("/v1/approvals/", id, NULL);
    cg_auto_json body = json_pack("{s:s}", "decision", approve ? "approve" : "deny");
    *decided = true;
    return cg_client_stream(&ask->client, "POST", path ? path : "/v1/approvals/", body, cg_ask_show, ask);
}
