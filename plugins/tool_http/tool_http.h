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

enum th_auth { TH_AUTH_NONE, TH_AUTH_CALLER, TH_AUTH_ACCOUNT };
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

    enum th_auth auth;
    struct th_header account;
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
    struct th_tool **tools;
    size_t n_tools;
};

/* What is wrong with a declaration and where; or, at run time, with a call. */
struct th_error {
    char *text;
    size_t size;
    const char *service;
    const char *tool; /* NULL: the service itself */
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
