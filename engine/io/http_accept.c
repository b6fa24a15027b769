/* SPDX-License-Identifier: Apache-2.0
 * Who comes in: connections are taken from the listeners, counted by address, and turned away when there are too many. */
#include "http_conn.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TURNED_AWAY_MAX = 64, /* those who are being told so; whoever comes then is not told */
    REST_MS = 100,
    PATIENCE_MS = 10
};

/* Something has come that has not been read yet. */
static bool has_asked(const struct cg_http_conn *c)
{
    int n = 0;
    return ioctl(bufferevent_getfd(c->bev), FIONREAD, &n) == 0 && n > 0;
}

/* Whoever has waited for the longest time goes; not who has just come, whose request may be on its way. false: there is
 * nobody. */
static bool make_room(struct cg_http_server *s)
{
    int64_t latest = cg_mono_us() - PATIENCE_MS * 1000;
    struct cg_http_conn *c = s->longest;
    while (c && c->waits_since_us <= latest && (cg_http_conn_unsent(c) || has_asked(c)))
        c = c->shorter;
    if (!c || c->waits_since_us > latest)
        return false;
    cg_http_conn_close(c);
    return true;
}

static void listeners_on(struct cg_http_server *s, bool on)
{
    for (size_t i = 0; i < s->n_listeners; i++) {
        if (on)
            event_add(s->listeners[i], NULL);
        else
            event_del(s->listeners[i]);
    }
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cg_http_server *s = arg;
    listeners_on(s, s->at_once > 0);
}

void cg_http_server_take(struct cg_http_server *s, unsigned at_once)
{
    bool changes = (s->at_once > 0) != (at_once > 0);
    s->at_once = at_once;
    if (changes &&
        !event_pending(s->rest, EV_TIMEOUT, NULL)) /* else it rests for want of descriptors, and looks then */
        listeners_on(s, at_once > 0);
}

/* A listener that cannot be served would wake the loop without end. */
static void accept_failed(struct cg_http_server *s)
{
    const struct timeval tv = cg_ms(REST_MS);
    bool is_full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!is_full) /* another worker was quicker, or the client has gone */
        return;
    if (cg_mono_us() - s->full_said_us > 1000000) {
        s->full_said_us = cg_mono_us();
        cg_log(CG_WARN, "http.full", CG_I("errno", errno), CG_I("connections", s->open));
    }
    if (make_room(s))
        return;
    listeners_on(s, false);
    event_add(s->rest, &tv);
}

/* 0: it may stay; 429 or 503: it may not. */
static int judge_peer(struct cg_http_server *s, const struct sockaddr *from, struct cg_peer **peer)
{
    if (!cg_peers_enter(s->peers, from, peer))
        return 429;
    return s->open - s->turned_away < s->limits.connections || make_room(s) ? 0 : 503;
}

static void turn_away(struct cg_http_conn *c, int status)
{
    c->turned_away = true;
    c->server->turned_away++;
    cg_http_conn_refuse_now(
        c, status,
        status == 429
            ? "This address has as many connections as one may have (http.peer_connections); a proxy that "
              "speaks for many is named in http.trusted_proxies."
            : "This server has as many connections as it may have; try again later.");
}

/* false: there is none, or it could not be had. */
static bool take_one(struct cg_http_server *s, int fd)
{
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof from;
    struct cg_peer *peer = NULL;
    int client = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) {
        accept_failed(s);
        return false;
    }
    int status = judge_peer(s, (struct sockaddr *)&from, &peer);
    struct cg_http_conn *c = NULL;
    if (status == 0 || s->turned_away < TURNED_AWAY_MAX)
        c = cg_http_conn_open(s, client);
    else
        close(client);
    if (!c) {
        cg_peers_leave(s->peers, peer);
        return true;
    }
    c->peer = peer;
    if (status)
        turn_away(c, status);
    return true;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct cg_http_server *s = arg;
    for (unsigned i = 0; i < s->at_once && take_one(s, fd); i++)
        ;
}

bool cg_http_accept_init(struct cg_http_server *s)
{
    s->at_once = 1;
    s->rest = event_new(cg_loop_base(s->loop), -1, 0, on_rested, s);
    return s->rest != NULL;
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

void cg_http_accept_stop(struct cg_http_server *s)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        event_free(s->listeners[i]);
    s->n_listeners = 0;
    if (s->rest)
        event_del(s->rest);
}

void cg_http_accept_finish(struct cg_http_server *s)
{
    cg_http_accept_stop(s);
    if (s->rest)
        event_free(s->rest);
}
