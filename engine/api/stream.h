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
/* The run is there: headers go out (when it streams), heartbeats begin, the client's leaving is the run's business. */
void cg_stream_attach(struct cg_stream *stream, struct cg_run *run);
/* Instead: nothing came of it. The request is free to be answered. */
void cg_stream_destroy(struct cg_stream *stream);

/* Starts a run for the request and answers with its stream, or with the error. */
void cg_stream_run(struct cg_request *r, const struct cg_run_request *run, enum cg_dialect_kind kind,
                   bool include_usage);

#endif
