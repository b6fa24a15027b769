/* SPDX-License-Identifier: Apache-2.0
 * What a handler is given and what it gives back. */
#ifndef ERP_REQUEST_H
#define ERP_REQUEST_H

#include "auth.h"
#include "ledger.h"
#include "site.h"

#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIST_MAX 500

struct request {
    struct site *site;
    const char *method;
    const char *path;          /* as it came, without the query */
    struct evkeyvalq query;    /* decoded */
    const char *authorization; /* header or NULL */
    const char *once_key;      /* header Idempotency-Key or NULL */
    const char *body_text;
    size_t body_length;

    /* Found on the way to the handler. */
    struct caller caller;
    struct ledger *ledger;
    json_t *body; /* an object, on routes that take one */
    char *name;   /* what stands in the path for {} */
};

struct reply {
    int status;
    json_t *body;
    char allow[64]; /* the Allow header of a 405 */
    bool replayed;  /* answered before, under this Idempotency-Key */
};

typedef void (*handler_fn)(struct request *request, struct reply *reply);

/* Takes the body; a NULL body (memory, bad text) becomes a 500. */
void reply_json_take(struct reply *reply, int status, json_t *body);

/* {"data": data}; a NULL is a 404 that names what was looked for. */
void reply_data_take(struct reply *reply, struct request *request, const char *kind, json_t *data);

/* {"detail": ...}; returns false, so that a check can end with it. */
bool reply_error(struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A parameter of the query; NULL when it is absent or empty. */
const char *request_text(const struct request *request, const char *name);

/* As above; false, with a 422 said, when it is no date. */
bool request_date(const struct request *request, struct reply *reply, const char *name, const char **date);

/* The parameter is absent or one of the names (which end with NULL). */
bool request_one_of(const struct request *request, struct reply *reply, const char *name,
                    const char *const *names, const char **value);

struct page {
    int64_t limit;
    int64_t offset;
};

/* limit (1..max) and offset; false with a 422 said. */
bool request_page(const struct request *request, struct reply *reply, int64_t standard, int64_t max,
                  struct page *page);

/* A text member of the body: its value; NULL when absent. False, with a 422 said, when it is something else. */
bool request_member(const struct request *request, struct reply *reply, const char *name, size_t max,
                    const char **value);

#endif
