/* SPDX-License-Identifier: Apache-2.0
 * A declaration becomes a service: everything in it is checked here, nothing at the first call.
 */
#ifndef TOOL_HTTP_DECLARATION_H
#define TOOL_HTTP_DECLARATION_H

#include "tool_http.h"

/* Takes the declaration's JSON. Returns NULL with the sentence in error, or when memory is out. */
struct th_service *th_service_create(const struct cogent_host *host, json_t *declaration,
                                     struct th_error *error);
void th_service_destroy(struct th_service *service);

/* One tool while it is read: what it says itself, and what its service says. */
struct th_reading {
    struct th_tool *tool;
    json_t *own;
    json_t *service;
    json_t *args;
    struct th_error *error;
    unsigned used; /* by body, query, form and params: enum th_group */
    int login;     /* this is no tool, but the login of an auth */
};

/* The tool's own word, else the service's. Borrowed; NULL when neither says it. */
json_t *th_said(const struct th_reading *r, const char *key);
/* An object, or the empty list that an empty table became. */
int th_empty(json_t *value);

/* declare_wire.c: route, query, body, form, headers. */
int th_declare_wire(struct th_reading *r);
/* declare_auth.c: auth, which comes first, as {login.*} needs one with a login. */
int th_declare_auth(struct th_reading *r);
void th_auth_destroy(struct th_auth *auth);
/* Whether a declaration may set this header; where: "headers", "once.header" ... */
int th_header_name(struct th_reading *r, const char *where, const char *name);
/* declare_answer.c: result, pages, errors. */
int th_declare_answer(struct th_reading *r);
/* timeout and retry. */
int th_declare_time(struct th_reading *r);
/* A tool with nothing in it, and its end. */
struct th_tool *th_tool_create(struct th_service *service, const char *name);
void th_tool_destroy(struct th_tool *tool);

/* Refuses keys that are not among names (NULL-ended). where: "result", "once" ... */
int th_only(struct th_error *error, const char *where, json_t *object, const char *const *names);

#endif
