/* SPDX-License-Identifier: Apache-2.0
 * The answer, event by event. Text goes on at once, without a JSON tree; calls wait until all are whole; what ends
 * without a finish is a failure, whatever came before.
 */
#include "openai.h"

#include "common/json.h"
#include "common/scan.h"

#include <stdlib.h>

/* After [DONE] the end of the transfer follows at once; waiting for it keeps the connection for the next turn. */
enum { AFTER_DONE_MS = 100 };

enum ending { NONE = 0, STOP, LENGTH, FILTER };

struct stream {
    struct cogent_chat *chat;
    struct cp_buf text; /* scratch for unescaped deltas */
    uint32_t high;
    struct openai_calls calls;
    enum ending ending;
    int done;    /* [DONE] was seen */
    int refusal; /* text came as a refusal */
    int entered; /* inside one of our callbacks: release must wait */
    int over;    /* completed or released: the chat is not touched any more */
    int released;
    size_t asked, told; /* bytes, for the estimate */
    int has_usage;
    struct cogent_turn_usage usage;
};

/* What one chunk holds. Strings are raw. */
struct chunk {
    struct cogent_str content, refusal, calls, usage;
    struct cogent_str finish, object;
    int error;
    int content_seen;
};

static void destroy(struct stream *s)
{
    cp_buf_finish(&s->text);
    openai_calls_finish(&s->calls);
    free(s);
}

static void release(void *data)
{
    struct stream *s = data;
    s->over = s->released = 1;
    if (!s->entered)
        destroy(s);
}

static void leave(struct stream *s)
{
    s->entered = 0;
    if (s->released)
        destroy(s);
}

/* --- the end of a turn: after these the chat is not touched again --- */

static void tell_usage(struct stream *s)
{
    if (!s->has_usage) {
        s->usage.size = sizeof s->usage;
        s->usage.input_tokens = (int64_t)((s->asked + 3) / 4);
        s->usage.output_tokens = (int64_t)((s->told + s->calls.bytes + 3) / 4);
        s->usage.estimated = 1;
    }
    cogent_chat_usage(s->chat, &s->usage);
}

static void fail(struct stream *s, int err, uint32_t retry_after_ms, const char *message)
{
    if (s->over)
        return;
    if (s->has_usage || s->told || s->calls.n)
        tell_usage(s); /* it was paid for all the same */
    if (s->over)
        return;
    s->over = 1;
    cogent_chat_fail(s->chat, err, retry_after_ms, message);
}

static void finish(struct stream *s, int how)
{
    tell_usage(s);
    if (s->over)
        return;
    s->over = 1;
    cogent_chat_done(s->chat, how);
}

static void text_out(struct stream *s, struct cogent_str text)
{
    s->told += text.len;
    if (text.len)
        cogent_chat_text(s->chat, text);
}

static void hand_over_calls(struct stream *s)
{
    static const struct cogent_str nothing = { NULL, 0 };
    const char *why = openai_calls_close(&s->calls);
    if (why) {
        fail(s, COGENT_UPSTREAM, 0, why);
        return;
    }
    for (size_t i = 0; i < s->calls.n && !s->over; i++) {
        struct openai_part *p = &s->calls.parts[i];
        cogent_chat_call(s->chat, cp_buf_peek(&p->id), cp_buf_peek(&p->name), cp_buf_peek(&p->args), nothing);
    }
    if (!s->over)
        finish(s, COGENT_FINISH_CALLS);
}

static void conclude(struct stream *s)
{
    static const int reasons[] = { COGENT_FINISH_STOP, COGENT_FINISH_STOP, COGENT_FINISH_LENGTH,
                                   COGENT_FINISH_FILTER };
    if (s->high) {
        cp_buf_clear(&s->text);
        cp_unescape_end(&s->text, &s->high);
        text_out(s, cp_buf_peek(&s->text));
    }
    if (s->over)
        return;
    if (s->calls.n && s->ending == STOP) {
        hand_over_calls(s);
    } else if (s->calls.n) {
        fail(s, COGENT_UPSTREAM, 0,
             s->ending == LENGTH   ? "openai: the answer reached its token limit inside a tool call"
             : s->ending == FILTER ? "openai: the service filtered an answer that holds a tool call"
                                   : "openai: the stream ended inside a tool call");
    } else {
        finish(s, s->refusal && s->ending != LENGTH ? COGENT_FINISH_FILTER : reasons[s->ending]);
    }
}

/* --- one chunk --- */

static void text_member(struct cp_scan *scan, struct cogent_str *out)
{
    if (cp_scan_next(scan) == 'n')
        cp_scan_skip(scan, NULL);
    else if (out->ptr)
        scan->bad = 1; /* the same key twice: which of them is meant? */
    else
        cp_scan_string(scan, out);
}

static void raw_member(struct cp_scan *scan, struct cogent_str *out)
{
    struct cogent_str raw = { NULL, 0 };
    int kind = cp_scan_next(scan);
    cp_scan_skip(scan, &raw);
    if (kind == 'n' || scan->bad)
        return;
    if (out->ptr)
        scan->bad = 1;
    *out = raw;
}

static void delta(struct cp_scan *scan, struct chunk *c)
{
    struct cogent_str key;
    if (cp_scan_next(scan) == 'n') {
        cp_scan_skip(scan, NULL);
        return;
    }
    for (int first = cp_scan_open(scan, '{'); cp_scan_member(scan, &first, &key);) {
        if (cp_scan_is(key, "content"))
            text_member(scan, &c->content);
        else if (cp_scan_is(key, "refusal"))
            text_member(scan, &c->refusal);
        else if (cp_scan_is(key, "tool_calls"))
            raw_member(scan, &c->calls);
        else
            cp_scan_skip(scan, NULL);
    }
}

/* We ask for one choice: another's delta is read and dropped. */
static void choice(struct cp_scan *scan, struct chunk *out)
{
    struct cogent_str key;
    struct chunk c = { 0 };
    int64_t index = 0;
    for (int first = cp_scan_open(scan, '{'); cp_scan_member(scan, &first, &key);) {
        if (cp_scan_is(key, "delta"))
            delta(scan, &c);
        else if (cp_scan_is(key, "finish_reason"))
            text_member(scan, &c.finish);
        else if (cp_scan_is(key, "index"))
            cp_scan_integer(scan, &index);
        else
            cp_scan_skip(scan, NULL);
    }
    if (index != 0)
        return;
    if (out->content.ptr || out->calls.ptr)
        scan->bad = 1;
    out->content = c.content;
    out->refusal = c.refusal;
    out->calls = c.calls;
    out->finish = c.finish;
}

static int read_chunk(struct cogent_str data, struct chunk *c)
{
    struct cp_scan scan = cp_scan_begin(data);
    struct cogent_str key, error = { NULL, 0 };
    for (int first = cp_scan_open(&scan, '{'); cp_scan_member(&scan, &first, &key);) {
        if (cp_scan_is(key, "choices") && cp_scan_next(&scan) == '[') {
            for (int none = cp_scan_open(&scan, '['); cp_scan_element(&scan, &none);)
                choice(&scan, c);
        } else if (cp_scan_is(key, "usage")) {
            raw_member(&scan, &c->usage);
        } else if (cp_scan_is(key, "error")) {
            raw_member(&scan, &error);
        } else if (cp_scan_is(key, "object") && cp_scan_next(&scan) == '"') {
            text_member(&scan, &c->object);
        } else {
            cp_scan_skip(&scan, NULL);
        }
    }
    c->error = error.ptr != NULL || cp_scan_is(c->object, "error");
    return cp_scan_end(&scan);
}

static void take_text(struct stream *s, struct cogent_str raw)
{
    if (!raw.len || s->over)
        return;
    if (!s->high && !memchr(raw.ptr, '\\', raw.len)) {
        text_out(s, raw);
        return;
    }
    cp_buf_clear(&s->text);
    cp_unescape(&s->text, raw, &s->high);
    if (s->text.failed)
        fail(s, COGENT_NO_MEMORY, 0, "openai: out of memory");
    else
        text_out(s, cp_buf_peek(&s->text));
}

static int64_t count(struct stream *s, struct cogent_str usage, const char *pointer)
{
    int64_t n;
    return s->chat->host->json->integer(usage, pointer, &n) == 0 && n > 0 ? n : 0;
}

/* The last one wins: some services count along in every chunk. */
static void take_usage(struct stream *s, struct cogent_str usage)
{
    if (usage.ptr[0] != '{')
        return;
    s->has_usage = 1;
    s->usage.size = sizeof s->usage;
    s->usage.input_tokens = count(s, usage, "/prompt_tokens");
    s->usage.cached_tokens = count(s, usage, "/prompt_tokens_details/cached_tokens");
    s->usage.output_tokens = count(s, usage, "/completion_tokens");
}

static void take_finish(struct stream *s, struct cogent_str finish)
{
    if (cp_scan_is(finish, "length"))
        s->ending = LENGTH;
    else if (cp_scan_is(finish, "content_filter"))
        s->ending = FILTER;
    else if (cp_scan_is(finish, "error") || cp_scan_is(finish, "abort"))
        fail(s, COGENT_UPSTREAM, 0, "openai: the service gave up on the answer");
    else
        s->ending = STOP; /* "stop", "tool_calls" and the words of local servers: the calls decide */
}

static void take(struct stream *s, struct cogent_str data)
{
    struct chunk c = { 0 };
    struct openai_failure failure;
    const char *why = NULL;
    if (!read_chunk(data, &c)) {
        fail(s, COGENT_UPSTREAM, 0, "openai: the service sent a malformed delta");
        return;
    }
    if (c.error) {
        openai_failure_object(&failure, data);
        fail(s, failure.err, 0, failure.message);
        return;
    }
    if (c.usage.ptr)
        take_usage(s, c.usage);
    s->refusal |= c.refusal.len > 0;
    take_text(s, c.content);
    take_text(s, c.refusal);
    if (c.calls.ptr && !s->over)
        why = openai_calls_add(&s->calls, c.calls);
    if (why)
        fail(s, COGENT_UPSTREAM, 0, why);
    if (c.finish.len && !s->over)
        take_finish(s, c.finish);
}

/* --- callbacks of the host --- */

static void on_late(void *arg)
{
    struct stream *s = arg;
    if (s->over)
        return;
    s->entered = 1;
    conclude(s);
    leave(s);
}

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    struct stream *s = arg;
    (void)name;
    if (s->done || s->over)
        return;
    s->entered = 1;
    if (cp_scan_is(data, "[DONE]")) {
        s->done = 1;
        if (cogent_op_none(
                s->chat->host->timer->after(s->chat->op, "end of stream", AFTER_DONE_MS, on_late, s)))
            conclude(s);
    } else if (data.len) {
        take(s, data);
    }
    leave(s);
}

static void on_status(struct stream *s, const struct cogent_http_result *result)
{
    struct openai_failure failure;
    openai_failure_status(&failure, result->status, result->body);
    int later = failure.err == COGENT_LIMIT || failure.err == COGENT_UNAVAILABLE;
    fail(s, failure.err, later ? result->retry_after_ms : 0, failure.message);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct stream *s = arg;
    if (s->over)
        return;
    s->entered = 1;
    if (s->done || s->ending != NONE)
        conclude(s);
    else if (result->err)
        fail(s, result->err, 0,
             s->told || s->calls.n ? "openai: the stream was cut" : "openai: the service did not answer");
    else if (result->status != 200)
        on_status(s, result);
    else if (result->body.len)
        fail(s, COGENT_UPSTREAM, 0, "openai: the service answered without a stream");
    else
        fail(s, COGENT_UPSTREAM, 0, "openai: the stream ended before the answer did");
    leave(s);
}

int openai_stream_start(const struct openai *self, struct cogent_chat *chat, struct cogent_str body)
{
    static const struct cogent_http_events events = { sizeof events, on_event, on_done };
    struct cogent_http_request request;
    struct cogent_http_header headers[OPENAI_HEADERS];
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return cogent_chat_fail(chat, COGENT_NO_MEMORY, 0, "openai: out of memory");
    openai_http(self, self->url, body, headers, &request);
    request.flags = COGENT_HTTP_SSE;
    s->chat = chat;
    s->asked = body.len;
    chat->data = s;
    chat->release = release;
    if (cogent_op_none(chat->host->http->send(chat->op, &request, &events, s)))
        return cogent_chat_fail(chat, COGENT_INTERNAL, 0, "openai: the request could not be sent");
    return 0;
}
