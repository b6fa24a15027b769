/* SPDX-License-Identifier: Apache-2.0
 * The strict reader of an HTTP/1.1 request head. Pure: bytes in, verdict out; no I/O. A beginning that is refused is
 * refused with the same words however much follows, so that it does not matter in which pieces a head comes.
 *
 * One framing rule (RFC 9112): Content-Length of digits only, once, or Transfer-Encoding "chunked", once; never
 * both. Refused, with 400 and the connection closed: NUL and other control characters, bare LF, folded lines, white
 * space before a colon, duplicates of Host, Authorization, Content-Length or Transfer-Encoding, a Host that is missing
 * or names nothing, an absolute target of another authority than Host's, what an address must percent-encode, any other
 * transfer coding, a version that is not 1.0 or 1.1. Every refusal and every legal form is a file in tests/security/http. */
#ifndef CG_IO_HTTP_HEAD_H
#define CG_IO_HTTP_HEAD_H

#include "engine/base/buf.h"

#include <stdint.h>

enum { CG_HTTP_HEAD_MAX = 32 * 1024, CG_HTTP_LINE_MAX = 8 * 1024, CG_HTTP_HEADERS_MAX = 64 };

struct cg_http_header {
    struct cogent_str name, value;
};

/* Where one stands: a head is kept as long as its answer takes, and most of its places are empty. */
struct cg_http_place {
    uint16_t name, name_len, value, value_len;
};

struct cg_http_head {
    struct cogent_str method, path, query; /* path as sent, percent-encoded, begins with /; "*" of OPTIONS */
    struct cogent_str authority;           /* of an absolute target; ptr NULL when it is not */
    int minor;                             /* 0 or 1 */
    const char *bytes;
    struct cg_http_place places[CG_HTTP_HEADERS_MAX];
    size_t n_headers;
    int64_t length; /* of the body; -1: none stated */
    bool chunked, keep_alive, expect;
};

/* bytes: what came so far. Returns the head's length in bytes, 0 when more is needed, or the negative HTTP status to
 * answer with (-400, -414, -431, -505), a sentence in *why. What it fills borrows from bytes. */
int cg_http_head_read(struct cogent_str bytes, struct cg_http_head *head, const char **why);

/* The i-th of n_headers, in their order. */
static inline struct cg_http_header cg_http_header(const struct cg_http_head *head, size_t i)
{
    const struct cg_http_place *p = &head->places[i];
    return (struct cg_http_header){ { head->bytes + p->name, p->name_len },
                                    { head->bytes + p->value, p->value_len } };
}

/* Value of a header, name in lower case; ptr NULL when absent. */
struct cogent_str cg_http_header_find(const struct cg_http_head *head, const char *name);

/* Whether a header is one of those that may stand once, and in a head only. */
bool cg_http_is_guarded(struct cogent_str name);
/* Whether a byte may stand in a method, a header's name and the like (RFC 9110 5.6.2). */
bool cg_http_is_token(unsigned char c);

#endif
