/* SPDX-License-Identifier: Apache-2.0
 * The strict reader of a chunked body (RFC 9112 7.1). Pure: bytes in, data out. Extensions and trailers are read as
 * their grammar wants them, without the white space that it puts up with, and thrown away; a trailer that frames or names who asks is refused. Both are bounded, and so is
 * what a body may spend on them for each byte of data. */
#ifndef CG_IO_HTTP_CHUNKED_H
#define CG_IO_HTTP_CHUNKED_H

#include "engine/base/buf.h"

struct cg_chunked {
    uint64_t left;   /* of the chunk */
    unsigned state;  /* 0 at the start */
    unsigned line;   /* bytes of the current line, or of all trailers */
    uint64_t excess; /* bytes of lines beyond what their chunks are worth */
    bool digits;
    char name[20]; /* of a trailer, as much as there is room for */
    unsigned name_len;
};

/* Takes what it can; data is appended to out. Returns bytes used, -400, or -413 when a chunk would make out longer than
 * max. *done: the body is complete. */
int64_t cg_chunked_read(struct cg_chunked *c, struct cogent_str bytes, struct cg_buf *out, size_t max,
                        bool *done);

#endif
