/* SPDX-License-Identifier: Apache-2.0
 * The HTTP/1.1 server: strict head and body reading on one side, replies and streams on the other. One exchange at a
 * time a connection; pipelined requests wait. All on the loop thread. */
#ifndef CG_IO_HTTP_SERVER_H
#define CG_IO_HTTP_SERVER_H

#include "http_head.h"
#include "loop.h"
#include "peers.h"

struct cg_http_server;
struct cg_exchange; /* one request and its reply; the server's, gone after its end or its close */

struct cg_http_handler {
    /* The head is there. Returns how many bytes of body are welcome, or -1 when it has answered already. */
    int64_t (*head)(void *arg, struct cg_exchange *x);
    /* The body is there too: reply now or later. */
    void (*request)(void *arg, struct cg_exchange *x);
    /* The reader refuses what came, or who came: the body of the answer, of any length. */
    void (*refuse)(void *arg, struct cg_exchange *x, int status, const char *why);
    void *arg;
};

struct cg_http_limits {
    uint32_t head_ms; /* from the first byte, or from accept, to the end of the head */
    uint32_t idle_ms; /* kept-alive connection without a request */
    uint32_t body_grace_ms;
    uint32_t body_rate; /* bytes a second a body must keep up, after its grace; while nobody pauses it */
    uint32_t write_ms;  /* a client that reads nothing for so long is gone */
    unsigned connections;
    unsigned requests;         /* a connection */
    unsigned peer_connections; /* of one address, which is not in trusted; 0: any number */
    const struct cg_net *trusted;
    size_t n_trusted; /* borrowed for the life of the server */
};

extern const struct cg_http_limits cg_http_limits_default;

struct cg_http_server *cg_http_server_create(struct cg_loop *loop, const struct cg_http_limits *limits,
                                             const struct cg_http_handler *handler);
/* A listening socket, inherited or own; the server never closes it. false without memory.
 * Who comes when there are `connections`, or no descriptors, takes the place of whoever has waited for longest with no
 * request; when nobody has, they are told 503. An address that has its `peer_connections` is told 429. */
bool cg_http_server_listen(struct cg_http_server *server, int fd);
/* How many newcomers are taken at a wake-up: one, unless it is told otherwise, so that other workers get their share; none
 * leaves them to the others. */
void cg_http_server_take(struct cg_http_server *server, unsigned at_once);
/* Stops accepting; open exchanges go on, idle connections close, but for those that have not asked anything yet: whoever
 * has just connected is about to. */
void cg_http_server_drain(struct cg_http_server *server);
unsigned cg_http_server_fresh(const struct cg_http_server *server); /* connections that have not asked yet */
unsigned cg_http_server_open(const struct cg_http_server *server);  /* connections */
unsigned cg_http_server_busy(const struct cg_http_server *server);  /* exchanges */
void cg_http_server_destroy(struct cg_http_server *server);

/* The request; borrowed for the life of the exchange. */
const struct cg_http_head *cg_exchange_head(const struct cg_exchange *x);
struct cogent_str cg_exchange_body(const struct cg_exchange *x);
const char *cg_exchange_id(const struct cg_exchange *x); /* "req_..." */
void *cg_exchange_data(const struct cg_exchange *x);
void cg_exchange_set_data(struct cg_exchange *x, void *data);

/* In `head`: the body is not collected but handed over as it comes, however long it is. piece(arg, bytes) takes each
 * piece whole (at most some 64 KiB); false: no more before cg_exchange_resume, and nothing is read meanwhile. It may
 * answer instead, and looks at neither bytes nor exchange then. After the last piece comes `request`, paused or not. */
void cg_exchange_on_body(struct cg_exchange *x, bool (*piece)(void *arg, struct cogent_str bytes), void *arg);
void cg_exchange_resume(struct cg_exchange *x);

/* closed(arg) once when the client is gone before the end. */
void cg_exchange_on_close(struct cg_exchange *x, void (*closed)(void *arg), void *arg);
/* From now on a half-closed client counts as gone too. */
void cg_exchange_watch_fin(struct cg_exchange *x);

/* A whole answer. extra: header lines, each ended by CRLF, or NULL. Ends the exchange. */
void cg_exchange_reply(struct cg_exchange *x, int status, const char *content_type, const char *extra,
                       struct cogent_str body);
/* A stream of unknown length: begin, any number of writes, end. */
void cg_exchange_begin(struct cg_exchange *x, int status, const char *content_type, const char *extra);
void cg_exchange_write(struct cg_exchange *x, struct cogent_str bytes);
void cg_exchange_end(struct cg_exchange *x);
/* Breaks the connection, as if the client had left: closed is called. */
void cg_exchange_abort(struct cg_exchange *x);
/* Bytes not yet taken by the client; drained(arg) once when they fall under 16 KiB. */
size_t cg_exchange_pending(const struct cg_exchange *x);
void cg_exchange_on_drain(struct cg_exchange *x, void (*drained)(void *arg), void *arg);

#endif
