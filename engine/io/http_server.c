/* SPDX-License-Identifier: Apache-2.0
 * Connections: accepting, reading, closing. A connection is in one of four states; conn_turn moves it on with what has arrived. */
#include "http_conn.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_MAX = 64 * 1024,
    LINGER_MS = 2000,
    UNSENT_MAX = 64 * 1024, /* answers that a client has not taken, beyond which it is asked nothing more */
    KERNEL_MAX = 64 * 1024, /* the same, of what the kernel has taken and not sent */
    SHARE = 16,             /* requests of a connection in a turn of the loop */
    LOOK = 1024             /* bytes of a head after which it is read again, even if no line has ended */
};

const struct cg_http_limits cg_http_limits_default = { .head_ms = 10000,
                                                       .idle_ms = 75000,
                                                       .body_grace_ms = 5000,
                                                       .body_rate = 1024,
                                                       .write_ms = 30000,
                                                       .connections = 8192,
                                                       .requests = 100000,
                                                       .peer_connections = 1024 };

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

static void conn_stops_waiting(struct cg_http_conn *c)
{
    if (!c->waiting)
        return;
    c->waiting = false;
    *(c->longer ? &c->longer->shorter : &c->server->longest) = c->shorter;
    *(c->shorter ? &c->shorter->longer : &c->server->shortest) = c->longer;
    c->longer = c->shorter = NULL;
}

static void conn_waits(struct cg_http_conn *c)
{
    struct cg_http_server *s = c->server;
    c->waiting = true;
    c->waits_since_us = cg_mono_us();
    c->longer = s->shortest;
    *(s->shortest ? &s->shortest->shorter : &s->longest) = c;
    s->shortest = c;
}

static void conn_free(struct cg_http_conn *c)
{
    cg_http_exchange_free(c);
    conn_stops_waiting(c);
    cg_peers_leave(c->server->peers, c->peer);
    c->server->turned_away -= c->turned_away;
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->server->open--;
    cg_task_cancel(c->server->loop, &c->flush);
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

/* With thousands of connections a heap of timers would cost every request a walk through all of their memory. */
static void init_timeouts(struct cg_http_server *s)
{
    const struct cg_http_limits *l = &s->limits;
    const uint32_t all[CG_HTTP_TIMEOUTS] = { l->head_ms, l->idle_ms, l->body_grace_ms, l->write_ms,
                                             LINGER_MS };
    for (size_t i = 0; i < CG_HTTP_TIMEOUTS; i++) {
        struct timeval tv = cg_ms(all[i]);
        const struct timeval *common = event_base_init_common_timeout(cg_loop_base(s->loop), &tv);
        s->timeouts[i] = (struct cg_http_timeout){ all[i], common ? *common : tv };
    }
}

static struct timeval timeout_of(const struct cg_http_server *s, uint32_t ms)
{
    for (size_t i = 0; i < CG_HTTP_TIMEOUTS; i++) {
        if (s->timeouts[i].ms == ms)
            return s->timeouts[i].tv;
    }
    return cg_ms(ms);
}

void cg_http_conn_timer(struct cg_http_conn *c, uint32_t ms)
{
    struct timeval tv = timeout_of(c->server, ms);
    if (ms)
        event_add(c->timer, &tv);
    else
        event_del(c->timer);
}

void cg_http_conn_wait(struct cg_http_conn *c)
{
    c->state = CG_HTTP_HEAD;
    cg_http_conn_timer(c, c->server->limits.idle_ms);
    conn_waits(c);
}

static void on_unwanted(struct bufferevent *bev, void *arg);
static void on_written(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);

void cg_http_conn_refuse(struct cg_http_conn *c, int status, const char *why)
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
    c->looked = 0;
    conn_stops_waiting(c);
    c->server->busy++;
    cg_id_make("req_", x->id);
    return x;
}

void cg_http_body_done(struct cg_http_conn *c)
{
    c->state = CG_HTTP_BUSY;
    cg_http_conn_timer(c, 0);
    if (c->x->body.failed)
        cg_http_conn_refuse(c, 503, "Out of memory; try again.");
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
    if (s->draining || c->requests >= s->limits.requests)
        x->head.keep_alive = false;
    bool bodiless = !x->head.chunked && x->head.length <= 0;
    cg_http_conn_timer(c, bodiless ? 0 : s->limits.body_grace_ms);
    if (bodiless) /* nothing unread can be taken for a request: an early answer may keep the connection */
        c->state = CG_HTTP_BUSY;
    int64_t welcome = s->handler.head(s->handler.arg, x);
    if (welcome < 0 || c->dead)
        return;
    if (bodiless) {
        cg_http_body_done(c);
        return;
    }
    x->body_max = (size_t)welcome;
    if (!x->piece && x->head.length > welcome) {
        cg_http_conn_refuse(c, 413, "The body is larger than this route takes.");
        return;
    }
    if (x->head.expect && (x->head.chunked || x->head.length > 0))
        evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
}

/* A head that comes byte by byte is not read anew for each: only when a line may have ended, or something is in it that no
 * line may hold. A tab may stand in one. */
static bool worth_reading(struct cg_http_conn *c, struct cogent_str bytes)
{
    size_t from = c->looked;
    c->looked = bytes.len;
    for (size_t i = from; i < bytes.len; i++) {
        if ((unsigned char)bytes.ptr[i] < 0x20 && bytes.ptr[i] != '\t')
            return true;
    }
    return from / LOOK != bytes.len / LOOK;
}

/* false: more bytes are needed. */
static bool read_head(struct cg_http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    if (len == 0 || cg_http_conn_unsent(c) > UNSENT_MAX)
        return false;   /* on_written goes on with what waits */
    if (!c->began_us) { /* the first byte: a kept-alive connection's idle time is over */
        c->began_us = cg_mono_us();
        cg_http_conn_timer(c, c->server->limits.head_ms);
        conn_stops_waiting(c);
    }
    if (len > CG_HTTP_HEAD_MAX + CG_HTTP_LINE_MAX)
        len = CG_HTTP_HEAD_MAX + CG_HTTP_LINE_MAX;
    struct cogent_str bytes = { (const char *)evbuffer_pullup(in, (ev_ssize_t)len), len };
    if (bytes.ptr && !worth_reading(c, bytes))
        return false;
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
        cg_http_conn_refuse(c, -n, why);
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

/* What is on its way to the client goes out, then the connection closes. No time limit of its own: a client that
 * takes nothing is found by the time-out of the write. */
void cg_http_conn_last(struct cg_http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    c->state = CG_HTTP_LAST;
    conn_stops_waiting(c);
    cg_http_conn_timer(c, 0);
    evbuffer_drain(in, evbuffer_get_length(in));
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    bufferevent_setcb(c->bev, on_unwanted, on_written, on_event, c);
    if (cg_http_conn_unsent(c) == 0) /* no write will tell */
        bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}

/* The end of input: fine while an answer is under way or being sent; else the rest will never come. */
static void conn_ends(struct cg_http_conn *c)
{
    size_t unsent = cg_http_conn_unsent(c);
    if (c->state == CG_HTTP_HEAD && unsent > UNSENT_MAX && evbuffer_get_length(bufferevent_get_input(c->bev)))
        return; /* more requests wait until these answers are taken */
    if (c->state == CG_HTTP_HEAD && unsent)
        cg_http_conn_last(c);
    else if (c->state == CG_HTTP_HEAD || (c->state == CG_HTTP_BODY && !(c->x && c->x->paused)) ||
             (c->x && c->x->fin_is_gone))
        cg_http_conn_close(c);
}

static void conn_turn(struct cg_http_conn *c)
{
    if (c->in_turn)
        return;
    c->in_turn = true;
    bool more = true;
    unsigned share = c->requests + SHARE;
    while (more && !c->dead && c->requests != share) {
        if (c->state == CG_HTTP_HEAD)
            more = read_head(c);
        else if (c->state == CG_HTTP_BODY)
            more = cg_http_body_read(c);
        else
            more = false;
    }
    if (!c->dead && more) /* the others first */
        bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
    else if (!c->dead && c->eof)
        conn_ends(c);
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
    if (cg_http_conn_unsent(c) == 0)
        bufferevent_disable(bev, EV_WRITE);
    if (c->state == CG_HTTP_LAST && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
        /* Let the client read the answer before a reset can throw it away. */
        shutdown(bufferevent_getfd(bev), SHUT_WR);
        cg_http_conn_timer(c, LINGER_MS);
        if (c->eof)
            cg_http_conn_close(c);
        return;
    }
    if (c->state == CG_HTTP_HEAD && evbuffer_get_length(bufferevent_get_input(bev))) {
        conn_turn(c); /* what waited for this */
        return;
    }
    if (c->x && c->x->drained) {
        void (*drained)(void *) = c->x->drained;
        c->x->drained = NULL;
        drained(c->x->drained_arg);
    }
}

/* What a turn of the loop made for a client leaves in one write at the turn's end. The loop is asked to say when the socket
 * takes more only if it did not take all: it nearly always does, and asking costs two calls of the kernel. */
static void flush(void *arg)
{
    struct cg_http_conn *c = arg;
    struct evbuffer *out = bufferevent_get_output(c->bev);
    evbuffer_unfreeze(out, 1); /* a bufferevent keeps others from taking what it is to write */
    int n = evbuffer_write(out, bufferevent_getfd(c->bev));
    evbuffer_freeze(out, 1);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        cg_http_conn_close(c);
        return;
    }
    size_t left = cg_http_conn_unsent(c);
    if (left)
        bufferevent_enable(c->bev, EV_WRITE);
    if (left <= CG_HTTP_DRAIN_AT)
        on_written(c->bev, c);
}

static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    (void)out;
    struct cg_http_conn *c = arg;
    if (info->n_added && !(bufferevent_get_enabled(c->bev) & EV_WRITE))
        cg_task_later(c->server->loop, &c->flush);
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

/* Said from outside of a turn: the client is late, or one too many, and may mean well. */
void cg_http_conn_refuse_now(struct cg_http_conn *c, int status, const char *why)
{
    c->in_turn = true;
    if (c->x || exchange_create(c)) {
        c->state = CG_HTTP_BODY;
        cg_http_conn_refuse(c, status, why);
    } else {
        cg_http_conn_close(c);
    }
    c->in_turn = false;
    if (c->dead)
        conn_free(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cg_http_conn *c = arg;
    if (c->state == CG_HTTP_HEAD && c->began_us) {
        cg_http_conn_refuse_now(c, 408, "The headers took too long.");
    } else if (c->state == CG_HTTP_HEAD && cg_http_conn_unsent(c)) {
        cg_http_conn_timer(c, c->server->limits.idle_ms); /* a long answer, slowly read, is not idleness */
    } else if (c->state == CG_HTTP_BODY) {
        uint32_t again = cg_http_body_on_time(c);
        if (again)
            cg_http_conn_timer(c, again);
        else
            cg_http_conn_refuse_now(c, 408, "The body comes too slowly.");
    } else {
        cg_http_conn_close(c);
    }
}

static bool conn_make(struct cg_http_server *s, int fd, struct cg_http_conn **out)
{
    struct cg_http_conn *c = calloc(1, sizeof *c);
    *out = c;
    if (!c)
        return false;
    c->server = s;
    c->flush = (struct cg_task){ .fn = flush, .arg = c };
    c->bev = bufferevent_socket_new(cg_loop_base(s->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    c->timer = c->bev ? event_new(cg_loop_base(s->loop), -1, 0, on_timer, c) : NULL;
    return c->timer && evbuffer_add_cb(bufferevent_get_output(c->bev), on_output, c);
}

struct cg_http_conn *cg_http_conn_open(struct cg_http_server *s, int fd)
{
    struct timeval write_ms = timeout_of(s, s->limits.write_ms);
    const int on = 1, waiting = KERNEL_MAX;
    struct cg_http_conn *c;
    if (!conn_make(s, fd, &c)) {
        if (c && c->timer)
            event_free(c->timer);
        if (c && c->bev)
            bufferevent_free(c->bev);
        else
            close(fd);
        free(c);
        return NULL;
    }
    /* A stream's pieces go out at once. A Unix socket refuses the word, and never waits. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Else the kernel keeps megabytes for a client that takes nothing. What is on its way does not count. */
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &waiting, sizeof waiting);
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
    bufferevent_disable(c->bev, EV_WRITE);
    bufferevent_enable(c->bev, EV_READ);
    cg_http_conn_wait(c);
    cg_http_conn_timer(c, s->limits.head_ms); /* the first request is awaited for a shorter time */
    return c;
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
    init_timeouts(s);
    s->peers = cg_peers_create(limits->peer_connections, limits->trusted, limits->n_trusted);
    if (s->peers && cg_http_accept_init(s))
        return s;
    cg_http_server_destroy(s);
    return NULL;
}

void cg_http_server_drain(struct cg_http_server *s)
{
    s->draining = true;
    cg_http_accept_stop(s);
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
    cg_http_accept_finish(s);
    while (s->conns)
        cg_http_conn_close(s->conns);
    cg_peers_destroy(s->peers);
    free(s);
}
