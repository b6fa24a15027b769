/* SPDX-License-Identifier: Apache-2.0
 * The answering side of an exchange. */
#include "http_conn.h"

#include <stdio.h>

enum { CHUNK_SIZE_MAX = 24 }; /* its line */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = { { 100, "Continue" },
                  { 200, "OK" },
                  { 201, "Created" },
                  { 202, "Accepted" },
                  { 204, "No Content" },
                  { 400, "Bad Request" },
                  { 401, "Unauthorized" },
                  { 402, "Payment Required" },
                  { 403, "Forbidden" },
                  { 404, "Not Found" },
                  { 405, "Method Not Allowed" },
                  { 408, "Request Timeout" },
                  { 409, "Conflict" },
                  { 410, "Gone" },
                  { 413, "Content Too Large" },
                  { 414, "URI Too Long" },
                  { 415, "Unsupported Media Type" },
                  { 417, "Expectation Failed" },
                  { 422, "Unprocessable Content" },
                  { 429, "Too Many Requests" },
                  { 431, "Request Header Fields Too Large" },
                  { 499, "Client Closed Request" },
                  { 500, "Internal Server Error" },
                  { 502, "Bad Gateway" },
                  { 503, "Service Unavailable" },
                  { 504, "Gateway Timeout" },
                  { 505, "HTTP Version Not Supported" } };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status)
            return table[i].words;
    }
    return "Other";
}

const struct cg_http_head *cg_exchange_head(const struct cg_exchange *x)
{
    return &x->head;
}

struct cogent_str cg_exchange_body(const struct cg_exchange *x)
{
    return cg_buf_view(&x->body);
}

const char *cg_exchange_id(const struct cg_exchange *x)
{
    return x->id;
}

void *cg_exchange_data(const struct cg_exchange *x)
{
    return x->data;
}

void cg_exchange_set_data(struct cg_exchange *x, void *data)
{
    x->data = data;
}

void cg_exchange_on_close(struct cg_exchange *x, void (*closed)(void *arg), void *arg)
{
    x->closed = closed;
    x->closed_arg = arg;
}

void cg_exchange_on_body(struct cg_exchange *x, bool (*piece)(void *arg, struct cogent_str bytes), void *arg)
{
    x->piece = piece;
    x->piece_arg = arg;
}

void cg_exchange_resume(struct cg_exchange *x)
{
    if (!x->paused)
        return;
    x->paused = false;
    if (x->conn->state == CG_HTTP_BODY && !x->conn->in_turn) /* what has arrived waits in the buffer */
        bufferevent_trigger(x->conn->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}

void cg_exchange_watch_fin(struct cg_exchange *x)
{
    x->fin_is_gone = true;
    if (x->conn->eof) /* it went before we asked; tell at the end of this turn */
        cg_http_conn_timer(x->conn, 1);
}

/* false without memory: a part of it may stand there. */
static bool write_head(struct cg_exchange *x, int status, const char *content_type, const char *extra,
                       int64_t length)
{
    struct evbuffer *out = bufferevent_get_output(x->conn->bev);
    bool ok =
        evbuffer_add_printf(
            out,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nX-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\n",
            status, reason(status), content_type, x->id) >= 0;
    if (extra)
        ok = ok && evbuffer_add(out, extra, strlen(extra)) == 0;
    if (length >= 0)
        ok = ok && evbuffer_add_printf(out, "Content-Length: %lld\r\n", (long long)length) >= 0;
    else if (x->chunk_out)
        ok = ok && evbuffer_add_printf(out, "Transfer-Encoding: chunked\r\n") >= 0;
    return ok && evbuffer_add_printf(out, "Connection: %s\r\n\r\n",
                                     x->head.keep_alive ? "keep-alive" : "close") >= 0;
}

/* The reply is complete: on to the next request, or out. One with a hole in it must not look whole, nor may the next one's
 * answer fill it. */
static void exchange_over(struct cg_exchange *x)
{
    struct cg_http_conn *c = x->conn;
    if (x->torn) {
        x->replied = true;
        cg_http_conn_close(c);
        return;
    }
    size_t waiting = evbuffer_get_length(bufferevent_get_input(c->bev));
    /* An unread body would be taken for the next request. */
    bool keep =
        x->head.keep_alive && c->state == CG_HTTP_BUSY && (!c->eof || waiting) && !c->server->draining;
    x->replied = true;
    x->closed = NULL;
    cg_http_exchange_free(c);
    c->began_us = 0;
    if (!keep) {
        cg_http_conn_last(c);
        return;
    }
    cg_http_conn_wait(c);
    if (!c->in_turn && waiting)
        bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

void cg_exchange_reply(struct cg_exchange *x, int status, const char *content_type, const char *extra,
                       struct cogent_str body)
{
    struct cg_http_conn *c = x->conn;
    if (c->dead)
        return;
    if (c->state != CG_HTTP_BUSY)
        x->head.keep_alive = false;
    bool ok = write_head(x, status, content_type, extra, status == 204 ? -1 : (int64_t)body.len);
    if (!cg_str_eq(x->head.method, "HEAD"))
        ok = ok && evbuffer_add(bufferevent_get_output(c->bev), body.ptr, body.len) == 0;
    x->torn |= !ok;
    exchange_over(x);
}

void cg_exchange_begin(struct cg_exchange *x, int status, const char *content_type, const char *extra)
{
    if (x->conn->dead)
        return;
    x->chunk_out = x->head.minor == 1;
    x->no_body = cg_str_eq(x->head.method, "HEAD");
    if (!x->chunk_out || x->conn->state != CG_HTTP_BUSY)
        x->head.keep_alive = false;
    x->begun = true;
    x->torn |= !write_head(x, status, content_type, extra, -1);
}

/* As one addition: each costs its callbacks. false without memory. */
static bool add_chunk(struct evbuffer *out, struct cogent_str bytes)
{
    char size[CHUNK_SIZE_MAX];
    struct evbuffer_iovec space;
    int n = snprintf(size, sizeof size, "%zx\r\n", bytes.len);
    size_t total = (size_t)n + bytes.len + 2;
    if (evbuffer_reserve_space(out, (ev_ssize_t)total, &space, 1) != 1)
        return false;
    char *at = space.iov_base;
    memcpy(at, size, (size_t)n);
    memcpy(at + n, bytes.ptr, bytes.len);
    memcpy(at + n + bytes.len, "\r\n", 2);
    space.iov_len = total;
    return evbuffer_commit_space(out, &space, 1) == 0;
}

void cg_exchange_write(struct cg_exchange *x, struct cogent_str bytes)
{
    if (x->conn->dead || bytes.len == 0 || x->no_body)
        return;
    struct evbuffer *out = bufferevent_get_output(x->conn->bev);
    bool added = x->chunk_out ? add_chunk(out, bytes) : evbuffer_add(out, bytes.ptr, bytes.len) == 0;
    x->torn |= !added;
}

void cg_exchange_end(struct cg_exchange *x)
{
    if (x->conn->dead)
        return;
    if (x->chunk_out && !x->no_body)
        x->torn |= evbuffer_add(bufferevent_get_output(x->conn->bev), "0\r\n\r\n", 5) != 0;
    exchange_over(x);
}

void cg_exchange_abort(struct cg_exchange *x)
{
    cg_http_conn_close(x->conn);
}

size_t cg_exchange_pending(const struct cg_exchange *x)
{
    return evbuffer_get_length(bufferevent_get_output(x->conn->bev));
}

void cg_exchange_on_drain(struct cg_exchange *x, void (*drained)(void *arg), void *arg)
{
    x->drained = drained;
    x->drained_arg = arg;
    bufferevent_setwatermark(x->conn->bev, EV_WRITE, CG_HTTP_DRAIN_AT, 0);
    if (drained && cg_http_conn_unsent(x->conn) <= CG_HTTP_DRAIN_AT) /* no write may come that tells */
        bufferevent_trigger(x->conn->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}
