/* SPDX-License-Identifier: Apache-2.0
 * A run read from its journal, as its rows come: for a reader who comes back, on whatever worker, and for a request
 * that is sent again. */
#ifndef CG_API_FOLLOW_H
#define CG_API_FOLLOW_H

#include "stream.h"

struct cg_follow_from {
    const char *run;
    int64_t row, byte; /* what the reader has; -1: nothing */
};

/* Feeds the stream until the run ends, or waits for a person and the reader did not know. 404 when the run is not the
 * caller's; 204 when it has ended and the reader has it all. */
void cg_follow(struct cg_request *r, struct cg_stream *stream, const struct cg_follow_from *from);

#endif
