/* SPDX-License-Identifier: Apache-2.0
 * The tenant's records in the engine's own database: options, open, close, and who does what.
 */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>

#define AT(member) offsetof(struct records_options, member)

static const struct cogent_option options[] = {
    { COGENT_OPT_NUMBER, "k1", "1.2", AT(k1), "BM25: how much a word's repetition in a chunk counts." },
    { COGENT_OPT_NUMBER, "b", "0.75", AT(b), "BM25: how much a chunk's length counts, 0 to 1." },
    { COGENT_OPT_INT, "limit", "8", AT(limit), "Records found when the request does not say, 1 to 100." },
    { 0 },
};

static void close_retriever(void *arg)
{
    struct records *self = arg;
    if (!self)
        return;
    records_stemmer_destroy(self->stemmer);
    free(self);
}

static const char *check(const struct records_options *o)
{
    if (!(o->k1 >= 0 && o->k1 <= 100))
        return "k1: 0 to 100";
    if (!(o->b >= 0 && o->b <= 1))
        return "b: 0 to 1";
    if (o->limit < 1 || o->limit > RECORDS_LIMIT_MAX)
        return "limit: 1 to 100";
    return NULL;
}

static int open_retriever(const struct cogent_host *host, const void *arg, void **out, char *error,
                          size_t error_size)
{
    const struct records_options *o = arg;
    const char *why = check(o);
    (void)host;
    if (why) {
        snprintf(error, error_size, "%s", why);
        return COGENT_INVALID;
    }
    struct records *self = calloc(1, sizeof *self);
    if (!self)
        return COGENT_NO_MEMORY;
    self->options = o;
    self->stemmer = records_stemmer_create();
    if (!self->stemmer) {
        close_retriever(self);
        return COGENT_NO_MEMORY;
    }
    *out = self;
    return 0;
}

static int request(void *arg, struct cogent_search *search)
{
    const struct records *self = arg;
    switch (search->what) {
    case COGENT_SEARCH:
        return records_search(self, search);
    case COGENT_PUT:
        return records_put(self, search);
    case COGENT_DROP:
        return records_drop(search);
    case COGENT_ERASE:
        return records_erase(search);
    case COGENT_COUNT:
        return records_count(search);
    case COGENT_SHOW:
        return records_show(search);
    case COGENT_IDS:
        return records_ids(search);
    default:
        return cogent_search_fail(search, COGENT_INVALID, "records: no such request");
    }
}

static const struct cogent_retriever retriever = {
    .size = sizeof retriever,
    .name = "records",
    .options = options,
    .options_size = sizeof(struct records_options),
    .statements = records_statements,
    .open = open_retriever,
    .close = close_retriever,
    .request = request,
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_retriever *const retrievers[] = { &retriever, NULL };
    static const struct cogent_plugin plugin = {
        .size = sizeof plugin,
        .abi = COGENT_ABI,
        .name = RECORDS_PLUGIN,
        .version = "0.1.0",
        .license = "Apache-2.0",
        .retrievers = retrievers,
    };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
