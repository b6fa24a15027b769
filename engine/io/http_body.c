/* SPDX-License-Identifier: Apache-2.0
 * The body of a request: collected, or handed over as it comes; and whether it comes quickly enough. */
#include "http_conn.h"

#include "engine/base/clock.h"

enum { LOOK_MS = 1000 };

/* The first bytes of what has come, in one piece. false without memory: it has been refused. */
static bool piece_of(struct cg_http_conn *c, size_t n, struct cogent_str *out)
{
    *out =
        (struct cogent_str){ (const char *)evbuffer_pullup(bufferevent_get_input(c->bev), (ev_ssize_t)n), n };
    if (!out->ptr && n)
        cg_http_conn_refuse(c, 503, "Out of memory; try again.");
    return out->ptr || !n;
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
    struct cogent_str bytes;
    bool done = false;
    if (x->paused || len == 0)
        return false;
    if (!x->head.chunked) {
        int64_t left = x->head.length - x->given;
        size_t n = (int64_t)len < left ? len : (size_t)left;
        done = (int64_t)n == left;
        if (!piece_of(c, n, &bytes) || !give(c, bytes))
            return true;
        evbuffer_drain(in, n);
    } else {
        if (!piece_of(c, len, &bytes))
            return true;
        int64_t n = cg_chunked_read(&x->chunked, bytes, &x->body, SIZE_MAX, &done);
        if (n < 0 || x->body.failed) {
            cg_http_conn_refuse(c, n < 0 ? (int)-n : 503,
                                n < 0 ? "The chunked body is malformed." : "Out of memory; try again.");
            return true;
        }
        evbuffer_drain(in, (size_t)n);
        if (!give(c, cg_buf_view(&x->body)))
            return true;
        cg_buf_clear(&x->body);
    }
    if (done)
        cg_http_body_done(c);
    return true;
}

bool cg_http_body_read(struct cg_http_conn *c)
{
    struct cg_exchange *x = c->x;
    if (x->piece)
        return pass_body(c);
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    struct cogent_str bytes;
    bool done = false;
    if (!x->head.chunked) {
        size_t want = x->head.length > 0 ? (size_t)x->head.length - x->body.len : 0;
        size_t n = len < want ? len : want;
        if (n) {
            if (!piece_of(c, n, &bytes))
                return true;
            cg_buf_str(&x->body, bytes);
            evbuffer_drain(in, n);
        }
        done = n == want;
    } else if (len) {
        if (!piece_of(c, len, &bytes))
            return true;
        int64_t n = cg_chunked_read(&x->chunked, bytes, &x->body, x->body_max, &done);
        if (n < 0) {
            cg_http_conn_refuse(c, (int)-n,
                                n == -413 ? "The body is larger than this route takes."
                                          : "The chunked body is malformed.");
            return true;
        }
        evbuffer_drain(in, (size_t)n);
    }
    if (done)
        cg_http_body_done(c);
    return done;
}

static bool handed_over_in_time(struct cg_exchange *x, int64_t wanted)
{
    bool enough = x->paused || x->rested || x->window >= wanted;
    x->window = 0;
    x->rested = false;
    return enough;
}

uint32_t cg_http_body_on_time(struct cg_http_conn *c)
{
    const struct cg_http_limits *limits = &c->server->limits;
    int64_t rate = limits->body_rate, grace = limits->body_grace_ms;
    struct cg_exchange *x = c->x;
    if (x->piece)
        return handed_over_in_time(x, rate * grace / 1000) ? limits->body_grace_ms : 0;
    int64_t ms = (cg_mono_us() - c->began_us) / 1000 - grace;
    bool enough = (int64_t)x->body.len >= ms * rate / 1000;
    return !enough ? 0 : grace < LOOK_MS ? (uint32_t)grace : LOOK_MS;
}
