/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct fake fake;

void fake_reset(void)
{
    memset(&fake, 0, sizeof fake);
    fake.now = 1767225600000000;
}

const struct cogent_plugin *fake_load(const char *path)
{
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    union {
        void *ptr;
        cogent_plugin_entry_fn fn;
    } entry = { lib ? dlsym(lib, "cogent_plugin_entry") : NULL };
    if (!entry.ptr)
        fprintf(stderr, "%s\n", dlerror());
    return entry.ptr ? entry.fn(COGENT_ABI, COGENT_ABI) : NULL;
}

static void copy(char *to, size_t size, struct cogent_str from)
{
    size_t n = from.len < size ? from.len : size - 1;
    if (n)
        memcpy(to, from.ptr, n);
    to[n] = '\0';
}

static void append(char *to, size_t size, struct cogent_str from)
{
    size_t at = strlen(to);
    copy(to + at, size - at, from);
}

/* --- log --- */

static void log_line(int level, const char *plugin, const char *format, ...)
{
    char line[1024];
    va_list args;
    (void)level;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    append(fake.log, sizeof fake.log, cogent_str(plugin));
    append(fake.log, sizeof fake.log, cogent_str(": "));
    append(fake.log, sizeof fake.log, cogent_str(line));
    append(fake.log, sizeof fake.log, cogent_str("\n"));
}

/* --- JSON --- */

static json_t *at(json_t *value, const char *pointer)
{
    char key[128];
    while (value && *pointer == '/') {
        size_t n = strcspn(pointer + 1, "/");
        snprintf(key, sizeof key, "%.*s", (int)n, pointer + 1);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        pointer += n + 1;
    }
    return json_is_null(value) ? NULL : value;
}

static int json_string_at(struct cogent_str json, const char *pointer, char *buf, size_t size)
{
    json_t *root = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL), *value = at(root, pointer);
    int n = !value                                                        ? COGENT_NOT_FOUND
            : !json_is_string(value) || json_string_length(value) >= size ? COGENT_INVALID
                                                                          : (int)json_string_length(value);
    if (n >= 0)
        memcpy(buf, json_string_value(value), (size_t)n + 1);
    json_decref(root);
    return n;
}

static int json_integer_at(struct cogent_str json, const char *pointer, int64_t *out)
{
    json_t *root = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL), *value = at(root, pointer);
    int err = !value ? COGENT_NOT_FOUND : json_is_integer(value) ? 0 : COGENT_INVALID;
    if (!err)
        *out = json_integer_value(value);
    json_decref(root);
    return err;
}

/* --- HTTP --- */

static struct cogent_op send_request(struct cogent_op parent, const struct cogent_http_request *request,
                                     const struct cogent_http_events *events, void *arg)
{
    struct cogent_op op = { (uint32_t)fake.n_requests, 1 }, none = { 0, 0 };
    if (fake.refuse_send || fake.n_requests == FAKE_MAX || parent.generation == 0)
        return none;
    struct fake_request *r = &fake.requests[fake.n_requests++];
    snprintf(r->method, sizeof r->method, "%s", request->method);
    snprintf(r->url, sizeof r->url, "%s", request->url);
    copy(r->body, sizeof r->body, request->body);
    for (size_t i = 0; i < request->n_headers; i++) {
        append(r->headers, sizeof r->headers, cogent_str(request->headers[i].name));
        append(r->headers, sizeof r->headers, cogent_str(": "));
        append(r->headers, sizeof r->headers, cogent_str(request->headers[i].value));
        append(r->headers, sizeof r->headers, cogent_str("\n"));
    }
    r->flags = request->flags;
    r->total_ms = request->total_ms;
    r->events = *events;
    r->arg = arg;
    r->live = 1;
    r->parent = parent;
    return op;
}

struct fake_request *fake_last(void)
{
    return fake.n_requests ? &fake.requests[fake.n_requests - 1] : NULL;
}

size_t fake_live(void)
{
    size_t n = 0;
    for (size_t i = 0; i < fake.n_requests; i++)
        n += (size_t)fake.requests[i].live;
    for (size_t i = 0; i < fake.n_timers; i++)
        n += (size_t)fake.timers[i].live;
    return n;
}

/* The data lies in memory of its exact size, so that a sanitizer sees who reads past it. */
void fake_event(const char *data)
{
    struct fake_request *r = fake_last();
    size_t n = strlen(data);
    char *exact = malloc(n ? n : 1);
    if (r && r->live && exact) {
        memcpy(exact, data, n);
        r->events.event(r->arg, (struct cogent_str){ "", 0 }, (struct cogent_str){ exact, n });
    }
    free(exact);
}

static size_t chosen; /* 1 for the first; 0: the newest */

void fake_choose(size_t i)
{
    chosen = i + 1;
}

void fake_finish(const struct cogent_http_result *result)
{
    struct fake_request *r = chosen ? &fake.requests[chosen - 1] : fake_last();
    chosen = 0;
    if (!r || !r->live)
        return;
    r->live = 0;
    r->events.done(r->arg, result);
}

static char header_name[64], header_value[512];

static const char *header(const struct cogent_http_result *result, const char *name)
{
    (void)result;
    return strcasecmp(name, header_name) == 0 ? header_value : NULL;
}

void fake_answer_header(int status, const char *body, const char *name, const char *value)
{
    const struct cogent_http_result result = { .size = sizeof result,
                                               .status = status,
                                               .sent = 1,
                                               .body = cogent_str(body),
                                               .detail = "",
                                               .header = header };
    snprintf(header_name, sizeof header_name, "%s", name);
    snprintf(header_value, sizeof header_value, "%s", value);
    fake_finish(&result);
}

void fake_answer(int status, const char *body)
{
    fake_answer_header(status, body, "", "");
}

void fake_broken(int err, int sent)
{
    const struct cogent_http_result result = {
        .size = sizeof result, .err = err, .sent = sent, .detail = "broken"
    };
    fake_finish(&result);
}

/* --- timers --- */

static struct cogent_op after(struct cogent_op parent, const char *label, uint32_t ms, void (*fn)(void *arg),
                              void *arg)
{
    struct cogent_op op = { (uint32_t)fake.n_timers, 2 }, none = { 0, 0 };
    (void)label;
    if (fake.n_timers == FAKE_MAX || parent.generation == 0)
        return none;
    fake.timers[fake.n_timers++] = (struct fake_timer){ ms, 1, parent, fn, arg };
    return op;
}

static int64_t now(void)
{
    return fake.now;
}

uint32_t fake_tick(void)
{
    struct fake_timer *t = fake.n_timers ? &fake.timers[fake.n_timers - 1] : NULL;
    if (!t || !t->live)
        return 0;
    t->live = 0;
    fake.now += (int64_t)t->ms * 1000;
    t->fn(t->arg);
    return t->ms;
}

/* --- functions --- */

static int script_call(const char *reference, struct cogent_str args_json, struct cogent_str *out)
{
    json_t *args = json_loadb(args_json.ptr, args_json.len, JSON_DECODE_ANY, NULL);
    json_t *first = json_is_array(args) ? json_array_get(args, 0) : args;
    const char *reply = fake.function ? fake.function(reference, first) : NULL;
    json_decref(args);
    *out = cogent_str(reply);
    return reply ? 0 : COGENT_INTERNAL;
}

/* --- completions --- */

static int same(struct cogent_op a, struct cogent_op b)
{
    return a.slot == b.slot && a.generation == b.generation;
}

static void end_below(struct cogent_op op)
{
    for (size_t i = 0; i < fake.n_requests; i++)
        if (same(fake.requests[i].parent, op))
            fake.requests[i].live = 0;
    for (size_t i = 0; i < fake.n_timers; i++)
        if (same(fake.timers[i].parent, op))
            fake.timers[i].live = 0;
}

static void over(struct cogent_call *call, struct cogent_chat *chat)
{
    if (call)
        end_below(call->op);
    if (chat)
        end_below(chat->op);
    if (call && call == fake.call)
        fake.call = NULL;
    if (chat)
        fake.chat = NULL;
    if (call && call->release)
        call->release(call->data);
    if (chat && chat->release)
        chat->release(chat->data);
}

void fake_cancel(void)
{
    over(fake.call, fake.chat);
}

void fake_cancel_call(struct cogent_call *call)
{
    over(call, NULL);
}

static int complete(struct cogent_call *call, struct cogent_chat *chat, int err, const char *message)
{
    fake.completed++;
    fake.err = err;
    fake.finished = call;
    snprintf(fake.message, sizeof fake.message, "%s", message);
    over(call, chat);
    return err;
}

static int call_done(struct cogent_call *call, struct cogent_str result)
{
    copy(fake.result, sizeof fake.result, result);
    return complete(call, NULL, 0, "");
}

static int call_fail(struct cogent_call *call, int err, const char *message)
{
    return complete(call, NULL, err, message);
}

static void chat_text(struct cogent_chat *chat, struct cogent_str text)
{
    fake.n_texts++;
    append(fake.text, sizeof fake.text, text);
    if (fake.leave_after && fake.n_texts == (size_t)fake.leave_after)
        over(NULL, chat);
}

static void chat_call(struct cogent_chat *chat, struct cogent_str id, struct cogent_str name,
                      struct cogent_str args, struct cogent_str verbatim)
{
    const struct cogent_str parts[] = { id, cogent_str("|"), name, cogent_str("|"), args, cogent_str("\n") };
    (void)chat;
    (void)verbatim;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        append(fake.calls, sizeof fake.calls, parts[i]);
    fake.n_calls++;
}

static void chat_usage(struct cogent_chat *chat, const struct cogent_turn_usage *usage)
{
    (void)chat;
    fake.n_usage++;
    fake.usage = *usage;
}

static int chat_done(struct cogent_chat *chat, int finish)
{
    fake.finish = finish;
    return complete(NULL, chat, 0, "");
}

static int chat_fail(struct cogent_chat *chat, int err, uint32_t retry_after_ms, const char *message)
{
    fake.retry_after_ms = retry_after_ms;
    return complete(NULL, chat, err, message);
}

static int embed_vector(struct cogent_embed *embed, size_t index, const float *values, size_t n)
{
    char text[64];
    (void)embed;
    fake.n_vectors++;
    snprintf(text, sizeof text, "%zu:", index);
    append(fake.vectors, sizeof fake.vectors, cogent_str(text));
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%g,", (double)values[i]);
        append(fake.vectors, sizeof fake.vectors, cogent_str(text));
    }
    append(fake.vectors, sizeof fake.vectors, cogent_str("\n"));
    return 0;
}

void fake_cancel_embed(void)
{
    struct cogent_embed *embed = fake.embed;
    fake.embed = NULL;
    for (size_t i = 0; i < fake.n_requests; i++)
        fake.requests[i].live = fake.requests[i].live && fake.requests[i].parent.slot != embed->op.slot;
    if (embed->release)
        embed->release(embed->data);
}

static int embed_over(int err, const char *message)
{
    fake.completed++;
    fake.err = err;
    snprintf(fake.message, sizeof fake.message, "%s", message);
    fake_cancel_embed();
    return err;
}

static int embed_done(struct cogent_embed *embed, int64_t tokens)
{
    (void)embed;
    fake.tokens = tokens;
    return embed_over(0, "");
}

static int embed_fail(struct cogent_embed *embed, int err, uint32_t retry_after_ms, const char *message)
{
    (void)embed;
    fake.retry_after_ms = retry_after_ms;
    return embed_over(err, message);
}

static const struct cogent_log_api log_api = { sizeof log_api, log_line };
static const struct cogent_json_api json_api = { .size = sizeof json_api,
                                                 .string = json_string_at,
                                                 .integer = json_integer_at };
static const struct cogent_http_api http_api = { sizeof http_api, send_request };
static const struct cogent_timer_api timer_api = { sizeof timer_api, after, now };
static const struct cogent_script_api script_api = { sizeof script_api, script_call };
static const struct cogent_complete_api complete_api = {
    .size = sizeof complete_api,
    .call_done = call_done,
    .call_fail = call_fail,
    .chat_text = chat_text,
    .chat_call = chat_call,
    .chat_usage = chat_usage,
    .chat_done = chat_done,
    .chat_fail = chat_fail,
    .embed_vector = embed_vector,
    .embed_done = embed_done,
    .embed_fail = embed_fail,
};

static int told(const struct cogent_call *call, const char *what, struct cogent_str json)
{
    (void)call;
    append(fake.told, sizeof fake.told, cogent_str(what));
    append(fake.told, sizeof fake.told, cogent_str(" "));
    append(fake.told, sizeof fake.told, json);
    append(fake.told, sizeof fake.told, cogent_str("\n"));
    return fake.hold_back;
}

static const struct cogent_trace_api trace_api = { sizeof trace_api, told };

const struct cogent_host fake_host = {
    .size = sizeof fake_host,
    .log = &log_api,
    .json = &json_api,
    .http = &http_api,
    .timer = &timer_api,
    .script = &script_api,
    .complete = &complete_api,
};

const struct cogent_host fake_watched_host = {
    .size = sizeof fake_watched_host,
    .log = &log_api,
    .json = &json_api,
    .http = &http_api,
    .timer = &timer_api,
    .script = &script_api,
    .complete = &complete_api,
    .trace = &trace_api,
};
