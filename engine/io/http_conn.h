/* SPDX-License-Identifier: Apache-2.0
 * A connection and its exchange, between the parts of the server: http_accept.c lets connections in, http_server.c
 * keeps them and reads heads, http_body.c reads bodies, http_exchange.c answers. For those only. */
#ifndef CG_IO_HTTP_CONN_H
#define CG_IO_HTTP_CONN_H

#include "http_chunked.h"
#include "http_server.h"
#include "loop_base.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

enum { CG_HTTP_LISTENERS_MAX = 8, CG_HTTP_DRAIN_AT = 16 * 1024 };

enum cg_http_state {
    CG_HTTP_HEAD,
    CG_HTTP_BODY,
    CG_HTTP_BUSY,
    CG_HTTP_LAST
}; /* CG_HTTP_LAST: the reply is on its way, then the connection closes */

struct cg_exchange {
    struct cg_http_conn *conn;
    char *head_bytes; /* what head borrows from */
    struct cg_http_head head;
    struct cg_buf body;
    struct cg_chunked chunked;
    size_t body_max;
    char id[CG_ID_SIZE];
    void *data;
    void (*closed)(void *arg);
    void (*drained)(void *arg);
    bool (*piece)(void *arg, struct cogent_str bytes);
    void *closed_arg, *drained_arg, *piece_arg;
    int64_t given;       /* bytes of the body handed over */
    int64_t window;      /* of them, since the rate was last looked at */
    bool paused, rested; /* rested: paused since then */
    bool fin_is_gone, begun, chunk_out, replied, no_body;
    bool torn; /* memory for a part of the answer was not to be had */
};

struct cg_http_conn {
    struct cg_http_server *server;
    struct cg_http_conn *next, **prev;
    struct bufferevent *bev;
    struct event *timer;
    struct cg_task flush; /* what this turn of the loop made for the client */
    struct cg_exchange *x;
    enum cg_http_state state;
    int64_t began_us;
    unsigned requests;
    size_t looked; /* bytes of a head that have been looked at */
    struct cg_peer *peer;
    struct cg_http_conn *longer, *shorter; /* than this one, of those that wait */
    int64_t waits_since_us;
    bool waiting, turned_away, eof, in_turn, dead;
};

/* libevent keeps timers of one duration in a queue instead of its heap, when it is told of the duration. */
enum { CG_HTTP_TIMEOUTS = 5 };
struct cg_http_timeout {
    uint32_t ms;
    struct timeval tv;
};

struct cg_http_server {
    struct cg_loop *loop;
    struct cg_http_limits limits;
    struct cg_http_timeout timeouts[CG_HTTP_TIMEOUTS];
    struct cg_http_handler handler;
    struct cg_http_conn *conns;
    struct cg_http_conn *longest, *shortest; /* those that wait for a request, by when they began to */
    struct cg_peers *peers;
    unsigned open, busy, turned_away;
    struct event *listeners[CG_HTTP_LISTENERS_MAX];
    size_t n_listeners;
    struct event *rest; /* from accepting, while there are no descriptors */
    int64_t full_said_us;
    unsigned at_once; /* newcomers taken at a wake-up; 0: they are left to others */
    bool draining;
};

/* NULL without memory; the socket is closed then. */
struct cg_http_conn *cg_http_conn_open(struct cg_http_server *s, int fd);
/* The client is gone, or must go; inside a turn the turn frees it. */
void cg_http_conn_close(struct cg_http_conn *c);
/* What is on its way goes out, then the connection closes. */
void cg_http_conn_last(struct cg_http_conn *c);
/* Nothing is asked for now: from here on the connection may have to make room for another. */
void cg_http_conn_wait(struct cg_http_conn *c);
void cg_http_conn_timer(struct cg_http_conn *c, uint32_t ms); /* 0: none */
size_t cg_http_conn_unsent(const struct cg_http_conn *c);
void cg_http_exchange_free(struct cg_http_conn *c);
/* The reader's own answer, the last of the connection. */
void cg_http_conn_refuse(struct cg_http_conn *c, int status, const char *why);
void cg_http_conn_refuse_now(struct cg_http_conn *c, int status,
                             const char *why); /* from outside of a turn */

bool cg_http_accept_init(struct cg_http_server *s);
void cg_http_accept_stop(struct cg_http_server *s); /* listens no more */
void cg_http_accept_finish(struct cg_http_server *s);

/* Takes what has come of a body. false: more is needed. */
bool cg_http_body_read(struct cg_http_conn *c);
void cg_http_body_done(struct cg_http_conn *c);
/* Looks at a body's rate: when to look again (ms), or 0 when it is too slow. */
uint32_t cg_http_body_on_time(struct cg_http_conn *c);

#endif
