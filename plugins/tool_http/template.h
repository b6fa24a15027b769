/* SPDX-License-Identifier: Apache-2.0
 * Templates: JSON in whose strings {name} is an argument and {a.b} comes from the engine. Compiled once, rendered a
 * call. A string that is one placeholder keeps the value's type. What is missing vanishes: a member is left out, a
 * list that holds it is left out of what surrounds it.
 */
#ifndef TOOL_HTTP_TEMPLATE_H
#define TOOL_HTTP_TEMPLATE_H

#include "common/buf.h"

#include <cogent/tool.h>

#include <jansson.h>

enum th_group {
    TH_TEXT_PART = 0, /* no variable: plain text */
    TH_ARG = 1 << 0,
    TH_TENANT = 1 << 1,
    TH_USER = 1 << 2,
    TH_SECRET = 1 << 3,
    TH_EFFECT = 1 << 4,
    TH_PAGE = 1 << 5,
    TH_CURSOR = 1 << 6, /* page.cursor: told apart, as `next` needs it */
    TH_TOOL = 1 << 7,
    TH_FUNCTION = 1 << 8,
    TH_LOGIN = 1 << 9,
    TH_CREDENTIAL = 1 << 10, /* user.credential: what the backend handed over */
};

struct th_template;
struct th_error;

/* What a template may name, and what it turned out to name. */
struct th_scope {
    struct th_error *error;
    const char *where; /* "query.from": for the message */
    json_t *args;      /* object whose keys are the arguments */
    unsigned allowed;  /* of enum th_group */
    unsigned used;     /* out */
    json_t *arguments; /* out: set of the arguments named; may be NULL */
    json_t *secrets;   /* out: set of the secrets named; may be NULL */
};

/* The values. Borrowed for the life of the call. */
struct th_vars {
    const struct cogent_host *host;
    const struct cogent_asker *asker;
    json_t *args;
    const char *effect_key;
    int paged;
    int64_t page_offset, page_size, page_number;
    json_t *page_cursor; /* NULL on the first page */
    const char *call_name;
    const struct th_template *params; /* tool.params */
    json_t *login;                    /* what the session's login gave; NULL: none */
    const char *credential;           /* user.credential */
    json_t *granted; /* in auth: set of the secrets that a function may see; NULL: it sees no credential */
    int masked;      /* to be shown: every credential is "***" */
    int sample;      /* an example: there is no asker, {tenant.x} stands for itself; masked, too */
};

/* NULL: wrong, and scope->error says how (or no memory). `text` must outlive the template. */
struct th_template *th_template_create(json_t *json, struct th_scope *scope);
/* A route or an address: text with placeholders, no JSON. */
struct th_template *th_template_create_text(const char *text, struct th_scope *scope);
void th_template_destroy(struct th_template *t);

/* A new reference in out, or NULL when it is missing. Returns 0, COGENT_NO_MEMORY, or COGENT_INTERNAL when a function
 * failed. */
int th_render(const struct th_template *t, const struct th_vars *vars, json_t **out);
/* As text. COGENT_NOT_FOUND: something it names is missing, empty or (in a path) no scalar; its name is in missing. */
enum th_encoding { TH_PLAIN, TH_PATH };
int th_render_text(const struct th_template *t, const struct th_vars *vars, enum th_encoding encoding,
                   struct cp_buf *out, const char **missing);
/* Calls an operator's function with one value. null and nothing are NULL. Its words are not kept: they may hold what
 * it was given. */
int th_apply(const struct cogent_host *host, const char *reference, json_t *value, json_t **out);

/* Whether this JSON stands for a function; its reference, else NULL. */
const char *th_reference(json_t *json);

#endif
