/* SPDX-License-Identifier: Apache-2.0
 * The model and the ERP of the bench, in one process: POST /v1/chat/completions and GET /orders/N/total.
 *
 *   bench-upstreams ADDRESS:PORT
 *
 * The model asks for the tool `order_total` when tools are on offer and no result is there, and answers with the result's
 * figure otherwise: an agent that skips the tool, or keeps an answer, cannot get it right. On SIGUSR1 it prints
 * {"model": N, "erp": N}: how often each was asked. */
#include "wire.h"

#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAPS = 8 };

struct server {
    struct event_base *base;
    unsigned long model, erp;
};

struct conn {
    struct server *server;
    struct bufferevent *bev;
    struct evbuffer *body;
    struct wire wire;
    struct event *timer;
    const struct wire_pace *pace;
    unsigned order, piece;
    bool tool, call;
};

static void on_read(struct bufferevent *bev, void *arg);

static void conn_free(struct conn *c)
{
    bufferevent_free(c->bev);
    evbuffer_free(c->body);
    event_free(c->timer);
    free(c);
}

static void next_request(struct conn *c)
{
    c->wire = (struct wire){ 0 };
    evbuffer_drain(c->body, evbuffer_get_length(c->body));
    on_read(c->bev, c);
}

/* --- the ERP --- */

static void answer_erp(struct conn *c, unsigned order)
{
    char body[200];
    int n = snprintf(body, sizeof body, "{\"data\":{\"order\":\"%u\",\"total\":\"%u\",\"currency\":\"EUR\"}}",
                     order, wire_total(order));
    c->server->erp++;
    evbuffer_add_printf(bufferevent_get_output(c->bev),
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                        n, body);
    next_request(c);
}

/* --- the model --- */

/* One event as its own HTTP chunk, as services send it. */
static void send_chunk(struct conn *c, const char *delta, const char *finish)
{
    char data[1024];
    int n = snprintf(
        data, sizeof data,
        "data: {\"id\":\"chatcmpl-%lu\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
        "\"model\":\"%s\",\"system_fingerprint\":\"fp_bench\",\"choices\":[{\"index\":0,\"delta\":%s,"
        "\"logprobs\":null,\"finish_reason\":%s}]}\n\n",
        c->server->model, c->pace->model, delta, finish);
    evbuffer_add_printf(bufferevent_get_output(c->bev), "%x\r\n%s\r\n", (unsigned)n, data);
}

static void finish(struct conn *c, const char *why)
{
    static const char tail[] =
        "data: {\"id\":\"u\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":"
        "{\"prompt_tokens\":120,\"completion_tokens\":60,\"total_tokens\":180}}\n\n";
    send_chunk(c, "{}", why);
    evbuffer_add_printf(bufferevent_get_output(c->bev), "%zx\r\n%s\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
                        sizeof tail - 1, tail);
    next_request(c);
}

static void send_piece(struct conn *c)
{
    char piece[80], delta[120];
    wire_piece(piece, sizeof piece, c->order, c->tool, c->piece++);
    snprintf(delta, sizeof delta, "{\"content\":\"%s\"}", piece);
    send_chunk(c, delta, "null");
}

static void send_call(struct conn *c)
{
    char delta[300];
    snprintf(
        delta, sizeof delta,
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_%lu\",\"type\":"
        "\"function\",\"function\":{\"name\":\"order_total\",\"arguments\":\"\"}}]}",
        c->server->model);
    send_chunk(c, delta, "null");
    snprintf(delta, sizeof delta,
             "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"order\\\":\\\"%u\\\"}\"}}]}",
             c->order);
    send_chunk(c, delta, "null");
    finish(c, "\"tool_calls\"");
}

static void wait_ms(struct conn *c, unsigned ms)
{
    const struct timeval tv = { ms / 1000, (int)(ms % 1000) * 1000 };
    event_add(c->timer, event_base_init_common_timeout(c->server->base, &tv));
}

/* The next piece, or all of them when there is no delay. */
static void go_on(struct conn *c)
{
    if (c->call) {
        send_call(c);
        return;
    }
    do {
        send_piece(c);
    } while (c->piece < c->pace->tokens && !c->pace->gap_ms);
    if (c->piece < c->pace->tokens)
        wait_ms(c, c->pace->gap_ms);
    else
        finish(c, "\"stop\"");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    go_on(arg);
}

/* The number after the first place where the mark stands; 0 when there is none. */
static unsigned number_after(const char *text, size_t len, const char *mark)
{
    const char *found = memmem(text, len, mark, strlen(mark)), *end = text + len;
    while (found && found < end && (*found < '0' || *found > '9'))
        found++;
    return found && found < end ? (unsigned)strtoul(found, NULL, 10) : 0;
}

static void answer_model(struct conn *c)
{
    size_t len = evbuffer_get_length(c->body);
    const char *body = (const char *)evbuffer_pullup(c->body, -1);
    const char *model = body ? memmem(body, len, "\"model\":\"", 9) : NULL;
    const char *quote = model ? memchr(model + 9, '"', len - (size_t)(model + 9 - body)) : NULL;
    c->server->model++;
    c->pace = quote ? wire_pace(model + 9, (size_t)(quote - model - 9)) : NULL;
    const char *result = body ? memmem(body, len, "\"role\":\"tool\"", 13) : NULL;
    c->order = body ? number_after(body, len, "order #") : 0;
    c->tool = result != NULL;
    c->piece = 0;
    c->call = !result && body && memmem(body, len, "\"tools\":[", 9);
    /* The figure must be that of the ERP. */
    bool right =
        !result || number_after(result, len - (size_t)(result - body), "total") == wire_total(c->order);
    if (!c->pace || !c->order || !right) {
        static const char sorry[] = "{\"error\":{\"message\":\"not of the bench\"}}";
        evbuffer_add_printf(
            bufferevent_get_output(c->bev),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            sizeof sorry - 1, sorry);
        next_request(c);
        return;
    }
    evbuffer_add_printf(bufferevent_get_output(c->bev),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n");
    if (c->pace->first_ms)
        wait_ms(c, c->pace->first_ms);
    else
        go_on(c);
}

/* --- connections --- */

static void on_read(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    unsigned order;
    if (c->wire.state == WIRE_DONE)
        return; /* an answer is under way */
    if (!wire_read(&c->wire, bufferevent_get_input(bev), c->body)) {
        conn_free(c);
        return;
    }
    if (c->wire.state != WIRE_DONE)
        return;
    if (sscanf(c->wire.first, "GET /orders/%u/total ", &order) == 1)
        answer_erp(c, order);
    else
        answer_model(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev, (void)what;
    conn_free(arg);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
    (void)l, (void)addr, (void)len;
    struct server *s = arg;
    struct conn *c = calloc(1, sizeof *c);
    wire_no_delay(fd);
    c->server = s;
    c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    c->body = evbuffer_new();
    c->timer = event_new(s->base, -1, 0, on_timer, c);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void on_ask(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    const struct server *s = arg;
    printf("{\"model\": %lu, \"erp\": %lu}\n", s->model, s->erp);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct server s = { event_base_new(), 0, 0 };
    if (argc != 2) {
        fprintf(stderr, "bench-upstreams ADDRESS:PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    evconnlistener_new(s.base, on_accept, &s, LEV_OPT_CLOSE_ON_FREE, 0, wire_listen(argv[1]));
    event_add(evsignal_new(s.base, SIGUSR1, on_ask, &s), NULL);
    event_base_dispatch(s.base);
    return 0;
}
