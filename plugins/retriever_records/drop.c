/* SPDX-License-Identifier: Apache-2.0
 * Records go: one, or all of the tenant.
 */
#include "records.h"

static void on_gone(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err)
        cogent_search_fail(s, result->err, "records: nothing could be deleted");
    else
        cogent_search_done(s);
}

enum { DROP_STEP = 6 };

static void on_dropped(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (!result->err && COGENT_HAS(s, unchanged))
        s->unchanged = result->changed(result, DROP_STEP) == 0;
    on_gone(arg, result);
}

int records_drop(struct cogent_search *s)
{
    struct cogent_value key[] = { cogent_text(s->type), cogent_text(s->id) };
    const struct cogent_db_step steps[] = {
        { RECORDS_LOCK, NULL, 0 },        { RECORDS_MARK, key, 2 },        { RECORDS_TERM_LESS, key, 2 },
        { RECORDS_POSTING_DROP, key, 2 }, { RECORDS_CORPUS_LESS, key, 2 }, { RECORDS_CHUNK_DROP, key, 2 },
        { RECORDS_DROP, key, 2 },         { RECORDS_TERM_CLEAN, NULL, 0 },
    };
    return records_run(s, steps, sizeof steps / sizeof *steps, 0, on_dropped);
}

/* The lock makes a row where there was none, so the corpus goes last. */
int records_erase(struct cogent_search *s)
{
    const struct cogent_db_step steps[] = {
        { RECORDS_LOCK, NULL, 0 },       { RECORDS_ERASE_POSTING, NULL, 0 },
        { RECORDS_ERASE_TERM, NULL, 0 }, { RECORDS_ERASE_CHUNK, NULL, 0 },
        { RECORDS_ERASE, NULL, 0 },      { RECORDS_ERASE_CORPUS, NULL, 0 },
    };
    return records_run(s, steps, sizeof steps / sizeof *steps, 0, on_gone);
}
