/* SPDX-License-Identifier: Apache-2.0
 * Plans without a model: a question is held against the operator's rules, the rule that fits makes one call, and the
 * result is put into the rule's own words. The same question comes to the same plan, so the turn after the call
 * finds its rule again and nothing is kept between turns.
 */
#include "rules.h"

#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

struct rules_options {
    const char *rules;
};

static const struct cogent_option options[] = {
    { COGENT_OPT_JSON, "rules", NULL, offsetof(struct rules_options, rules),
      "The rules of every file, by its name: see docs/rules.md." },
    { 0 },
};

static void close_provider(void *arg)
{
    if (arg)
        rules_finish(arg);
    free(arg);
}

static int open_provider(const struct cogent_host *host, const void *arg, void **out, char *error,
                         size_t error_size)
{
    const struct rules_options *o = arg;
    struct rules *self = calloc(1, sizeof *self);
    (void)host;
    if (!self)
        return COGENT_NO_MEMORY;
    int err = rules_load(self, o->rules, error, error_size);
    if (err) {
        close_provider(self);
        return err;
    }
    *out = self;
    return 0;
}

/* Word by word, as a model would. */
static void say(struct cogent_chat *chat, struct cogent_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t end = i;
        while (end < text.len && text.ptr[end] != ' ' && text.ptr[end] != '\n')
            end++;
        while (end < text.len && (text.ptr[end] == ' ' || text.ptr[end] == '\n'))
            end++;
        cogent_chat_text(chat, (struct cogent_str){ text.ptr + i, end - i });
        i = end;
    }
}

static int finish(struct cogent_chat *chat, int how)
{
    struct cogent_turn_usage usage = { .size = sizeof usage };
    cogent_chat_usage(chat, &usage);
    return cogent_chat_done(chat, how);
}

static int answer(struct cogent_chat *chat, struct cp_buf *text)
{
    if (text->failed)
        return cogent_chat_fail(chat, COGENT_NO_MEMORY, 0, "rules: out of memory");
    say(chat, cp_buf_peek(text));
    return finish(chat, COGENT_FINISH_STOP);
}

static int call(struct cogent_chat *chat, const struct plan *plan)
{
    const struct cogent_str none = { NULL, 0 };
    struct cp_buf args = { 0 }, id = { 0 };
    json_t *json = plan_args(plan);
    cp_json_write(&args, json);
    json_decref(json);
    cp_buf_format(&id, "rules_%zu", chat->n_messages);
    int failed = args.failed || id.failed;
    if (!failed)
        cogent_chat_call(chat, cp_buf_peek(&id), cogent_str(plan->rule->tool), cp_buf_peek(&args), none);
    cp_buf_finish(&args);
    cp_buf_finish(&id);
    return failed ? cogent_chat_fail(chat, COGENT_NO_MEMORY, 0, "rules: out of memory")
                  : finish(chat, COGENT_FINISH_CALLS);
}

/* The user's last words; *result: the outcome of a call that came after them. */
static const struct cogent_message *last_question(const struct cogent_chat *chat,
                                                  const struct cogent_message **result)
{
    const struct cogent_message *last = NULL;
    *result = NULL;
    for (size_t i = 0; i < chat->n_messages; i++) {
        const struct cogent_message *m = &chat->messages[i];
        if (m->role == COGENT_USER) {
            last = m;
            *result = NULL;
        } else if (m->role == COGENT_TOOL && last) {
            *result = m;
        }
    }
    return last;
}

static int is_result(const struct plan *plan, const struct cogent_message *result)
{
    return result && plan->kind == PLAN_CALL && result->name.len == strlen(plan->rule->tool) &&
           memcmp(result->name.ptr, plan->rule->tool, result->name.len) == 0;
}

static int chat_start(void *arg, struct cogent_chat *chat)
{
    const struct rules *self = arg;
    const struct cogent_message *result, *now = last_question(chat, &result);
    struct plan plan;
    struct cp_buf text = { 0 };
    int err;
    conversation_plan(&plan, self, chat, now);
    if (plan.kind == PLAN_CALL && !result) {
        err = call(chat, &plan);
    } else {
        if (result && result->failed)
            answer_failed(&text, result);
        else if (is_result(&plan, result))
            answer_result(&text, chat, &plan, result);
        else if (plan.kind == PLAN_RECORDS)
            answer_records(&text, chat, &plan);
        else
            answer_plain(&text, self, chat, &plan);
        err = answer(chat, &text);
    }
    cp_buf_finish(&text);
    plan_finish(&plan);
    return err;
}

static const struct cogent_provider provider = {
    .size = sizeof provider,
    .name = "rules",
    .options = options,
    .options_size = sizeof(struct rules_options),
    .open = open_provider,
    .close = close_provider,
    .chat = chat_start,
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_provider *const providers[] = { &provider, NULL };
    static const struct cogent_plugin plugin = {
        .size = sizeof plugin,
        .abi = COGENT_ABI,
        .name = "provider_rules",
        .version = "0.1.0",
        .license = "Apache-2.0",
        .providers = providers,
    };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
