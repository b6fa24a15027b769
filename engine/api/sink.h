/* SPDX-License-Identifier: Apache-2.0
 * Dialects: how a run's events look on the wire. A sink is a function from events to bytes; the stream around it
 * (stream.c) is the same for all. */
#ifndef CG_API_SINK_H
#define CG_API_SINK_H

#include "engine/run/run.h"

struct cg_dialect {
    /* Adds the bytes of one event to out; true: this was the last one. */
    bool (*event)(void *self, const struct cg_event *event, struct cg_buf *out);
};

/* SHAPES 5: named events, ids, one line of JSON. self is unused. */
extern const struct cg_dialect cg_dialect_assistant;

/* OpenAI chunks; agent steps ride in an extra `cogent` member, no named events. */
struct cg_openai_sink {
    char id[CG_ID_SIZE + 16];
    const char *model;
    int64_t created;
    bool include_usage, role_sent;
    int64_t input_tokens, output_tokens;
    size_t sent; /* bytes of text so far */
};
extern const struct cg_dialect cg_dialect_openai;

/* A run's end in the words of that dialect: "stop", "length", "content_filter". */
const char *cg_openai_finish(const json_t *done);

/* Collects the whole answer: no bytes until the last event, then the body of /v1/assistant/chat or of a completion. */
struct cg_plain_sink {
    json_t *citations, *approvals, *usage, *end, *error;
    bool openai;
    const char *model, *run, *session;
    int64_t created;
    struct cg_buf text;
};
extern const struct cg_dialect cg_dialect_plain;
void cg_plain_sink_finish(struct cg_plain_sink *sink);
/* The body; a new reference. */
json_t *cg_plain_sink_body(struct cg_plain_sink *sink);

#endif
