/* SPDX-License-Identifier: Apache-2.0
 * Retrievers: the tenant's records by question. The tenant is that of the wait; a retriever never names one.
 */
#ifndef COGENT_RETRIEVER_H
#define COGENT_RETRIEVER_H

#include <cogent/host.h>
#include <cogent/options.h>
#include <cogent/plugin.h>

enum cogent_retrieve_what {
    COGENT_SEARCH = 0, /* query, kinds, limit -> found */
    COGENT_PUT = 1,    /* type, id, stamp, chunks, columns; an older stamp changes nothing */
    COGENT_DROP = 2,   /* type, id */
    COGENT_ERASE = 3,  /* all of the tenant */
    COGENT_COUNT = 4,  /* type (empty: all) -> one found with score = count */
    COGENT_SHOW = 5,   /* type, id, kinds -> its chunks in order */
    COGENT_IDS = 6,    /* type, after (id), limit -> ids in order: what a sweep compares */
};

/* One request. Borrowed members live until it is over. */
struct cogent_search {
    size_t size;
    const struct cogent_host *host;
    struct cogent_op op;
    int what;                /* enum cogent_retrieve_what */
    struct cogent_str query; /* SEARCH: the user's words */
    struct cogent_str
        kinds; /* JSON array of the kinds that the asker may read: part of the statement itself */
    struct cogent_str
        principals; /* JSON array: "user:...", "role:..."; rows with an acl must name one of them */
    uint32_t limit;
    struct cogent_str type;
    struct cogent_str id;
    struct cogent_str stamp; /* PUT: orders versions, compared as text of equal form */
    struct cogent_str title; /* PUT */
    struct cogent_str
        columns; /* PUT: JSON object: number, date, status, amount, currency, customer, domain, url */
    struct cogent_str acl;           /* PUT: JSON array, or empty: everybody who may read the kind */
    const struct cogent_str *chunks; /* PUT */
    size_t n_chunks;
    struct cogent_str after; /* IDS */
    void *data;
    void (*release)(void *data);
    struct cogent_str
        prefer;    /* SEARCH: JSON array of kinds that the question names; they get most of the places. With
                                 or without, no kind takes them all while others match too */
    int unchanged; /* PUT, DROP: set by the retriever before it is done: what is there stays as it is */
};

struct cogent_found {
    size_t size;
    struct cogent_str type;
    struct cogent_str id;
    struct cogent_str title;
    struct cogent_str text; /* the chunk */
    struct cogent_str columns;
    struct cogent_str stamp;
    unsigned chunk;
    double score;
    int exact;     /* a number of the question is this record's own */
    int64_t as_of; /* when the record was read, microseconds */
};

struct cogent_retriever {
    size_t size;
    const char *name;
    const struct cogent_option *options;
    size_t options_size;
    const struct cogent_statement *statements; /* ends with a NULL name */
    int (*open)(const struct cogent_host *host, const void *options, void **self, char *error,
                size_t error_size);
    void (*close)(void *self);
    int (*request)(void *self, struct cogent_search *search);
};

static inline void cogent_search_found(struct cogent_search *search, const struct cogent_found *found)
{
    search->host->complete->search_found(search, found);
}

static inline int cogent_search_done(struct cogent_search *search)
{
    return search->host->complete->search_done(search);
}

static inline int cogent_search_fail(struct cogent_search *search, int err, const char *message)
{
    return search->host->complete->search_fail(search, err, message);
}

#endif
