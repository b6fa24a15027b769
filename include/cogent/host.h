/* SPDX-License-Identifier: Apache-2.0
 * What the engine does for a plugin: a set of service tables. A plugin links to nothing of the engine.
 * Every table begins with its size. All functions are for the loop thread, none blocks.
 */
#ifndef COGENT_HOST_H
#define COGENT_HOST_H

#include <cogent/error.h>
#include <cogent/op.h>
#include <cogent/types.h>

/* Log: one JSON line. `message` is a fixed sentence of yours; what a user, record or service said goes nowhere. */
enum cogent_level { COGENT_ERROR = 0, COGENT_WARN = 1, COGENT_INFO = 2, COGENT_DEBUG = 3 };

struct cogent_log_api {
    size_t size;
    void (*log)(int level, const char *plugin, const char *format, ...) COGENT_PRINTF(3, 4);
};

/* JSON readers over text, by JSON pointer (RFC 6901; "" is the whole). They allocate nothing.
 * Return: COGENT_NOT_FOUND when nothing stands there (null counts as nothing), COGENT_INVALID for another type or
 * a value that does not fit. */
struct cogent_json_api {
    size_t size;
    /* A string, unescaped, NUL-terminated. Returns its length in bytes. */
    int (*string)(struct cogent_str json, const char *pointer, char *buf, size_t size);
    int (*integer)(struct cogent_str json, const char *pointer, int64_t *out);
    /* A number, or a string that is one, as plain decimal text ("2.55"). Returns its length. */
    int (*decimal)(struct cogent_str json, const char *pointer, char *buf, size_t size);
    int (*boolean)(struct cogent_str json, const char *pointer, int *out);
    /* The raw text of a value, borrowed from json. */
    int (*raw)(struct cogent_str json, const char *pointer, struct cogent_str *out);
    /* Each element of an array, or member of an object (key is empty for arrays). Stops when fn returns non-zero
     * and returns that; returns 0 at the end. */
    int (*each)(struct cogent_str json, const char *pointer,
                int (*fn)(void *arg, struct cogent_str key, struct cogent_str value), void *arg);
};

/* HTTP client. The transfer is a wait below `parent`. */
struct cogent_http_header {
    const char *name;
    const char *value;
};

enum {
    COGENT_HTTP_SSE =
        1 << 0, /* a 200 text/event-stream goes to `event`; any other answer is collected as body */
    COGENT_HTTP_ONCE =
        1 << 1, /* a write: on a fresh connection, so that nothing below sends it twice by itself */
};

struct cogent_http_request {
    size_t size;
    const char *label;  /* what this is, for logs and the list of waits: a fixed word, no data */
    const char *method; /* "GET" ... */
    const char *url;    /* http:// or https://, percent-encoded */
    const struct cogent_http_header *headers;
    size_t n_headers;
    struct cogent_str body;
    uint32_t flags;
    uint32_t connect_ms; /* 0: 5,000 */
    uint32_t first_ms;   /* until the first byte of the answer; 0: none but total */
    uint32_t gap_ms;     /* between two bytes of the answer; 0: none but total */
    uint32_t total_ms;   /* 0: 60,000 */
    size_t max_body;     /* bytes collected; 0: 4 MiB. More is COGENT_UPSTREAM */
};

struct cogent_http_result {
    size_t size;
    int err;                 /* 0 when an HTTP answer came, whatever its status */
    int status;              /* 0 when none came */
    int sent;                /* whether any byte of the request may have reached the other side */
    uint32_t retry_after_ms; /* from Retry-After-Ms or Retry-After; 0 when absent */
    struct cogent_str body;  /* what was not given to `event` */
    struct cogent_str content_type;
    const char *detail; /* for the log: "connection refused", ... never NULL */
    /* A header of the answer, by its name in any case; the first of several. NULL when absent. */
    const char *(*header)(const struct cogent_http_result *result, const char *name);
};

struct cogent_http_events {
    size_t size;
    /* One server-sent event. May be NULL without COGENT_HTTP_SSE. */
    void (*event)(void *arg, struct cogent_str name, struct cogent_str data);
    /* The end, exactly once, unless the parent ended first. Required. */
    void (*done)(void *arg, const struct cogent_http_result *result);
};

struct cogent_http_api {
    size_t size;
    /* Copies the request. Callbacks never fire before it returns. */
    struct cogent_op (*send)(struct cogent_op parent, const struct cogent_http_request *request,
                             const struct cogent_http_events *events, void *arg);
};

struct cogent_timer_api {
    size_t size;
    /* fn is called once after ms, unless the parent ended first. */
    struct cogent_op (*after)(struct cogent_op parent, const char *label, uint32_t ms, void (*fn)(void *arg),
                              void *arg);
    int64_t (*now)(void); /* microseconds since 1970 */
};

/* The database. A plugin declares its statements in its descriptor and runs them by index; $1 is always the
 * tenant of the wait and bound by the engine, the first column of every result is tenant_id, checked and taken
 * off by the engine. */
enum cogent_value_type {
    COGENT_NULL = 0,
    COGENT_TEXT = 1,
    COGENT_INT = 2,
    COGENT_DOUBLE = 3,
    COGENT_BLOB = 4
};

struct cogent_value {
    int type;              /* enum cogent_value_type */
    struct cogent_str str; /* TEXT and BLOB */
    int64_t num;           /* INT */
    double real;           /* DOUBLE */
};

static inline struct cogent_value cogent_text(struct cogent_str s)
{
    struct cogent_value v = { COGENT_TEXT, s, 0, 0 };
    return v;
}

static inline struct cogent_value cogent_int(int64_t n)
{
    struct cogent_value v = { COGENT_INT, { NULL, 0 }, n, 0 };
    return v;
}

static inline struct cogent_value cogent_double(double d)
{
    struct cogent_value v = { COGENT_DOUBLE, { NULL, 0 }, 0, d };
    return v;
}

static inline struct cogent_value cogent_null(void)
{
    struct cogent_value v = { COGENT_NULL, { NULL, 0 }, 0, 0 };
    return v;
}

struct cogent_statement {
    const char *name;    /* for logs and the generated tests */
    const char *text;    /* portable SQL; $1 is the tenant */
    const char *text_pg; /* only where PostgreSQL must differ; else NULL */
    const char *params;  /* a letter a parameter after $1: t text, i integer, d double, b blob */
    const char *columns; /* a letter a column after tenant_id; "" for none */
};

struct cogent_row {
    const struct cogent_value *values;
    size_t n;
};

struct cogent_db_result {
    size_t size;
    int err; /* COGENT_UNAVAILABLE, COGENT_TIMEOUT, COGENT_CONFLICT, ...; the group had no effect */
    /* Rows of the i-th statement of the group, and how many rows it changed. */
    size_t (*rows)(const struct cogent_db_result *result, size_t i);
    size_t (*changed)(const struct cogent_db_result *result, size_t i);
    struct cogent_row (*row)(const struct cogent_db_result *result, size_t i, size_t row);
};

struct cogent_db_step {
    unsigned statement; /* index into the plugin's table */
    const struct cogent_value *values;
    size_t n;
};

struct cogent_db_api {
    size_t size;
    /* Runs all steps as one transaction for the tenant of `parent`. Copies everything. Unless `reads` is set it
     * is written so that it survives a crash of the process. */
    struct cogent_op (*run)(struct cogent_op parent, const char *plugin, const struct cogent_db_step *steps,
                            size_t n, int reads,
                            void (*done)(void *arg, const struct cogent_db_result *result), void *arg);
};

/* Functions that stand in an operator's Lua files, by the reference that took their place ({"$fn": "..."}).
 * Pure: JSON in, JSON out, under the operator's budget of steps and memory. */
struct cogent_script_api {
    size_t size;
    /* An array is a list of arguments: one value goes as an array of one. out is valid until the next call. On failure out holds a sentence for the log. */
    int (*call)(const char *reference, struct cogent_str args_json, struct cogent_str *out);
};

/* Who asks. Borrowed for the life of the call. Empty strings where nothing is known. */
struct cogent_asker {
    size_t size;
    const char *tenant; /* name, as in the token */
    const char *user;   /* sub */
    const char *name;
    const char *locale; /* BCP 47 */
    const char *language;
    const char *time_zone;     /* IANA */
    const char *authorization; /* "Bearer ..." as it came; NULL for the engine's own work. Secret. */
    /* Operator's fields of the tenant (erp_url ...) and its secrets. NULL when unknown. */
    const char *(*tenant_field)(const struct cogent_asker *asker, const char *name);
    const char *(*secret)(const struct cogent_asker *asker, const char *name);
    /* All of the operator's fields of the tenant as a JSON object, for functions; NULL when there are none. */
    const char *tenant_fields;
    /* Whom the user's token is for: its `iss`, and its `aud` as a JSON array of texts; NULL where it says none. */
    const char *issuer;
    const char *audience;
    /* The user's own credential at a service, as the backend handed it over with the question. NULL: none. Secret. */
    const char *(*handed)(const struct cogent_asker *asker, const char *service);
};

struct cogent_call;
struct cogent_chat;
struct cogent_search;
struct cogent_found;
struct cogent_turn_usage;
struct cogent_embed;

/* Completions: used through the helpers in tool.h, provider.h and retriever.h. */
struct cogent_complete_api {
    size_t size;
    int (*call_done)(struct cogent_call *call, struct cogent_str result_json);
    int (*call_fail)(struct cogent_call *call, int err, const char *message);
    void (*chat_text)(struct cogent_chat *chat, struct cogent_str text);
    void (*chat_call)(struct cogent_chat *chat, struct cogent_str id, struct cogent_str name,
                      struct cogent_str args, struct cogent_str verbatim);
    void (*chat_usage)(struct cogent_chat *chat, const struct cogent_turn_usage *usage);
    int (*chat_done)(struct cogent_chat *chat, int finish);
    int (*chat_fail)(struct cogent_chat *chat, int err, uint32_t retry_after_ms, const char *message);
    void (*search_found)(struct cogent_search *search, const struct cogent_found *found);
    int (*search_done)(struct cogent_search *search);
    int (*search_fail)(struct cogent_search *search, int err, const char *message);
    int (*embed_vector)(struct cogent_embed *embed, size_t index, const float *values, size_t n);
    int (*embed_done)(struct cogent_embed *embed, int64_t tokens);
    int (*embed_fail)(struct cogent_embed *embed, int err, uint32_t retry_after_ms, const char *message);
};

/* Whoever watches a call while it is tried (`cogent tools try`): told what it sends and gets, without credentials. */
struct cogent_trace_api {
    size_t size;
    /* what: "request" {method, url, headers, body}, before it is sent: non-zero, and it is not; "reply" {status,
     * body}; "login" {status}. */
    int (*told)(const struct cogent_call *call, const char *what, struct cogent_str json);
};

struct cogent_host {
    size_t size;
    const struct cogent_log_api *log;
    const struct cogent_json_api *json;
    const struct cogent_http_api *http;
    const struct cogent_timer_api *timer;
    const struct cogent_db_api *db;
    const struct cogent_script_api *script;
    const struct cogent_complete_api *complete;
    const struct cogent_trace_api *trace; /* NULL: nobody watches, as in a server */
};

#endif
