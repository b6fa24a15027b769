/* SPDX-License-Identifier: Apache-2.0
 * What the files of this plugin share: a service, its tools, and what one call carries along.
 * A service keeps its declaration's JSON as long as it lives; names and literals are borrowed from it.
 */
#ifndef TOOL_HTTP_TOOL_HTTP_H
#define TOOL_HTTP_TOOL_HTTP_H

#include "common/buf.h"
#include "template.h"

#include <cogent/tool.h>

#include <jansson.h>

enum th_auth_kind {
    TH_AUTH_NONE,
    TH_AUTH_CALLER,  /* the user's own token, as it came */
    TH_AUTH_HANDED,  /* the user's own credential at this service, from the backend */
    TH_AUTH_ACCOUNT, /* a header made of secrets */
    TH_AUTH_LOGIN,   /* a session, shared by all users of a tenant */
    TH_AUTH_OAUTH2   /* a token from a token server, for the service or for each user */
};
enum th_lists { TH_LISTS_REPEAT, TH_LISTS_JSON, TH_LISTS_COMMA };

struct th_header {
    const char *name;
    struct th_template *value;
};

struct th_keep {
    char *name;
    const char *path; /* "a.b.0": members and places from the row */
};

struct th_result {
    const char *at; /* JSON pointer; "" is the whole */
    struct th_keep *keep;
    size_t n_keep;
    const char *function; /* instead of keep */
};

struct th_pages {
    int64_t size; /* 0: no pages */
    int64_t max;
    const char *next; /* pointer; NULL: by offset or number */
    int link;         /* the Link header says what comes next */
    int address;      /* next points to a whole address, not to a cursor */
};

struct th_errors {
    const char *at;
    const char *code;
    const char *message;
    json_t *map; /* code or status -> class */
};

struct th_service;
struct th_sessions;

/* Whose rights a call has. One for each `auth` that the file says, shared by the tools that inherit it. */
struct th_auth {
    enum th_auth_kind kind;
    json_t *said;            /* the declaration's own, borrowed: how it is found again */
    struct th_header header; /* its name is NULL when there is none */
    json_t *secrets;         /* names used: what its functions may see, and what is hidden in words */
    struct th_tool *login;   /* the request that opens a session: a tool of nobody's */
    struct th_template *url, *id, *secret, *scope, *audience; /* oauth2 */
    int as_user;
};

struct th_tool {
    struct cogent_tool abi; /* first: the engine hands this one back */
    struct th_service *service;
    int writes; /* a doubt about it matters */

    const char *method;
    struct th_template *path;
    struct th_template *query, *body, *form, *params;
    const char *call_name;
    int spread;            /* where unnamed arguments go: 0 nowhere, 'q' query, 'b' body */
    json_t *named;         /* what the route names: these are not spread */
    const char *key_field; /* once.field, when the body is spread */
    struct th_header *headers;
    size_t n_headers;
    enum th_lists lists;

    const struct th_auth *auth;
    const char *once_header;

    struct th_result result;
    struct th_pages pages;
    struct th_errors errors;
    uint32_t timeout_ms;
    unsigned retry;
    json_t *secrets; /* names used: a set, to be hidden in what the service says */
    json_t *example;

    char *args_text;
    const char **trusted;
};

struct th_service {
    const struct cogent_host *host;
    const char *name;
    json_t *declaration;
    struct th_template *base;
    struct th_template *issuer; /* whose tokens it takes beside those that name it; NULL: none */
    struct th_tool **tools;
    size_t n_tools;
    struct th_auth **auths;
    size_t n_auths;
    struct th_sessions *sessions; /* made when the first is needed */
};

/* What is wrong with a declaration and where; or, at run time, with a call. */
struct th_error {
    char *text;
    size_t size;
    const char *service;
    const char *tool; /* NULL: the service itself */
    const char *part; /* "auth.login", while that is read; else NULL */
};

/* Writes "service erp, tool get_invoice: ..." and returns COGENT_INVALID. */
int th_wrong(struct th_error *error, const char *format, ...) COGENT_PRINTF(2, 3);

struct th_problem {
    int err;
    char message[640];
};

/* Fills problem and returns err. */
int th_problem(struct th_problem *problem, int err, const char *format, ...) COGENT_PRINTF(3, 4);

#endif
