/* SPDX-License-Identifier: Apache-2.0
 * What an OpenAI-like service streams, through the engine's reader of events and the provider's reader of deltas: the
 * turn ends once, in pieces as in one, and hands on nothing that is no text or no call. */
#include "fuzz.h"

#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/io/sse.h"

#include "provider_openai/openai.h"

enum { EVENT_MAX = 64 * 1024 };

struct turn {
    struct cogent_chat chat;
    const struct cogent_http_events *events;
    void *arg;
    int ends, usages;
    struct cg_buf told; /* in one order, text in one piece */
};

static struct turn *turn; /* the one at hand */

static void told_text(struct cogent_chat *chat, struct cogent_str text)
{
    (void)chat;
    FUZZ_REQUIRE(!turn->ends && text.len && cg_utf8_valid(text));
    cg_buf_str(&turn->told, text);
}

static void told_call(struct cogent_chat *chat, struct cogent_str id, struct cogent_str name,
                      struct cogent_str args, struct cogent_str verbatim)
{
    struct cg_err err = { 0 };
    (void)chat;
    (void)verbatim;
    cg_auto_json tree = cg_json_parse(args, &err);
    /* A tree that is too deep for the engine is refused by it later on. */
    FUZZ_REQUIRE(!turn->ends && id.len && openai_name_valid(name) && args.len &&
                 args.ptr[strspn(args.ptr, " \t\r\n")] == '{');
    FUZZ_REQUIRE(!tree || json_is_object(tree));
    cg_buf_printf(&turn->told, "\ncall %.*s %.*s ", (int)id.len, id.ptr, (int)name.len, name.ptr);
    cg_buf_str(&turn->told, args);
}

static void told_usage(struct cogent_chat *chat, const struct cogent_turn_usage *usage)
{
    (void)chat;
    FUZZ_REQUIRE(!turn->ends && turn->usages++ == 0 && usage->input_tokens >= 0 && usage->output_tokens >= 0);
    cg_buf_printf(&turn->told, "\nusage %lld %lld", (long long)usage->input_tokens,
                  (long long)usage->output_tokens);
}

static int told_done(struct cogent_chat *chat, int finish)
{
    (void)chat;
    FUZZ_REQUIRE(turn->ends++ == 0);
    cg_buf_printf(&turn->told, "\ndone %d", finish);
    return 0;
}

static int told_fail(struct cogent_chat *chat, int err, uint32_t retry_after_ms, const char *message)
{
    (void)chat;
    (void)retry_after_ms;
    FUZZ_REQUIRE(turn->ends++ == 0 && err < 0 && message && *message);
    FUZZ_REQUIRE(cg_utf8_valid(cogent_str(message)));
    cg_buf_printf(&turn->told, "\nfail %d %s", err, message);
    return 0;
}

static struct cogent_op send_request(struct cogent_op parent, const struct cogent_http_request *request,
                                     const struct cogent_http_events *events, void *arg)
{
    (void)parent;
    (void)request;
    turn->events = events;
    turn->arg = arg;
    return (struct cogent_op){ 1, 1 };
}

/* No timer: what would come later comes at once. */
static struct cogent_op no_timer(struct cogent_op parent, const char *label, uint32_t ms, void (*fn)(void *),
                                 void *arg)
{
    (void)parent;
    (void)label;
    (void)ms;
    (void)fn;
    (void)arg;
    return (struct cogent_op){ 0, 0 };
}

static const struct cogent_json_api json_api = { sizeof json_api, cg_read_string,  cg_read_integer,
                                                 cg_read_decimal, cg_read_boolean, cg_read_raw,
                                                 cg_read_each };
static const struct cogent_http_api http_api = { sizeof http_api, send_request };
static const struct cogent_timer_api timer_api = { .size = sizeof timer_api, .after = no_timer };
static const struct cogent_complete_api complete_api = { .size = sizeof complete_api,
                                                         .chat_text = told_text,
                                                         .chat_call = told_call,
                                                         .chat_usage = told_usage,
                                                         .chat_done = told_done,
                                                         .chat_fail = told_fail };
static const struct cogent_host host = {
    .size = sizeof host, .json = &json_api, .http = &http_api, .timer = &timer_api, .complete = &complete_api
};

static void on_event(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id)
{
    (void)id;
    (void)arg;
    turn->events->event(turn->arg, event, data);
}

static int stream(struct cogent_str bytes, bool pieces, struct cg_buf *told)
{
    static const struct openai_options options = { .base = "http://x/v1" };
    static char url[] = "http://x/v1/chat/completions";
    static const struct openai self = { .options = &options, .url = url };
    struct turn one = { .chat = { .size = sizeof one.chat, .host = &host, .op = { 1, 1 } } };
    struct cogent_http_result result = { .size = sizeof result, .status = 200, .detail = "" };
    struct cg_sse sse;
    uint64_t chance = 0;
    turn = &one;
    openai_stream_start(&self, &one.chat, cogent_str("{}"));
    cg_sse_init(&sse, EVENT_MAX, on_event, NULL);
    for (size_t at = 0; at < bytes.len && result.err == 0;) {
        size_t n = pieces ? fuzz_piece(&chance, bytes.len - at) : bytes.len;
        result.err = cg_sse_feed(&sse, (struct cogent_str){ bytes.ptr + at, n });
        at += n;
    }
    cg_sse_finish(&sse);
    one.events->done(one.arg, &result);
    FUZZ_REQUIRE(one.ends == 1);
    one.chat.release(one.chat.data);
    *told = one.told;
    return one.ends;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_buf one, many;
    stream(fuzz_text(data, size), false, &one);
    stream(fuzz_text(data, size), true, &many);
    FUZZ_REQUIRE(cg_str_same(cg_buf_view(&one), cg_buf_view(&many)));
    cg_buf_finish(&one);
    cg_buf_finish(&many);
    return 0;
}
