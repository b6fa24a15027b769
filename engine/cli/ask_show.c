/* SPDX-License-Identifier: Apache-2.0
 * A run as people read it: a line a step, the text as it comes, what it rests on. */
#include "ask.h"
#include "out.h"

#include "engine/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { ARGS_SHOWN = 160 };

/* Text is streamed; a line of another kind begins on a line of its own. */
static void end_text(struct cg_ask *ask)
{
    if (ask->in_text)
        putchar('\n');
    ask->in_text = false;
}

/* In the order of the names: a table of Lua has none. */
static void short_json(const json_t *value)
{
    cg_auto_buf all = { 0 };
    cg_json_canonical(&all, value);
    char *text = all.ptr;
    if (!text)
        return;
    size_t n = all.len;
    bool cut = n > ARGS_SHOWN;
    if (cut) {
        n = ARGS_SHOWN;
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        text[n] = '\0';
    }
    cg_out_text(text);
    fputs(cut ? "..." : "", stdout);
}

static void show_start(struct cg_ask *ask, const json_t *data)
{
    const char *session = cg_json_str(data, "session", NULL);
    free(ask->run);
    ask->run = cg_str_dup(cogent_str(cg_json_str(data, "run", "")));
    if (session) {
        free(ask->session);
        ask->session = cg_str_dup(cogent_str(session));
    }
}

static void print_records(int64_t n)
{
    printf("%lld record%s in ", (long long)n, n == 1 ? "" : "s");
}

static void show_step(struct cg_ask *ask, const json_t *data)
{
    const char *step = cg_json_str(data, "step", "");
    if (strcmp(cg_json_str(data, "state", ""), "done") != 0 || strcmp(step, "tool") == 0 ||
        strcmp(step, "answer") == 0 || ask->in_text) /* the turn that has just answered ends after its text */
        return;
    printf("%s  %-9s", cg_out_dim(), step);
    if (json_object_get(data, "records"))
        print_records(cg_json_int(data, "records", 0));
    if (json_object_get(data, "ms"))
        printf("%lld ms", (long long)cg_json_int(data, "ms", 0));
    printf("%s\n", cg_out_plain());
}

static void show_tool_call(struct cg_ask *ask, const json_t *data)
{
    end_text(ask);
    printf("%s  %-9s", cg_out_dim(), "tool");
    cg_out_text(cg_json_str(data, "tool", "?"));
    putchar('(');
    short_json(json_object_get(data, "arguments"));
    printf(")%s\n", cg_out_plain());
}

static void show_tool_result(struct cg_ask *ask, const json_t *data)
{
    const json_t *error = json_object_get(data, "error");
    end_text(ask);
    printf("%s  %-9s-> ", cg_out_dim(), "");
    cg_out_text(cg_json_str(data, "status", "?"));
    if (json_object_get(data, "ms"))
        printf(" in %lld ms", (long long)cg_json_int(data, "ms", 0));
    if (error) {
        printf(": ");
        cg_out_text(json_is_string(error) ? json_string_value(error) : cg_json_str(error, "message", ""));
    }
    printf("%s\n", cg_out_plain());
}

static void show_citation(struct cg_ask *ask, const json_t *data)
{
    json_array_append(ask->citations, (json_t *)data);
}

static void show_message(struct cg_ask *ask, const json_t *data)
{
    if (!ask->in_text)
        putchar('\n');
    ask->in_text = ask->told = true;
    cg_out_text(cg_json_str(data, "content", ""));
    fflush(stdout);
}

static void show_restart(struct cg_ask *ask, const json_t *data)
{
    end_text(ask);
    ask->told = false;
    printf("%s  %-9s%s; the text so far is void%s\n", cg_out_dim(), "restart",
           cg_json_str(data, "reason", ""), cg_out_plain());
}

static void show_usage(struct cg_ask *ask, const json_t *data)
{
    free(ask->answered);
    ask->answered = cg_str_dup(cogent_str(cg_json_str(data, "model", "")));
}

static void show_approval(struct cg_ask *ask, const json_t *data)
{
    json_array_append(ask->approvals, (json_t *)data);
}

static void show_done(struct cg_ask *ask, const json_t *data)
{
    free(ask->status);
    free(ask->content);
    ask->ended = true;
    ask->status = cg_str_dup(cogent_str(cg_json_str(data, "status", "")));
    ask->content = cg_str_dup(cogent_str(cg_json_str(data, "content", "")));
    /* An answer that was not streamed: a refusal, a limit, a decision. */
    if (!ask->json && !ask->told && ask->content && *ask->content) {
        putchar('\n');
        cg_out_text(ask->content);
        ask->in_text = true;
    }
    if (!ask->json)
        end_text(ask);
}

static void show_error(struct cg_ask *ask, const json_t *data)
{
    ask->failed = ask->ended = true;
    if (ask->json)
        return;
    end_text(ask);
    fflush(stdout);
    fprintf(stderr, "cogent ask: %s\n", cg_json_str(data, "detail", "the question failed"));
}

static const struct {
    const char *name;
    void (*show)(struct cg_ask *ask, const json_t *data);
    bool always; /* with --json too: it is kept, not printed */
} shows[] = {
    { "start", show_start, true },          { "step", show_step, false },
    { "tool_call", show_tool_call, false }, { "tool_result", show_tool_result, false },
    { "citation", show_citation, true },    { "message", show_message, false },
    { "restart", show_restart, false },     { "usage", show_usage, true },
    { "approval", show_approval, true },    { "done", show_done, true },
    { "error", show_error, true },
};

void cg_ask_show(void *arg, struct cogent_str name, const json_t *data)
{
    struct cg_ask *ask = arg;
    if (ask->json) {
        cg_auto_json event = json_pack("{s:o, s:O}", "event", cg_json_strn(name), "data", (json_t *)data);
        cg_out_json(event);
        fflush(stdout);
    }
    for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++) {
        if (cg_str_eq(name, shows[i].name) && (shows[i].always || !ask->json))
            shows[i].show(ask, data);
    }
}

void cg_ask_show_end(struct cg_ask *ask)
{
    size_t i;
    json_t *c;
    if (ask->json)
        return;
    if (json_array_size(ask->citations))
        putchar('\n');
    json_array_foreach (ask->citations, i, c) {
        const char *url = cg_json_str(c, "url", NULL);
        printf("  [%lld] ", (long long)cg_json_int(c, "n", 0));
        cg_out_text(cg_json_str(c, "title", ""));
        /* What has no page of its own is told by what it says. */
        printf("  %s", cg_out_dim());
        cg_out_text(url ? url : cg_json_str(c, "quote", ""));
        printf("%s\n", cg_out_plain());
    }
    printf("%s\n  %s in %.2f s", cg_out_dim(), ask->status ? ask->status : "failed",
           (double)(cg_mono_us() - ask->began_us) / 1e6);
    if (ask->answered && *ask->answered) {
        printf(", by ");
        cg_out_text(ask->answered);
    }
    printf("%s\n", cg_out_plain());
}
