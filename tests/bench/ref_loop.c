/* SPDX-License-Identifier: Apache-2.0
 * The yardstick: an agent loop with nothing around it. POST /v1/chat/completions: check the token's signature, ask the
 * model with one tool, GET the figure from the ERP, ask again, pass the words on as they come. No tenant, no policy, no
 * journal, no limit, no defence.
 *
 *   bench-ref-loop LISTEN UPSTREAMS SECRET
 */
#include "wire.h"

#include <event2/listener.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server {
    struct event_base *base;
    struct sockaddr_in upstreams;
    const char *secret;
    struct upstream *idle;
};

struct chat;

/* A connection to the model or the ERP: of one chat, or idle. */
struct upstream {
    struct server *server;
    struct upstream *next;
    struct bufferevent *bev;
    struct evbuffer *body;
    struct wire wire;
    struct chat *chat;
};

/* A connection of a client, and what it asks. */
struct chat {
    struct server *server;
    struct bufferevent *bev;
    struct evbuffer *body;
    struct wire wire;
    struct upstream *up;
    json_t *messages;
    char model[16], call_id[64], call_args[256];
    struct evbuffer *whole; /* the text, for a client that wants it in one piece */
    bool stream, tools, begun, busy;
    enum { ASK, CALL, ANSWER } step;
};

static const char tools_text[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"order_total\",\"description\":\"The total of an "
    "order.\",\"parameters\":{\"type\":\"object\",\"properties\":{\"order\":{\"type\":\"string\"}},"
    "\"required\":[\"order\"],\"additionalProperties\":false}}}]";

static void on_client(struct bufferevent *bev, void *arg);
static void upstream_read(struct bufferevent *bev, void *arg);

static void upstream_free(struct upstream *u)
{
    bufferevent_free(u->bev);
    evbuffer_free(u->body);
    free(u);
}

static void chat_free(struct chat *c)
{
    if (c->up)
        upstream_free(c->up);
    json_decref(c->messages);
    bufferevent_free(c->bev);
    evbuffer_free(c->body);
    if (c->whole)
        evbuffer_free(c->whole);
    free(c);
}

static void fail(struct chat *c, const char *status)
{
    evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    c->busy = false;
}

/* --- upstreams --- */

static void upstream_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct upstream *u = arg;
    if (what & BEV_EVENT_CONNECTED)
        return;
    for (struct upstream **at = &u->server->idle; *at; at = &(*at)->next) {
        if (*at == u) {
            *at = u->next;
            break;
        }
    }
    if (u->chat) {
        u->chat->up = NULL;
        chat_free(u->chat);
    }
    upstream_free(u);
}

static struct evbuffer *upstream_take(struct chat *c)
{
    struct upstream *u = c->server->idle;
    if (u) {
        c->server->idle = u->next;
    } else {
        u = calloc(1, sizeof *u);
        u->server = c->server;
        u->body = evbuffer_new();
        u->bev = bufferevent_socket_new(c->server->base, -1, BEV_OPT_CLOSE_ON_FREE);
        bufferevent_setcb(u->bev, upstream_read, NULL, upstream_event, u);
        bufferevent_enable(u->bev, EV_READ | EV_WRITE);
        bufferevent_socket_connect(u->bev, (struct sockaddr *)&c->server->upstreams,
                                   sizeof c->server->upstreams);
        wire_no_delay(bufferevent_getfd(u->bev));
    }
    u->wire = (struct wire){ 0 };
    u->chat = c;
    c->up = u;
    return bufferevent_get_output(u->bev);
}

static void upstream_give_back(struct upstream *u)
{
    u->chat->up = NULL;
    u->chat = NULL;
    evbuffer_drain(u->body, evbuffer_get_length(u->body));
    u->next = u->server->idle;
    u->server->idle = u;
}

/* --- the loop --- */

static void ask_model(struct chat *c, int step)
{
    json_t *body = json_pack("{s:s, s:b, s:O}", "model", c->model, "stream", 1, "messages", c->messages);
    if (c->tools)
        json_object_set_new(body, "tools", json_loads(tools_text, 0, NULL));
    char *text = json_dumps(body, JSON_COMPACT);
    c->step = step;
    evbuffer_add_printf(upstream_take(c),
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nAuthorization: Bearer none\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(text), text);
    free(text);
    json_decref(body);
}

static void ask_erp(struct chat *c)
{
    json_t *args = json_loads(c->call_args, 0, NULL);
    c->step = CALL;
    json_array_append_new(c->messages,
                          json_pack("{s:s, s:n, s:[{s:s, s:s, s:{s:s, s:s}}]}", "role", "assistant",
                                    "content", "tool_calls", "id", c->call_id, "type", "function", "function",
                                    "name", "order_total", "arguments", c->call_args));
    evbuffer_add_printf(upstream_take(c),
                        "GET /orders/%s/total HTTP/1.1\r\nHost: erp\r\nAuthorization: Bearer %s\r\n\r\n",
                        json_string_value(json_object_get(args, "order")), c->wire.bearer);
    json_decref(args);
}

static void take_result(struct chat *c, struct evbuffer *body)
{
    size_t len = evbuffer_get_length(body);
    json_array_append_new(c->messages,
                          json_pack("{s:s, s:s, s:s%}", "role", "tool", "tool_call_id", c->call_id, "content",
                                    (char *)evbuffer_pullup(body, -1), len));
    ask_model(c, ANSWER);
}

static void send_text(struct chat *c, const char *text)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (!c->stream) {
        evbuffer_add(c->whole, text, strlen(text));
        return;
    }
    if (!c->begun)
        evbuffer_add_printf(
            out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    c->begun = true;
    json_t *chunk =
        json_pack("{s:s, s:s, s:s, s:[{s:i, s:{s:s}, s:n}]}", "id", "ref", "object", "chat.completion.chunk",
                  "model", c->model, "choices", "index", 0, "delta", "content", text, "finish_reason");
    char *line = json_dumps(chunk, JSON_COMPACT);
    evbuffer_add_printf(out, "%zx\r\ndata: %s\n\n\r\n", strlen(line) + 8, line);
    free(line);
    json_decref(chunk);
}

static void finish(struct chat *c)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (c->stream) {
        evbuffer_add_printf(out, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    } else {
        evbuffer_add(c->whole, "", 1);
        json_t *body = json_pack("{s:s, s:[{s:i, s:{s:s, s:s}, s:s}]}", "object", "chat.completion",
                                 "choices", "index", 0, "message", "role", "assistant", "content",
                                 (char *)evbuffer_pullup(c->whole, -1), "finish_reason", "stop");
        char *text = json_dumps(body, JSON_COMPACT);
        evbuffer_add_printf(
            out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            strlen(text), text);
        free(text);
        json_decref(body);
    }
    json_decref(c->messages);
    c->messages = NULL;
    c->busy = false;
    c->wire = (struct wire){ 0 };
    evbuffer_drain(c->body, evbuffer_get_length(c->body));
    on_client(c->bev, c);
}

static void take_event(struct chat *c, const char *data)
{
    json_t *event = strcmp(data, "[DONE]") == 0 ? NULL : json_loads(data, 0, NULL);
    const json_t *delta = json_object_get(json_array_get(json_object_get(event, "choices"), 0), "delta");
    const char *text = json_string_value(json_object_get(delta, "content"));
    const json_t *call = json_array_get(json_object_get(delta, "tool_calls"), 0);
    const char *id = json_string_value(json_object_get(call, "id"));
    const char *args = json_string_value(json_object_get(json_object_get(call, "function"), "arguments"));
    if (text)
        send_text(c, text);
    if (id)
        snprintf(c->call_id, sizeof c->call_id, "%s", id);
    if (args)
        strncat(c->call_args, args, sizeof c->call_args - strlen(c->call_args) - 1);
    json_decref(event);
}

static void upstream_read(struct bufferevent *bev, void *arg)
{
    struct upstream *u = arg;
    struct chat *c = u->chat;
    char *data;
    if (!c || !wire_read(&u->wire, bufferevent_get_input(bev), u->body)) {
        upstream_event(bev, BEV_EVENT_ERROR, u);
        return;
    }
    while (u->wire.stream && (data = wire_event(u->body))) {
        take_event(c, data);
        free(data);
    }
    if (u->wire.state != WIRE_DONE)
        return;
    bool ok = u->wire.status == 200;
    if (c->step == CALL && ok) {
        struct evbuffer *body = evbuffer_new();
        evbuffer_add_buffer(body, u->body);
        upstream_give_back(u);
        take_result(c, body);
        evbuffer_free(body);
        return;
    }
    upstream_give_back(u);
    if (!ok)
        fail(c, "502 Bad Gateway");
    else if (c->step == ASK && c->call_id[0])
        ask_erp(c);
    else
        finish(c);
}

/* --- the door --- */

static size_t unbase64url(const char *text, size_t len, unsigned char *out, size_t size)
{
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char ch = text[i];
        int v = ch >= 'A' && ch <= 'Z'   ? ch - 'A'
                : ch >= 'a' && ch <= 'z' ? ch - 'a' + 26
                : ch >= '0' && ch <= '9' ? ch - '0' + 52
                : ch == '-'              ? 62
                : ch == '_'              ? 63
                                         : -1;
        if (v < 0)
            return 0;
        bits = bits << 6 | (unsigned)v;
        n_bits += 6;
        if (n_bits >= 8 && n < size) {
            n_bits -= 8;
            out[n++] = (unsigned char)(bits >> n_bits);
        }
    }
    return n;
}

static bool signed_by_us(const struct server *s, const char *token)
{
    unsigned char mac[EVP_MAX_MD_SIZE], given[64], claims[1024];
    unsigned n = 0;
    const char *dot = strrchr(token, '.'), *first = strchr(token, '.');
    if (!dot || first == dot || unbase64url(dot + 1, strlen(dot + 1), given, sizeof given) != 32)
        return false;
    HMAC(EVP_sha256(), s->secret, (int)strlen(s->secret), (const unsigned char *)token, (size_t)(dot - token),
         mac, &n);
    if (n != 32 || memcmp(mac, given, n) != 0)
        return false;
    size_t len = unbase64url(first + 1, (size_t)(dot - first - 1), claims, sizeof claims);
    json_t *payload = json_loadb((char *)claims, len, 0, NULL);
    bool ok =
        json_is_integer(json_object_get(payload, "exp")) && json_is_string(json_object_get(payload, "sub"));
    json_decref(payload);
    return ok;
}

static void take_request(struct chat *c)
{
    json_t *body = json_loadb((char *)evbuffer_pullup(c->body, -1), evbuffer_get_length(c->body), 0, NULL);
    const char *model = json_string_value(json_object_get(body, "model"));
    c->busy = true;
    if (!signed_by_us(c->server, c->wire.bearer)) {
        fail(c, "401 Unauthorized");
    } else if (!model) {
        fail(c, "400 Bad Request");
    } else {
        snprintf(c->model, sizeof c->model, "%s", model);
        c->stream = json_is_true(json_object_get(body, "stream"));
        c->tools = !json_is_false(json_object_get(json_object_get(body, "cogent"), "tools"));
        c->messages = json_array();
        json_array_append_new(c->messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", "You are an assistant."));
        json_array_extend(c->messages, json_object_get(body, "messages"));
        c->call_id[0] = c->call_args[0] = '\0';
        c->begun = false;
        if (!c->whole)
            c->whole = evbuffer_new();
        evbuffer_drain(c->whole, evbuffer_get_length(c->whole));
        ask_model(c, ASK);
    }
    json_decref(body);
}

static void on_client(struct bufferevent *bev, void *arg)
{
    struct chat *c = arg;
    if (c->busy)
        return;
    if (!wire_read(&c->wire, bufferevent_get_input(bev), c->body))
        chat_free(c);
    else if (c->wire.state == WIRE_DONE)
        take_request(c);
}

static void on_client_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev, (void)what;
    chat_free(arg);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
    (void)l, (void)addr, (void)len;
    struct server *s = arg;
    struct chat *c = calloc(1, sizeof *c);
    wire_no_delay(fd);
    c->server = s;
    c->body = evbuffer_new();
    c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(c->bev, on_client, NULL, on_client_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct server s = { 0 };
    if (argc != 4) {
        fprintf(stderr, "bench-ref-loop LISTEN UPSTREAMS SECRET\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    s.base = event_base_new();
    s.secret = argv[3];
    wire_address(argv[2], &s.upstreams);
    evconnlistener_new(s.base, on_accept, &s, LEV_OPT_CLOSE_ON_FREE, 0, wire_listen(argv[1]));
    event_base_dispatch(s.base);
    return 0;
}
