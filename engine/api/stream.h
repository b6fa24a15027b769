/* SPDX-License-Identifier: Apache-2.0
 * A run and the request that listens to it, in whatever dialect. */
#ifndef CG_API_STREAM_H
#define CG_API_STREAM_H

#include "request.h"
#include "sink.h"

struct cg_stream;

enum cg_dialect_kind { CG_AS_ASSISTANT, CG_AS_ASSISTANT_WHOLE, CG_AS_OPENAI, CG_AS_OPENAI_WHOLE };

/* Makes the stream of a request that a run will feed. NULL without memory. */
struct cg_stream *cg_stream_create(struct cg_request *r, enum cg_dialect_kind kind, const char *model,
                                   bool include_usage);
const struct cg_sink *cg_stream_sink(const struct cg_stream *stream);
/* The run is there: the client's leaving is its business from now on. */
void cg_stream_attach(struct cg_stream *stream, struct cg_run *run);
/* The events come from the journal of a run that is not here: nobody is to be told when the client leaves. */
void cg_stream_follow(struct cg_stream *stream, const char *run_id, const char *session);
/* Told when admission fails after the run had been started: the stream is as it was before it. */
void cg_stream_on_refused(struct cg_stream *stream, void (*fn)(void *arg, int err), void *arg);
/* The headers go out (when it streams), and heartbeats begin. The first event does it as well. */
void cg_stream_begin(struct cg_stream *stream);
bool cg_stream_begun(const struct cg_stream *stream);
/* Instead: nothing came of it. The request is free to be answered. */
void cg_stream_destroy(struct cg_stream *stream);

#endif
