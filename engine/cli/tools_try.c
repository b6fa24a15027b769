/* SPDX-License-Identifier: Apache-2.0
 * cogent tools try: one call of one tool, from the configuration's files, without a server and without a model. Shows what
 * is sent, what comes back, and what is made of it; credentials are "***". */
#include "tools.h"

#include "command.h"
#include "out.h"

#include "engine/base/clock.h"
#include "engine/base/id.h"
#include "engine/svc/rbac.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 110 }; /* what is shorter stands on one */

struct
try {
    struct cg_tools tools;
    struct cg_tools_asker asker;
    const struct cg_tool *tool;
    json_t *args, *told; /* told: what was sent and came back, in order */
    bool json, hold;     /* hold: nothing of the tool's own is sent */
    bool quiet;          /* the request was shown before */
    int err;
    json_t *result;
    char message[700];
    int64_t began, us;
};

/* Nothing of a call's own state says whose trace it is; the command line has one call at a time. */
static struct try *current;

/* --- showing --- */

static void show_json(const char *indent, const json_t *value)
{
    cg_auto_free char *one = cg_json_text(value);
    if (one && strlen(one) <= LINE) {
        printf("%s", indent);
        cg_out_text(one);
        putchar('\n');
        return;
    }
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        printf("%s", indent);
        cg_out_text(line);
        putchar('\n');
    }
    free(text);
}

static void show_body(const json_t *body)
{
    if (json_is_string(body)) {
        printf("  ");
        cg_out_text(json_string_value(body));
        putchar('\n');
    } else if (body) {
        show_json("  ", body);
    }
}

static void show_request(const json_t *request)
{
    const char *name;
    json_t *value;
    printf("%s%s ", cg_out_bold(), cg_json_str(request, "method", ""));
    cg_out_text(cg_json_str(request, "url", ""));
    printf("%s\n", cg_out_plain());
    json_object_foreach (json_object_get(request, "headers"), name, value) {
        printf("  %s: ", name);
        cg_out_text(json_string_value(value) ? json_string_value(value) : "");
        putchar('\n');
    }
    show_body(json_object_get(request, "body"));
}

static void show_told(const struct try *t, const char *what, const json_t *value)
{
    long long ms = (long long)((cg_mono_us() - t->began) / 1000);
    long long status = (long long)cg_json_int(value, "status", 0);
    if (strcmp(what, "request") == 0) {
        if (!t->quiet)
            show_request(value);
    } else if (strcmp(what, "login") == 0) {
        printf("%slogin: %lld after %lld ms%s\n", cg_out_dim(), status, ms, cg_out_plain());
    } else {
        printf("\n%s%lld%s after %lld ms\n", cg_out_bold(), status, cg_out_plain(), ms);
        show_body(json_object_get(value, "body"));
        putchar('\n');
    }
    fflush(stdout);
}

static int told(const struct cogent_call *call, const char *what, struct cogent_str json)
{
    struct try *t = current;
    json_t *value = cg_json_parse(json, NULL);
    bool request = strcmp(what, "request") == 0;
    (void)call;
    if (!t->json)
        show_told(t, what, value);
    json_t *row = t->quiet && request ? NULL : json_pack("{s:s, s:O*}", "what", what, "is", value);
    if (row)
        json_array_append_new(t->told, row);
    json_decref(value);
    return request && t->hold;
}

static const struct cogent_trace_api trace = { sizeof trace, told };

/* --- arguments --- */

static json_t *schema_of(const struct cg_tool *tool, const char *name)
{
    return json_object_get(json_object_get(tool->args, "properties"), name);
}

static bool is_text(const json_t *schema)
{
    size_t i;
    json_t *value;
    const char *type = cg_json_str(schema, "type", NULL);
    const json_t *list = json_object_get(schema, "enum");
    if (type)
        return strcmp(type, "string") == 0;
    json_array_foreach (list, i, value) {
        if (!json_is_string(value))
            return false;
    }
    return json_array_size(list) > 0;
}

static int take_argument(struct try *t, const char *word, struct cg_err *err)
{
    const char *eq = strchr(word, '=');
    if (!eq || eq == word)
        return cg_err_set(err, COGENT_INVALID, "\"%s\": an argument is NAME=VALUE", word);
    cg_auto_free char *name = cg_str_dup((struct cogent_str){ word, (size_t)(eq - word) });
    const json_t *schema = schema_of(t->tool, name);
    if (!schema)
        return cg_err_set(err, COGENT_INVALID, "%s has no argument \"%s\"", t->tool->api->name, name);
    struct cg_err why = { 0 };
    bool text = is_text(schema), free_form = !json_object_get(schema, "type");
    json_t *value = text ? NULL : cg_json_parse(cogent_str(eq + 1), &why);
    if (!value && (text || free_form))
        value = cg_json_strn(cogent_str(eq + 1));
    if (!value)
        return cg_err_set(err, COGENT_INVALID, "%s: %s: write it as JSON, in quotes of the shell", name,
                          why.message);
    json_object_set_new(t->args, name, value);
    return 0;
}

static int take_arguments(struct try *t, int n, char *const *words, struct cg_err *err)
{
    struct cg_err why = { 0 };
    for (int i = 0; i < n; i++) {
        int rc = take_argument(t, words[i], err);
        if (rc < 0)
            return rc;
    }
    int rc = cg_schema_fill(t->tool->schema, t->args);
    rc = rc ? rc : cg_schema_check(t->tool->schema, t->args, &why);
    return rc ? cg_err_set(err, COGENT_INVALID, "the arguments do not fit the schema: %.250s", why.message)
              : 0;
}

/* --- the call --- */

static void on_done(void *arg, int err, struct cogent_str text)
{
    struct try *t = arg;
    t->err = err;
    t->us = cg_mono_us() - t->began;
    if (err)
        cg_str_copy(t->message, sizeof t->message, text);
    else
        t->result = cg_json_parse(text, NULL);
    cg_loop_stop(t->tools.loop);
}

static void run(struct try *t, const char *effect)
{
    cg_auto_buf args = { 0 };
    cg_json_canonical(&args, t->args);
    t->tools.host.trace = &trace;
    current = t;
    t->began = cg_mono_us();
    t->err = COGENT_NO_MEMORY;
    struct cogent_op op = cg_invoke_tool(&t->tools.invoke, (struct cogent_op){ 0, 0 }, t->tool,
                                         cg_buf_view(&args), &t->asker.asker, effect, on_done, t);
    if (!cogent_op_none(op))
        cg_loop_run(t->tools.loop);
}

static bool prompt(void)
{
    char line[64];
    printf("\n  Really send this? [y/N] ");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* Shows what would be sent, and asks. 1: send it; 0: do not; negative: it cannot be. */
static int confirm(struct try *t, const char *effect)
{
    void *self;
    if (!cg_tool_set(t->tools.parts.plugins, t->tool, &self)) {
        printf("  %s is a tool in C: what it sends is not known before\n", t->tool->api->name);
        return prompt();
    }
    t->hold = true;
    run(t, effect);
    t->hold = false;
    if (t->err != COGENT_CANCELLED)
        return t->err < 0 ? t->err : 0;
    t->err = 0;
    t->message[0] = '\0';
    t->quiet = true;
    return prompt();
}

static int call(struct try *t, bool yes)
{
    char effect[CG_ID_SIZE] = "";
    bool writes = t->tool->api->effect != COGENT_READ;
    if (writes)
        cg_id_make("ef_", effect);
    int sure = !writes || yes ? 1 : confirm(t, effect);
    if (sure == 0) {
        printf("  nothing was sent\n");
        return COGENT_CANCELLED;
    }
    if (sure > 0)
        run(t, effect);
    return t->err;
}

static void report(const struct try *t)
{
    if (t->json) {
        cg_auto_json all =
            json_pack("{s:s, s:s, s:O, s:O, s:I}", "tool", t->tool->api->name, "tenant", t->asker.tenant,
                      "args", t->args, "wire", t->told, "ms", (json_int_t)(t->us / 1000));
        if (t->err)
            json_object_set_new(
                all, "error",
                json_pack("{s:s, s:s}", "class", cogent_err_name(t->err), "message", t->message));
        else
            json_object_set(all, "result", t->result ? t->result : json_null());
        cg_out_json(all);
        return;
    }
    if (t->err) {
        printf("%s%s%s: ", cg_out_bold(), cogent_err_name(t->err), cg_out_plain());
        cg_out_text(t->message);
        putchar('\n');
    } else {
        printf("%sresult%s\n", cg_out_bold(), cg_out_plain());
        show_json("  ", t->result);
    }
    printf("%sin %lld ms, as %s%s\n", cg_out_dim(), (long long)(t->us / 1000),
           t->tool->api->as ? t->tool->api->as : "the engine", cg_out_plain());
}

/* --- the command --- */

struct wanted {
    const char *tenant, *user;
    json_t *permissions;
    bool yes;
};

static int prepare(struct try *t, const struct wanted *w, int n, char *const *words, struct cg_err *err)
{
    int rc = cg_tools_load(&t->tools, 0, NULL, err);
    if (rc < 0)
        return rc;
    t->tool = cg_tool_find(t->tools.parts.plugins, cogent_str(words[0]));
    if (!t->tool)
        return cg_err_set(err, COGENT_NOT_FOUND,
                          "the configuration has no tool \"%.64s\"; `cogent tools check` lists them",
                          words[0]);
    const char *needs = t->tool->api->permission;
    if (json_array_size(w->permissions) == 0)
        json_array_append_new(w->permissions, json_string(needs));
    if (!cg_rbac_allows(w->permissions, needs))
        return cg_err_set(err, COGENT_DENIED, "%s needs the permission %s, which was not given", words[0],
                          needs);
    rc = take_arguments(t, n - 1, words + 1, err);
    return rc ? rc : cg_tools_asker_init(&t->asker, &t->tools, w->tenant, w->user, w->permissions, err);
}

static int try_tool(struct try *t, const struct wanted *w, int n, char *const *words)
{
    struct cg_err err = { 0 };
    int rc = prepare(t, w, n, words, &err);
    bool asks = rc == 0 && t->tool->api->effect != COGENT_READ && !w->yes;
    if (asks && (t->json || !isatty(STDIN_FILENO)))
        rc = cg_err_set(&err, COGENT_INVALID, "%s changes something: say --yes to send it", words[0]);
    if (rc < 0) {
        fprintf(stderr, "cogent tools: %s\n", err.message);
        return CG_EXIT_FAILED;
    }
    rc = call(t, w->yes);
    if (rc != COGENT_CANCELLED)
        report(t);
    return rc < 0 ? CG_EXIT_FAILED : CG_EXIT_OK;
}

int cg_tools_try(int argc, char **argv, bool json)
{
    bool missing = false;
    const char *permission;
    struct try t = { .json = json, .args = json_object(), .told = json_array() };
    struct wanted w = { .permissions = json_array(), .yes = cg_take_flag(&argc, argv, "--yes") };
    w.user = cg_take_option(&argc, argv, "--as", &missing);
    w.user = w.user ? w.user : "cogent-try";
    w.tenant = cg_take_option(&argc, argv, "--tenant", &missing);
    while ((permission = cg_take_option(&argc, argv, "--permission", &missing)))
        json_array_append_new(w.permissions, json_string(permission));
    const char *unknown = cg_unknown_option(argc, argv);
    int rc = unknown || missing || argc < 2
                 ? cg_usage_word("tools", unknown, missing ? "an option needs a value" : "try which tool?")
                 : try_tool(&t, &w, argc - 1, argv + 1);
    cg_tools_asker_finish(&t.asker);
    cg_tools_finish(&t.tools);
    json_decref(w.permissions);
    json_decref(t.result);
    json_decref(t.args);
    json_decref(t.told);
    return rc;
}
