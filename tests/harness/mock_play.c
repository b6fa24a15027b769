/* SPDX-License-Identifier: Apache-2.0
 * A turn's steps are first unrolled into small actions (a delta, raw bytes, a pause, the end ...); then each is played.
 * Streams send an action at a time; an answer in one piece collects them.
 */
#include "mock_play.h"

#include "mock_request.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PIECE = 8, FOREVER_MS = 20, CREATED = 1767225600 };

struct play {
    struct mock *mock;
    struct evhttp_request *req;
    struct event *timer;
    json_t *actions;
    json_t *body;
    size_t at;
    int stream, include_usage, started, finished, cut, bytewise;
};

static void next(struct play *p);

/* --- unrolling: {"delta"}, {"raw"}, {"wait"}, {"cut"}, {"close"}, {"finish"}, {"usage"}, {"again"}, {"bytewise"} --- */

static size_t character(const char *text)
{
    size_t n = 1;
    while (((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static void add(json_t *actions, const char *kind, json_t *value)
{
    json_array_append_new(actions, json_pack("{s:o}", kind, value));
}

static int number(json_t *step, const char *key, int preset)
{
    json_t *value = json_object_get(step, key);
    return json_is_integer(value) ? (int)json_integer_value(value) : preset;
}

static void unroll_text(json_t *actions, json_t *step, json_t *body, const char *template)
{
    char *text = mock_request_fill(body, template);
    int piece = number(step, "piece", PIECE), pause = number(step, "every_ms", 0);
    size_t back = json_array_size(actions);
    for (const char *at = text; *at;) {
        size_t n = 0;
        for (int i = 0; i < piece && at[n]; i++)
            n += character(at + n);
        add(actions, "delta", json_pack("{s:s%}", "content", at, n));
        if (pause)
            add(actions, "wait", json_integer(pause));
        at += n;
    }
    if (json_is_true(json_object_get(step, "forever"))) {
        if (!pause)
            add(actions, "wait", json_integer(FOREVER_MS));
        add(actions, "again", json_integer((json_int_t)back));
    }
    free(text);
}

/* What stands in {"call": {...}} goes out as one fragment: only the members that it has. */
static json_t *fragment(json_t *call)
{
    json_t *out = json_object(), *function = json_object();
    const char *id = json_string_value(json_object_get(call, "id"));
    json_object_set(out, "index", json_object_get(call, "index"));
    if (id) {
        json_object_set_new(out, "id", json_string(id));
        json_object_set_new(out, "type", json_string("function"));
    }
    if (json_object_get(call, "name"))
        json_object_set(function, "name", json_object_get(call, "name"));
    if (json_object_get(call, "arguments"))
        json_object_set(function, "arguments", json_object_get(call, "arguments"));
    json_object_set_new(out, "function", function);
    return out;
}

static void add_fragment(json_t *actions, json_t *one)
{
    add(actions, "delta", json_pack("{s:[o]}", "tool_calls", one));
}

/* Whole calls, their arguments cut into pieces that take turns. */
static void unroll_calls(json_t *actions, json_t *step, json_t *body)
{
    json_t *calls = json_object_get(step, "calls"), *call;
    size_t piece = (size_t)number(step, "piece", PIECE), i, from = 0;
    int more = 1;
    json_array_foreach (calls, i, call) {
        json_t *head = json_copy(call);
        json_object_set_new(head, "index", json_integer((json_int_t)i));
        json_object_set_new(head, "arguments", json_string(""));
        add_fragment(actions, fragment(head));
        json_decref(head);
    }
    for (; more; from += piece) {
        more = 0;
        json_array_foreach (calls, i, call) {
            const char *template = json_string_value(json_object_get(call, "arguments"));
            char *args = mock_request_fill(body, template ? template : "");
            size_t n = strlen(args);
            if (from < n) {
                json_t *tail = json_pack("{s:I, s:s%}", "index", (json_int_t)i, "arguments", args + from,
                                         n - from < piece ? n - from : piece);
                if (tail)
                    add_fragment(actions, fragment(tail));
                json_decref(tail);
                more = 1;
            }
            free(args);
        }
    }
}

static void unroll_step(json_t *actions, json_t *step, json_t *body)
{
    static const char *const plain[] = { "raw", "cut", "close", "finish", "usage", "bytewise" };
    const char *text = json_string_value(json_object_get(step, "text"));
    const char *echo = json_string_value(json_object_get(step, "echo_tool"));
    char template[160];
    if (text)
        unroll_text(actions, step, body, text);
    if (echo) {
        snprintf(template, sizeof template, "{{tool:%s}}", echo);
        unroll_text(actions, step, body, template);
    }
    if (json_object_get(step, "call"))
        add_fragment(actions, fragment(json_object_get(step, "call")));
    if (json_object_get(step, "calls"))
        unroll_calls(actions, step, body);
    if (json_object_get(step, "delay_ms"))
        add(actions, "wait", json_integer(number(step, "delay_ms", 0)));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (json_object_get(step, plain[i]))
            add(actions, plain[i], json_incref(json_object_get(step, plain[i])));
}

static int holds(json_t *actions, const char *kind)
{
    size_t i;
    json_t *action;
    json_array_foreach (actions, i, action) {
        if (json_object_get(action, kind))
            return 1;
    }
    return 0;
}

static int has_calls(json_t *actions)
{
    size_t i;
    json_t *action;
    json_array_foreach (actions, i, action) {
        if (json_object_get(json_object_get(action, "delta"), "tool_calls"))
            return 1;
    }
    return 0;
}

static json_int_t count(json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    json_int_t n = text ? (json_int_t)strlen(text) / 4 + 1 : 0;
    free(text);
    return n;
}

static json_t *guess_usage(json_t *actions, json_t *body)
{
    json_int_t in = count(json_object_get(body, "messages")), out = count(actions) / 4 + 1;
    return json_pack("{s:I, s:I, s:I, s:{s:i, s:i}, s:{s:i}}", "prompt_tokens", in, "completion_tokens", out,
                     "total_tokens", in + out, "prompt_tokens_details", "cached_tokens", 0, "audio_tokens", 0,
                     "completion_tokens_details", "reasoning_tokens", 0);
}

static json_t *unroll(json_t *turn, json_t *body)
{
    json_t *actions = json_array(), *step;
    size_t i;
    json_array_foreach (turn, i, step) {
        unroll_step(actions, step, body);
    }
    if (!holds(actions, "finish"))
        add(actions, "finish", json_string(has_calls(actions) ? "tool_calls" : "stop"));
    if (!holds(actions, "usage"))
        add(actions, "usage", guess_usage(actions, body));
    return actions;
}

/* --- one client --- */

static void destroy(struct play *p)
{
    p->mock->open--;
    event_free(p->timer);
    json_decref(p->actions);
    json_decref(p->body);
    free(p);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct play *p = arg;
    (void)connection;
    if (!p->cut)
        p->mock->closed_early++;
    /* evhttp has let go of a request whose client went: then ending it only frees it. */
    if (!evhttp_request_get_connection(p->req))
        evhttp_send_reply_end(p->req);
    destroy(p);
}

static void wait(struct play *p, int ms)
{
    const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    event_add(p->timer, &tv);
}

/* Bytewise, every byte is a chunk of its own: who reads them gets the text cut at each place. */
static void send_bytes(struct play *p, const char *text, size_t len)
{
    struct evbuffer *out = evbuffer_new();
    for (size_t at = 0, n; at < len; at += n) {
        n = p->bytewise ? 1 : len;
        evbuffer_add(out, text + at, n);
        evhttp_send_reply_chunk(p->req, out);
    }
    evbuffer_free(out);
}

/* Takes data. */
static void send_event(struct play *p, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    char *line = NULL;
    int n = asprintf(&line, "data: %s\n\n", text);
    if (n > 0)
        send_bytes(p, line, (size_t)n);
    free(line);
    free(text);
    json_decref(data);
}

/* Takes choices and usage. */
static json_t *envelope(const struct play *p, const char *object, json_t *choices, json_t *usage)
{
    json_t *out = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:o}", "id", "chatcmpl-mock", "object", object,
                            "created", CREATED, "model", json_string_value(json_object_get(p->body, "model")),
                            "service_tier", "default", "system_fingerprint", "fp_mock", "choices", choices);
    if (usage)
        json_object_set_new(out, "usage", usage);
    return out;
}

/* Takes delta. */
static void send_delta(struct play *p, json_t *delta, const char *finish)
{
    json_t *choice =
        json_pack("[{s:i, s:o, s:n, s:s?}]", "index", 0, "delta", delta, "logprobs", "finish_reason", finish);
    send_event(p, envelope(p, "chat.completion.chunk", choice, p->include_usage ? json_null() : NULL));
}

static void start_stream(struct play *p)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(p->req);
    p->started = 1;
    evhttp_add_header(headers, "Content-Type", "text/event-stream; charset=utf-8");
    evhttp_add_header(headers, "Cache-Control", "no-cache");
    evhttp_add_header(headers, "X-Request-Id", "req_mock");
    evhttp_send_reply_start(p->req, 200, "OK");
    send_delta(p,
               has_calls(p->actions)
                   ? json_pack("{s:s, s:n}", "role", "assistant", "content")
                   : json_pack("{s:s, s:s, s:n}", "role", "assistant", "content", "", "refusal"),
               NULL);
}

static void end(struct play *p)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(p->req), NULL, NULL);
    if (p->stream)
        evhttp_send_reply_end(p->req);
    destroy(p);
}

/* Closes the socket under the answer, once what was sent has left. */
static void cut(struct play *p)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(p->req));
    p->cut = 1;
    if (evbuffer_get_length(bufferevent_get_output(bev))) {
        p->at--;
        wait(p, 2);
        return;
    }
    shutdown(bufferevent_getfd(bev), SHUT_RDWR); /* on_close follows */
}

/* --- playing a stream: 1 when the next action may follow at once --- */

static int stream_action(struct play *p, json_t *action)
{
    json_t *value;
    const char *finish = json_string_value(json_object_get(action, "finish"));
    if ((value = json_object_get(action, "delta")))
        send_delta(p, json_incref(value), NULL);
    else if ((value = json_object_get(action, "raw")))
        send_bytes(p, json_string_value(value), json_string_length(value));
    else if (finish)
        send_delta(p, json_object(), finish);
    else if ((value = json_object_get(action, "usage"))) {
        if (p->include_usage && !json_is_null(value))
            send_event(p, envelope(p, "chat.completion.chunk", json_array(), json_incref(value)));
    } else if ((value = json_object_get(action, "again")))
        p->at = (size_t)json_integer_value(value);
    else if ((value = json_object_get(action, "wait"))) {
        wait(p, (int)json_integer_value(value));
        return 0;
    } else if (json_object_get(action, "bytewise")) {
        p->bytewise = 1;
    } else if (json_object_get(action, "cut")) {
        cut(p);
        return 0;
    } else {
        end(p);
        return 0;
    }
    return 1;
}

static void next(struct play *p)
{
    while (p->at < json_array_size(p->actions)) {
        json_t *action = json_array_get(p->actions, p->at++);
        if (!p->started && !json_object_get(action, "wait") && !json_object_get(action, "cut"))
            start_stream(p);
        if (!stream_action(p, action))
            return;
    }
    send_bytes(p, "data: [DONE]\n\n", 14);
    end(p);
}

/* --- an answer in one piece --- */

static void join(json_t *object, const char *key, json_t *more)
{
    const char *before = json_string_value(json_object_get(object, key));
    char *text = NULL;
    if (json_is_string(more) && asprintf(&text, "%s%s", before ? before : "", json_string_value(more)) >= 0)
        json_object_set_new(object, key, json_string(text));
    free(text);
}

static void join_calls(json_t *calls, json_t *fragments)
{
    json_t *from, *to;
    size_t i;
    json_array_foreach (fragments, i, from) {
        size_t index = (size_t)json_integer_value(json_object_get(from, "index"));
        while (json_array_size(calls) <= index && index < 64)
            json_array_append_new(
                calls, json_pack("{s:s, s:{s:s}}", "type", "function", "function", "arguments", ""));
        to = json_array_get(calls, index);
        json_t *function = json_object_get(from, "function");
        if (json_object_get(from, "id"))
            json_object_set(to, "id", json_object_get(from, "id"));
        if (json_object_get(function, "name"))
            json_object_set(json_object_get(to, "function"), "name", json_object_get(function, "name"));
        join(json_object_get(to, "function"), "arguments", json_object_get(function, "arguments"));
    }
}

static void whole(struct play *p)
{
    json_t *message = json_pack("{s:s, s:n, s:n}", "role", "assistant", "content", "refusal");
    json_t *calls = json_array(), *usage = NULL, *action;
    const char *finish = "stop";
    size_t i;
    json_array_foreach (p->actions, i, action) {
        json_t *delta = json_object_get(action, "delta");
        join(message, "content", json_object_get(delta, "content"));
        join_calls(calls, json_object_get(delta, "tool_calls"));
        if (json_object_get(action, "finish"))
            finish = json_string_value(json_object_get(action, "finish"));
        if (json_is_object(json_object_get(action, "usage")))
            usage = json_incref(json_object_get(action, "usage"));
    }
    if (json_array_size(calls))
        json_object_set(message, "tool_calls", calls);
    json_decref(calls);
    json_t *choices = json_pack("[{s:i, s:o, s:n, s:s}]", "index", 0, "message", message, "logprobs",
                                "finish_reason", finish);
    mock_reply_json(p->req, 200, envelope(p, "chat.completion", choices, usage));
    end(p);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct play *p = arg;
    (void)fd;
    (void)what;
    if (p->stream)
        next(p);
    else if (holds(p->actions, "cut"))
        cut(p);
    else
        whole(p);
}

static int total_wait(json_t *actions)
{
    int ms = 0;
    size_t i;
    json_t *action;
    json_array_foreach (actions, i, action) {
        ms += (int)json_integer_value(json_object_get(action, "wait"));
    }
    return ms;
}

/* A first step {"status"} is the whole answer. */
static int status(struct evhttp_request *req, json_t *step)
{
    json_t *headers = json_object_get(step, "headers"), *body = json_object_get(step, "body"), *value;
    const char *name;
    int code = number(step, "status", 0);
    if (!code)
        return 0;
    json_object_foreach (headers, name, value) {
        evhttp_add_header(evhttp_request_get_output_headers(req), name, json_string_value(value));
    }
    if (body)
        mock_reply_json(req, code, json_incref(body));
    else
        mock_reply_error(req, code, "server_error", NULL,
                         "The server had an error while processing your request.");
    return 1;
}

void mock_play(struct mock *m, struct evhttp_request *req, json_t *body, json_t *turn)
{
    if (status(req, json_array_get(turn, 0)))
        return;
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    struct play *p = calloc(1, sizeof *p);
    int yes = 1;
    if (!p) {
        mock_reply_error(req, 500, "server_error", NULL, "out of memory");
        return;
    }
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    bufferevent_enable(bev,
                       EV_READ); /* evhttp would see a client go only after the first byte of the answer */
    setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    p->mock = m;
    p->req = req;
    p->body = json_incref(body);
    p->actions = unroll(turn, body);
    p->timer = evtimer_new(m->base, on_timer, p);
    p->stream = json_is_true(json_object_get(body, "stream"));
    p->include_usage =
        json_is_true(json_object_get(json_object_get(body, "stream_options"), "include_usage"));
    m->open++;
    evhttp_connection_set_closecb(connection, on_close, p);
    if (p->stream)
        next(p);
    else
        wait(p, total_wait(p->actions));
}
