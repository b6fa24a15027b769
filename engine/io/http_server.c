/* SPDX-License-Identifier: Apache-2.0
 * Connections: accepting, reading, closing. A connection is in one of four states; conn_turn moves it on with what has arrived. */
#include "http_conn.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_MAX = 64 * 1024, BODY_GRACE_MS = 5000, LINGER_MS = 2000 };

const struct cg_http_limits cg_http_limits_default = { .head_ms = 10000,
                                                       .idle_ms = 75000,
                                                       .body_rate = 1024,
                                                       .write_ms = 30000,
                                                       .connections = 8192,
                                                       .requests = 100000 };

void cg_http_exchange_free(struct cg_http_conn *c)
{
    struct cg_exchange *x = c->x;
    if (!x)
        return;
    c->x = NULL;
    c->server->busy--;
    free(x->head_bytes);
    cg_buf_finish(&x->body);
    free(x);
}

static void conn_free(struct cg_http_conn *c)
{
    cg_http_exchange_free(c);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->server->open--;
    event_free(c->timer);
    bufferevent_free(c->bev);
    free(c);
}

/* The client is gone, or must go. Inside a turn the turn frees it. */
void cg_http_conn_close(struct cg_http_conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    if (c->x && c->x->closed && !c->x->replied) {
        void (*closed)(void *) = c->x->closed;
        c->x->closed = NULL;
        closed(c->x->closed_arg);
    }
    if (!c->in_turn)
        conn_free(c);
}

size_t cg_http_conn_unsent(const struct cg_http_conn *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

void cg_http_conn_timer(struct cg_http_conn *c, uint32_t ms)
{
    struct timeval tv = cg_ms(ms);
    if (ms)
        event_add(c->timer, &tv);
    else
        event_del(c->timer);
}

static void on_unwanted(struct bufferevent *bev, void *arg);
static void on_written(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);

static void refuse(struct cg_http_conn *c, int status, const char *why)
{
    c->x->head.keep_alive = false;
    c->server->handler.refuse(c->server->handler.arg, c->x, status, why);
}

static struct cg_exchange *exchange_create(struct cg_http_conn *c)
{
    struct cg_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->conn = c;
    c->x = x;
    c->server->busy++;
    cg_id_make("req_", x->id);
    return x;
}

static void body_done(struct cg_http_conn *c)
{
    c->state = CG_HTTP_BUSY;
    cg_http_conn_timer(c, 0);
    if (c->x->body.failed)
        refuse(c, 503, "Out of memory; try again.");
    else
        c->server->handler.request(c->server->handler.arg, c->x);
}

/* After it the body's size is known to be welcome, or the answer has been given. */
static void head_done(struct cg_http_conn *c)
{
    struct cg_exchange *x = c->x;
    struct cg_http_server *s = c->server;
    c->state = CG_HTTP_BODY;
    c->requests++;
    c->began_us = cg_mono_us();
    cg_http_conn_timer(c, BODY_GRACE_MS);
    if (s->draining || c->requests >= s->limits.requests)
        x->head.keep_alive = false;
    bool bodiless = !x->head.chunked && x->head.length <= 0;
    if (bodiless) /* nothing unread can be taken for a request: an early answer may keep the connection */
        c->state = CG_HTTP_BUSY;
    int64_t welcome = s->handler.head(s->handler.arg, x);
    if (welcome < 0 || c->dead)
        return;
    if (bodiless) {
        body_done(c);
        return;
    }
    x->body_max = (size_t)welcome;
    if (!x->piece && x->head.length > welcome) {
        refuse(c, 413, "The body is larger than this route takes.");
        return;
    }
    if (x->head.expect && (x->head.chunked || x->head.length > 0))
        evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
}

/* false: more bytes are needed. */
static bool read_head(struct cg_http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    if (len == 0)
        return false;
    if (!c->began_us) { /* the first byte: a kept-alive connection's idle time is over */
        c->began_us = cg_mono_us();
        cg_http_conn_timer(c, c->server->limits.head_ms);
    }
    if (len > CG_HTTP_HEAD_MAX + CG_HTTP_LINE_MAX)
        len = CG_HTTP_HEAD_MAX + CG_HTTP_LINE_MAX;
    struct cogent_str bytes = { (const char *)evbuffer_pullup(in, (ev_ssize_t)len), len };
    struct cg_http_head head;
    const char *why = "";
    int n = bytes.ptr ? cg_http_head_read(bytes, &head, &why) : -500;
    if (n == 0)
        return false;
    struct cg_exchange *x = exchange_create(c);
    if (!x) {
        cg_http_conn_close(c);
        return false;
    }
    if (n < 0) {
        c->state = CG_HTTP_BODY;
        refuse(c, -n, why);
        return true;
    }
    bytes.len = (size_t)n;
    x->head_bytes = cg_str_dup(bytes);
    if (!x->head_bytes ||
        cg_http_head_read((struct cogent_str){ x->head_bytes, bytes.len }, &x->head, &why) != n) {
        cg_http_conn_close(c);
        return false;
    }
    evbuffer_drain(in, (size_t)n);
    head_done(c);
    return true;
}

/* Hands bytes over. false: the exchange has been answered, or its client is gone. */
static bool give(struct cg_http_conn *c, struct cogent_str bytes)
{
    struct cg_exchange *x = c->x;
    x->given += (int64_t)bytes.len;
    x->window += (int64_t)bytes.len;
    bool more = bytes.len == 0 || x->piece(x->piece_arg, bytes);
    if (c->x != x || c->dead || c->state != CG_HTTP_BODY)
        return false;
    x->paused = !more;
    x->rested |= !more;
    return true;
}

/* As read_body, for a body that goes to its route as it comes. */
static bool pass_body(struct cg_http_conn *c)
{
    struct cg_exchange *x = c->x;
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    bool done = false;
    if (x->paused || len == 0)
        return false;
    if (!x->head.chunked) {
        int64_t left = x->head.length - x->given;
        size_t n = (int64_t)len < left ? len : (size_t)left;
        done = (int64_t)n == left;
        if (!give(c, (struct cogent_str){ (const char *)evbuffer_pullup(in, (ev_ssize_t)n), n }))
            return true;
        evbuffer_drain(in, n);
    } else {
        struct cogent_str bytes = { (const char *)evbuffer_pullup(in, -1), len };
        int64_t n = cg_chunked_read(&x->chunked, bytes, &x->body, SIZE_MAX, &done);
        if (n < 0 || x->body.failed) {
            refuse(c, n < 0 ? (int)-n : 503,
                   n < 0 ? "The chunked body is malformed." : "Out of memory; try again.");
            return true;
        }
        evbuffer_drain(in, (size_t)n);
        if (!give(c, cg_buf_view(&x->body)))
            return true;
        cg_buf_clear(&x->body);
    }
    if (done)
        body_done(c);
    return true;
}

static bool read_body(struct cg_http_conn *c)
{
    struct cg_exchange *x = c->x;
    if (x->piece)
        return pass_body(c);
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    bool done = false;
    if (!x->head.chunked) {
        size_t want = x->head.length > 0 ? (size_t)x->head.length - x->body.len : 0;
        size_t n = len < want ? len : want;
        if (n) {
            cg_buf_add(&x->body, evbuffer_pullup(in, (ev_ssize_t)n), n);
            evbuffer_drain(in, n);
        }
        done = n == want;
    } else if (len) {
        struct cogent_str bytes = { (const char *)evbuffer_pullup(in, -1), len };
        int64_t n = cg_chunked_read(&x->chunked, bytes, &x->body, x->body_max, &done);
        if (n < 0) {
            refuse(c, (int)-n,
                   n == -413 ? "The body is larger than this route takes."
                             : "The chunked body is malformed.");
            return true;
        }
        evbuffer_drain(in, (size_t)n);
    }
    if (done)
        body_done(c);
    return done;
}

/* What is on its way to the client goes out, then the connection closes. No time limit of its own: a client that
 * takes nothing is found by the time-out of the write. */
void cg_http_conn_last(struct cg_http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    c->state = CG_HTTP_LAST;
    cg_http_conn_timer(c, 0);
    evbuffer_drain(in, evbuffer_get_length(in));
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    bufferevent_setcb(c->bev, on_unwanted, on_written, on_event, c);
    if (cg_http_conn_unsent(c) == 0) /* no write will tell */
        bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}

static void conn_turn(struct cg_http_conn *c)
{
    if (c->in_turn)
        return;
    c->in_turn = true;
    bool more = true;
    while (more && !c->dead) {
        if (c->state == CG_HTTP_HEAD)
            more = read_head(c);
        else if (c->state == CG_HTTP_BODY)
            more = read_body(c);
        else
            more = false;
    }
    /* End of input: fine while an answer is under way or being sent; else the rest will never come. */
    if (!c->dead && c->eof && c->state == CG_HTTP_HEAD && cg_http_conn_unsent(c))
        cg_http_conn_last(c);
    else if (!c->dead && c->eof && !(c->state == CG_HTTP_BODY && c->x && c->x->paused) &&
             (c->state == CG_HTTP_HEAD || c->state == CG_HTTP_BODY || (c->x && c->x->fin_is_gone)))
        cg_http_conn_close(c);
    c->in_turn = false;
    if (c->dead)
        conn_free(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    conn_turn(arg);
}

/* Behind a refused head or body: read on, so that the client gets the answer, but keep nothing. */
static void on_unwanted(struct bufferevent *bev, void *arg)
{
    (void)arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct cg_http_conn *c = arg;
    if (c->state == CG_HTTP_LAST && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
        /* Let the client read the answer before a reset can throw it away. */
        shutdown(bufferevent_getfd(bev), SHUT_WR);
        cg_http_conn_timer(c, LINGER_MS);
        if (c->eof)
            cg_http_conn_close(c);
        return;
    }
    if (c->x && c->x->drained) {
        void (*drained)(void *) = c->x->drained;
        c->x->drained = NULL;
        drained(c->x->drained_arg);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct cg_http_conn *c = arg;
    if (!(what & BEV_EVENT_EOF)) { /* reset, or the client stopped reading */
        cg_http_conn_close(c);
        return;
    }
    c->eof = true;
    bufferevent_disable(bev, EV_READ);
    if (c->state != CG_HTTP_LAST)
        conn_turn(c);
    else if (cg_http_conn_unsent(c) == 0) /* else on_written closes */
        cg_http_conn_close(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cg_http_conn *c = arg;
    if (c->state == CG_HTTP_HEAD && c->began_us && !c->dead) {
        c->in_turn = true;
        if (exchange_create(c)) {
            c->state = CG_HTTP_BODY;
            refuse(c, 408, "The headers took too long.");
        } else {
            cg_http_conn_close(c);
        }
        c->in_turn = false;
        if (c->dead)
            conn_free(c);
        return;
    }
    if (c->state == CG_HTTP_HEAD &&
        cg_http_conn_unsent(c)) { /* a long answer, slowly read, is not idleness */
        cg_http_conn_timer(c, c->server->limits.idle_ms);
        return;
    }
    if (c->state == CG_HTTP_BODY && c->x && c->x->piece) {
        struct cg_exchange *x = c->x;
        bool enough = x->paused || x->rested ||
                      x->window >= (int64_t)c->server->limits.body_rate * BODY_GRACE_MS / 1000;
        x->window = 0;
        x->rested = false;
        if (enough) {
            cg_http_conn_timer(c, BODY_GRACE_MS);
            return;
        }
    } else if (c->state == CG_HTTP_BODY && c->x) {
        int64_t seconds = (cg_mono_us() - c->began_us) / 1000000;
        if ((int64_t)c->x->body.len >=
            (seconds - BODY_GRACE_MS / 1000) * (int64_t)c->server->limits.body_rate) {
            cg_http_conn_timer(c, 1000);
            return;
        }
    }
    cg_http_conn_close(c);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct cg_http_server *s = arg;
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return; /* another worker was quicker, or the client has gone */
    struct cg_http_conn *c = s->open < s->limits.connections ? calloc(1, sizeof *c) : NULL;
    if (c)
        c->bev = bufferevent_socket_new(cg_loop_base(s->loop), client, BEV_OPT_CLOSE_ON_FREE);
    if (c && c->bev)
        c->timer = event_new(cg_loop_base(s->loop), -1, 0, on_timer, c);
    if (!c || !c->bev || !c->timer) {
        if (c && c->bev)
            bufferevent_free(c->bev);
        else
            close(client);
        free(c);
        return;
    }
    struct timeval write_ms = cg_ms(s->limits.write_ms);
    const int on = 1;
    /* A stream's pieces go out at once. A Unix socket refuses the word, and never waits. */
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->server = s;
    c->next = s->conns;
    c->prev = &s->conns;
    if (c->next)
        c->next->prev = &c->next;
    s->conns = c;
    s->open++;
    bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
    bufferevent_set_timeouts(c->bev, NULL, &write_ms);
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_MAX);
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    cg_http_conn_timer(c, s->limits.head_ms);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct cg_http_server *cg_http_server_create(struct cg_loop *loop, const struct cg_http_limits *limits,
                                             const struct cg_http_handler *handler)
{
    struct cg_http_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    s->limits = *limits;
    s->handler = *handler;
    return s;
}

bool cg_http_server_listen(struct cg_http_server *s, int fd)
{
    if (s->n_listeners == CG_HTTP_LISTENERS_MAX || evutil_make_socket_nonblocking(fd) != 0)
        return false;
    struct event *ev = event_new(cg_loop_base(s->loop), fd, EV_READ | EV_PERSIST, on_accept, s);
    if (!ev || event_add(ev, NULL) != 0) {
        if (ev)
            event_free(ev);
        return false;
    }
    s->listeners[s->n_listeners++] = ev;
    return true;
}

static void close_listeners(struct cg_http_server *s)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        event_free(s->listeners[i]);
    s->n_listeners = 0;
}

void cg_http_server_drain(struct cg_http_server *s)
{
    s->draining = true;
    close_listeners(s);
    for (struct cg_http_conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->x)
            c->x->head.keep_alive = false;
        else if (c->state == CG_HTTP_HEAD && cg_http_conn_unsent(c))
            cg_http_conn_last(c);
        else if (c->state == CG_HTTP_HEAD && c->requests > 0 &&
                 evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
            cg_http_conn_close(c);
    }
}

unsigned cg_http_server_fresh(const struct cg_http_server *s)
{
    unsigned n = 0;
    for (const struct cg_http_conn *c = s->conns; c; c = c->next)
        n += c->state == CG_HTTP_HEAD && c->requests == 0;
    return n;
}

unsigned cg_http_server_open(const struct cg_http_server *s)
{
    return s->open;
}

unsigned cg_http_server_busy(const struct cg_http_server *s)
{
    return s->busy;
}

void cg_http_server_destroy(struct cg_http_server *s)
{
    if (!s)
        return;
    close_listeners(s);
    while (s->conns)
        cg_http_conn_close(s->conns);
    free(s);
}
