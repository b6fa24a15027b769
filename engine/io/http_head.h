/* SPDX-License-Identifier: Apache-2.0
 * The strict reader of an HTTP/1.1 request head, and of a chunked body. Pure: bytes in, verdict out; no I/O.
 *
 * One framing rule (RFC 9112): Content-Length of digits only, once, or Transfer-Encoding "chunked", once; never
 * both. Refused, with 400 and the connection closed: NUL and other control characters, bare LF, folded lines, white
 * space before a colon, duplicates of Host, Authorization, Content-Length or Transfer-Encoding, a missing Host,
 * any other transfer coding, a version that is not 1.0 or 1.1. */
#ifndef CG_IO_HTTP_HEAD_H
#define CG_IO_HTTP_HEAD_H

#include "engine/base/buf.h"

enum { CG_HTTP_HEAD_MAX = 32 * 1024, CG_HTTP_LINE_MAX = 8 * 1024, CG_HTTP_HEADERS_MAX = 64 };

struct cg_http_header {
    struct cogent_str name, value;
};

struct cg_http_head {
    struct cogent_str method, path, query; /* path as sent, percent-encoded, begins with / */
    int minor;                             /* 0 or 1 */
    struct cg_http_header headers[CG_HTTP_HEADERS_MAX];
    size_t n_headers;
    int64_t length; /* of the body; -1: none stated */
    bool chunked, keep_alive, expect;
};

/* bytes: what came so far. Returns the head's length in bytes, 0 when more is needed, or the negative HTTP status to
 * answer with (-400, -414, -431, -505), a sentence in *why. What it fills borrows from bytes. */
int cg_http_head_read(struct cogent_str bytes, struct cg_http_head *head, const char **why);

/* Value of a header, name in lower case; ptr NULL when absent. */
struct cogent_str cg_http_header_find(const struct cg_http_head *head, const char *name);

struct cg_chunked {
    uint64_t left;  /* of the chunk */
    unsigned state; /* 0 at the start */
    unsigned line;  /* bytes of the current line: sizes, extensions and trailers are bounded */
    bool digits;
};

/* Takes what it can; data is appended to out. Returns bytes used, or -400. *done: the body is complete. */
int64_t cg_chunked_read(struct cg_chunked *c, struct cogent_str bytes, struct cg_buf *out, size_t max,
                        bool *done);

#endif
