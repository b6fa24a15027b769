/* SPDX-License-Identifier: Apache-2.0
 * What the files of this plugin share.
 */
#ifndef PROVIDER_OPENAI_OPENAI_H
#define PROVIDER_OPENAI_OPENAI_H

#include "common/buf.h"

#include <cogent/provider.h>

struct openai_options {
    const char *base;
    const char *key;
    const char *organization;
    const char *max_tokens_field;
    int include_usage;
    double connect_timeout;
    double first_timeout;
    double gap_timeout;
    double total_timeout;
};

/* The opened provider. */
struct openai {
    const struct openai_options *options;
    char *url;       /* .../chat/completions */
    char *embed_url; /* .../embeddings */
    char *bearer;    /* "Bearer ..." or NULL */
};

/* request.c: the body of POST /chat/completions. Returns 0, or an error and the sentence that says what is wrong. */
int openai_request(const struct openai *self, const struct cogent_chat *chat, struct cp_buf *out,
                   const char **why);

/* stream.c: sends the body and answers the chat from what comes back. Completes the chat in any case. */
int openai_stream_start(const struct openai *self, struct cogent_chat *chat, struct cogent_str body);

/* A request to the service, filled in but for what the turn knows; borrows headers and body. */
enum { OPENAI_HEADERS = 4 };
void openai_http(const struct openai *self, const char *url, struct cogent_str body,
                 struct cogent_http_header headers[OPENAI_HEADERS], struct cogent_http_request *out);

/* embed.c: answers with a vector for each text. Completes the embed in any case. */
int openai_embed_start(const struct openai *self, struct cogent_embed *embed);

/* calls.c: tool calls put together from their fragments. */
struct openai_part {
    int64_t index;
    struct cp_buf id, name, args;
    uint32_t high; /* half of a surrogate pair, see cp_unescape */
};

struct openai_calls {
    struct openai_part *parts; /* in order of index */
    size_t n;
    size_t bytes; /* of all arguments */
};

/* One `tool_calls` array of a delta. Returns NULL, or a sentence: the stream is then not to be believed. */
const char *openai_calls_add(struct openai_calls *calls, struct cogent_str array);
/* Checks all of them, fills in "{}" and missing ids. Returns NULL or a sentence. */
const char *openai_calls_close(struct openai_calls *calls);
void openai_calls_finish(struct openai_calls *calls);

/* failure.c: how an answer other than 200 and an error object are told. */
struct openai_failure {
    int err;
    char message[400];
};
void openai_failure_status(struct openai_failure *out, int status, struct cogent_str body);
void openai_failure_object(struct openai_failure *out, struct cogent_str body);

int openai_name_valid(struct cogent_str name);

#endif
