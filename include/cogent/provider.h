/* SPDX-License-Identifier: Apache-2.0
 * Providers: what plans. A provider gets the messages and the tools on offer and answers with text, tool calls or
 * both. It has no part in deciding whether a call may run.
 */
#ifndef COGENT_PROVIDER_H
#define COGENT_PROVIDER_H

#include <cogent/host.h>
#include <cogent/options.h>
#include <cogent/plugin.h>

enum cogent_role {
    COGENT_SYSTEM = 0,
    COGENT_USER = 1,
    COGENT_ASSISTANT = 2, /* text, calls or both */
    COGENT_TOOL = 3,      /* the outcome of one call, JSON text */
    COGENT_RECORD =
        4, /* a retrieved record; data, never instructions. A provider shows it delimited and labelled */
};

struct cogent_tool_use {
    struct cogent_str id;
    struct cogent_str name;
    struct cogent_str args; /* JSON object */
    struct cogent_str
        verbatim; /* what this provider gave with the call and wants back as it was; else empty */
};

struct cogent_message {
    int role; /* enum cogent_role */
    struct cogent_str text;
    const struct cogent_tool_use *calls; /* ASSISTANT */
    size_t n_calls;
    struct cogent_str call_id; /* TOOL: which call this answers */
    struct cogent_str name;    /* TOOL: the tool's name */
    int failed;                /* TOOL: the text is {"error": {...}} */
    unsigned n;                /* RECORD, TOOL that cites: the number of its citation [n]; 0: none. A RECORD
                                   without one is what the user has on the screen: type and id alone */
    struct cogent_str type;    /* RECORD: kind, id, title, columns */
    struct cogent_str id;
    struct cogent_str title;
    struct cogent_str fields; /* RECORD: JSON object of the kind's columns */
};

struct cogent_offer {
    struct cogent_str name;
    struct cogent_str about;
    struct cogent_str args; /* JSON Schema object */
    int effect;
};

/* A tool that this asker has not the right to, and what it needs: for who says why something is not done. */
struct cogent_withheld {
    struct cogent_str name;
    struct cogent_str permission;
};

struct cogent_turn_usage {
    size_t size;
    int64_t input_tokens;
    int64_t cached_tokens;
    int64_t output_tokens;
    int estimated; /* the upstream gave none */
};

enum cogent_finish {
    COGENT_FINISH_STOP = 0,
    COGENT_FINISH_CALLS = 1,
    COGENT_FINISH_LENGTH = 2,
    COGENT_FINISH_FILTER = 3,
};

/* One model turn. messages, tools and withheld, and all that they borrow, live until chat() returns: what is needed of them later is
 * copied. The other borrowed members live until the turn is over. */
struct cogent_chat {
    size_t size;
    const struct cogent_host *host;
    struct cogent_op op;
    const char *model; /* without the provider's name; may be "" */
    const struct cogent_message *messages;
    size_t n_messages;
    const struct cogent_offer *tools;
    size_t n_tools;
    uint32_t max_tokens; /* 0: the provider's own */
    double temperature;  /* negative: the provider's own */
    const struct cogent_asker *asker;
    int64_t now; /* microseconds since 1970: what "today" means in this run */
    void *data;
    void (*release)(void *data);
    const struct cogent_withheld *withheld; /* lives as long as tools */
    size_t n_withheld;
};

/* Texts to vectors of one model. Borrowed members live until it is over. */
struct cogent_embed {
    size_t size;
    const struct cogent_host *host;
    struct cogent_op op;
    const char *model; /* without the provider's name */
    const struct cogent_str *inputs;
    size_t n_inputs;
    uint32_t dimensions; /* wanted; 0: the model's own */
    void *data;
    void (*release)(void *data);
};

struct cogent_provider {
    size_t size;
    const char *name;
    const struct cogent_option *options;
    size_t options_size;
    /* options: the filled struct; lives until close. */
    int (*open)(const struct cogent_host *host, const void *options, void **self, char *error,
                size_t error_size);
    void (*close)(void *self);
    /* Answers now or later: any number of chat_text and chat_call, at most one usage, then exactly one of done and
     * fail. A call is handed over only when its arguments are complete. */
    int (*chat)(void *self, struct cogent_chat *chat);
    /* NULL: it makes no vectors. Answers now or later: embed_vector once for each input, in any order and all of one
     * length, then exactly one of done and fail. */
    int (*embed)(void *self, struct cogent_embed *embed);
};

static inline void cogent_chat_text(struct cogent_chat *chat, struct cogent_str text)
{
    chat->host->complete->chat_text(chat, text);
}

static inline void cogent_chat_call(struct cogent_chat *chat, struct cogent_str id, struct cogent_str name,
                                    struct cogent_str args, struct cogent_str verbatim)
{
    chat->host->complete->chat_call(chat, id, name, args, verbatim);
}

static inline void cogent_chat_usage(struct cogent_chat *chat, const struct cogent_turn_usage *usage)
{
    chat->host->complete->chat_usage(chat, usage);
}

static inline int cogent_chat_done(struct cogent_chat *chat, int finish)
{
    return chat->host->complete->chat_done(chat, finish);
}

static inline int cogent_chat_fail(struct cogent_chat *chat, int err, uint32_t retry_after_ms,
                                   const char *message)
{
    return chat->host->complete->chat_fail(chat, err, retry_after_ms, message);
}

/* An error: this vector makes all of them void, and the embed is over: complete nothing more. */
static inline int cogent_embed_vector(struct cogent_embed *embed, size_t index, const float *values, size_t n)
{
    return embed->host->complete->embed_vector(embed, index, values, n);
}

/* tokens: of all inputs; 0 when the upstream said none. */
static inline int cogent_embed_done(struct cogent_embed *embed, int64_t tokens)
{
    return embed->host->complete->embed_done(embed, tokens);
}

static inline int cogent_embed_fail(struct cogent_embed *embed, int err, uint32_t retry_after_ms,
                                    const char *message)
{
    return embed->host->complete->embed_fail(embed, err, retry_after_ms, message);
}

#endif
