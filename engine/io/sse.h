/* SPDX-License-Identifier: Apache-2.0
 * Server-sent events, both ways (WHATWG HTML 9.2). */
#ifndef CG_IO_SSE_H
#define CG_IO_SSE_H

#include "engine/base/buf.h"

/* In: bytes as they come, events as they end. */
struct cg_sse {
    struct cg_buf line, event, data, id;
    size_t max; /* bytes of one event */
    bool after_cr, any, started;
    void (*fn)(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id);
    void *arg;
};

void cg_sse_init(struct cg_sse *sse, size_t max,
                 void (*fn)(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id),
                 void *arg);
void cg_sse_finish(struct cg_sse *sse);
/* 0; COGENT_LIMIT when an event is too long, COGENT_NO_MEMORY. fn must not finish the reader. */
int cg_sse_feed(struct cg_sse *sse, struct cogent_str bytes);

/* Out: one frame. id and event may be empty; data must be one line (JSON is). */
void cg_sse_frame(struct cg_buf *out, struct cogent_str id, const char *event, struct cogent_str data);

#endif
