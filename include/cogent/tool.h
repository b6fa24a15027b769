/* SPDX-License-Identifier: Apache-2.0
 * Tools: what the assistant can do. See docs/plugin-abi.md for the shortest one.
 *
 * Before call() runs, the engine has checked the arguments against `args`, the user's permission, the labels and
 * the tenant's policies, and, for a write, has written the effect down. The tool only does the work.
 */
#ifndef COGENT_TOOL_H
#define COGENT_TOOL_H

#include <cogent/host.h>
#include <cogent/plugin.h>

enum cogent_effect {
    COGENT_READ = 0,
    COGENT_WRITE = 1,
    COGENT_EXTERNAL = 2, /* leaves the company: mail, web */
};

/* What a write promises after a doubt. */
enum cogent_once {
    COGENT_ONCE_NONE = 0,   /* reads only */
    COGENT_ONCE_HEADER = 1, /* the service honours the effect key: sending again is safe */
    COGENT_ONCE_FIND = 2,   /* the key is written into the record; `find` looks after a doubt */
    COGENT_ONCE_NEVER = 3,  /* a doubt goes to a person */
};

struct cogent_call {
    size_t size;
    const struct cogent_host *host;
    const struct cogent_tool *tool;
    struct cogent_op op;    /* parent of what the call itself waits for */
    struct cogent_str args; /* JSON object, valid against the tool's schema, defaults filled in */
    const struct cogent_asker *asker;
    const char *effect_key; /* 29 characters for a write; "" for a read */
    uint32_t deadline_ms;   /* from now */
    /* Yours: state of a call that goes on after call() returned, and how to free it. release is called once when
     * the call is over, however it ended; after that nothing may touch the call. */
    void *data;
    void (*release)(void *data);
};

struct cogent_tool {
    size_t size;
    const char *name;  /* letters, digits, _ and -; at most 64 */
    const char *about; /* for the model and the admin: when to use it */
    const char
        *args; /* JSON Schema object: {"properties": ..., "required": [...]}; nothing else is accepted */
    const char *permission; /* without this right it is not offered and not run */
    int effect;             /* enum cogent_effect */
    /* Answers in the call, or keeps the call and completes it later, exactly once, with cogent_done or
     * cogent_fail. Returns what those return, or 0 when it keeps the call; a negative number without completion fails
     * the call with that class. */
    int (*call)(struct cogent_call *call);
    /* Everything below may be left out. */
    int once;         /* enum cogent_once; a write must say */
    const char *find; /* the read tool for COGENT_ONCE_FIND, called with {"key": ...} */
    const char *const
        *trusted;     /* arguments (top level) that must come from the user or a trusted tool, NULL-ended;
                                   NULL: all, for a write */
    int trust;        /* values of its results count as if the user had said them */
    const char *ask;  /* the sentence of the approval; {name} is an argument */
    const char *cite; /* kind of record that the result is */
    int hidden;       /* not offered to the model */
    uint32_t
        timeout_ms;   /* the call's deadline_ms; 0: 10,000. Two seconds later the engine gives the call up */
    const char *as;   /* whose rights its call has, a word for `cogent tools list`: "caller", "service" ... */
    const char *undo; /* the tool that takes it back */
};

/* Makes tools from a declaration: a file of the configuration's `tools` list that is not a plugin reaches the
 * toolset as JSON, functions replaced by references for host->script. */
struct cogent_toolset {
    size_t size;
    const char *name;
    /* declaration: JSON object. Returns COGENT_INVALID with a sentence in error (what is wrong, where). */
    int (*open)(const struct cogent_host *host, struct cogent_str declaration, void **self, char *error,
                size_t error_size);
    void (*close)(void *self);
    size_t (*count)(void *self);
    const struct cogent_tool *(*get)(void *self, size_t i); /* owned by self */
    /* Runs a tool's `example` without a network: the request it would send and what its result gives, as JSON text
     * into out. COGENT_NOT_FOUND when it has none. May be NULL. */
    int (*check)(void *self, size_t i, char *out, size_t size);
    /* Whether the service of call->tool can be reached and lets us in: as a tool's call, but the tool itself is not
     * called. The result is {"address", "status", "login"}. May be NULL. */
    int (*reach)(void *self, struct cogent_call *call);
};

/* Completion. The engine ignores a second one and says so in the log. */
static inline int cogent_done_str(struct cogent_call *call, struct cogent_str json)
{
    return call->host->complete->call_done(call, json);
}

static inline int cogent_done(struct cogent_call *call, const char *json)
{
    return cogent_done_str(call, cogent_str(json));
}

static inline int cogent_fail(struct cogent_call *call, int err, const char *message)
{
    return call->host->complete->call_fail(call, err, message);
}

/* Arguments by JSON pointer. */
static inline int cogent_arg_string(const struct cogent_call *call, const char *pointer, char *buf,
                                    size_t size)
{
    return call->host->json->string(call->args, pointer, buf, size);
}

static inline int cogent_arg_int(const struct cogent_call *call, const char *pointer, int64_t *out)
{
    return call->host->json->integer(call->args, pointer, out);
}

static inline int cogent_arg_decimal(const struct cogent_call *call, const char *pointer, char *buf,
                                     size_t size)
{
    return call->host->json->decimal(call->args, pointer, buf, size);
}

static inline int cogent_arg_bool(const struct cogent_call *call, const char *pointer, int *out)
{
    return call->host->json->boolean(call->args, pointer, out);
}

static inline int cogent_arg_each(const struct cogent_call *call, const char *pointer,
                                  int (*fn)(void *arg, struct cogent_str key, struct cogent_str value),
                                  void *arg)
{
    return call->host->json->each(call->args, pointer, fn, arg);
}

#endif
