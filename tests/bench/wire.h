/* SPDX-License-Identifier: Apache-2.0
 * What the bench's three programs share: reading HTTP/1.1 messages off a libevent buffer, the conversation that they
 * play, and the one listening or connected socket each needs. Nothing of the engine is in here: it is what the engine is
 * measured against. Trusts its peers, which are the other programs of this folder and the engine. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct wire {
    enum { WIRE_HEAD, WIRE_BODY, WIRE_DONE } state;
    char first[256]; /* the request or status line */
    char bearer[2048];
    int status; /* of an answer */
    bool chunked, stream;
    long
        left; /* of the body or of the chunk; -1: a chunk's size line is next, -2: what follows the last chunk */
};

/* Takes what is there; the body's bytes move to `body`. false: the peer does not speak HTTP. Begin with a zeroed wire, and
 * zero it again for the next message. */
bool wire_read(struct wire *w, struct evbuffer *in, struct evbuffer *body);

/* The next event of a stream: what stands after "data: ", without its end. To free; NULL when none is whole. */
char *wire_event(struct evbuffer *body);

/* The conversation. Order N has a total that nobody can guess who has not asked the ERP. */
enum { WIRE_TOKENS_MAX = 400 };
unsigned wire_total(unsigned order);

/* What a model answers: `tokens` pieces, the first of them with the total when tool is set. Each piece has a space or dot
 * after it. Returns its length. */
size_t wire_piece(char *out, size_t size, unsigned order, bool tool, unsigned piece);

/* How a model of this name behaves. */
struct wire_pace {
    const char *model;
    unsigned tokens, first_ms, gap_ms;
};
const struct wire_pace *wire_pace(const char *model, size_t len);

/* "ADDRESS:PORT"; exits with a sentence when it cannot. Listening prints "PORT\n" on standard output. */
int wire_listen(const char *where);
struct sockaddr_in;
void wire_address(const char *where, struct sockaddr_in *out);
void wire_no_delay(int fd);

#endif
