/* SPDX-License-Identifier: Apache-2.0
 * What the files of this plugin share.
 */
#ifndef RETRIEVER_RECORDS_RECORDS_H
#define RETRIEVER_RECORDS_RECORDS_H

#include "terms.h"

#include "common/buf.h"

#include <cogent/retriever.h>

#define RECORDS_PLUGIN "retriever_records"

/* Chunks of one record: a chunk's number is doc * 4096 + its index, here and in the statements. */
enum { RECORDS_CHUNKS_MAX = 4096, RECORDS_LIMIT_MAX = 100 };

struct records_options {
    double k1;
    double b;
    int64_t limit;
};

/* The opened retriever. */
struct records {
    const struct records_options *options;
    struct records_stemmer *stemmer;
};

/* statements.c */
enum records_statement {
    RECORDS_HEAD,
    RECORDS_TOUCH,
    RECORDS_LOCK,
    RECORDS_PUT,
    RECORDS_MARK,
    RECORDS_TERM_LESS,
    RECORDS_POSTING_DROP,
    RECORDS_CORPUS_LESS,
    RECORDS_CHUNK_DROP,
    RECORDS_CHUNK_ADD,
    RECORDS_POSTING_ADD,
    RECORDS_TERM_MORE,
    RECORDS_CORPUS_MORE,
    RECORDS_TERM_CLEAN,
    RECORDS_SETTLE,
    RECORDS_DROP,
    RECORDS_ERASE_POSTING,
    RECORDS_ERASE_TERM,
    RECORDS_ERASE_CORPUS,
    RECORDS_ERASE_CHUNK,
    RECORDS_ERASE,
    RECORDS_FIND,
    RECORDS_DF,
    RECORDS_TOTALS,
    RECORDS_SCORE,
    RECORDS_COUNT,
    RECORDS_SHOW,
    RECORDS_IDS,
    RECORDS_STATEMENTS
};

extern const struct cogent_statement records_statements[RECORDS_STATEMENTS + 1];

/* One file each; every one of them completes the search in any case. */
int records_search(const struct records *self, struct cogent_search *search);
int records_put(const struct records *self, struct cogent_search *search);
int records_drop(struct cogent_search *search);
int records_erase(struct cogent_search *search);
int records_count(struct cogent_search *search);
int records_show(struct cogent_search *search);
int records_ids(struct cogent_search *search);

/* number.c: a document number or item code as it is compared: lower case, letters and digits only, no leading
 * zeros ("INV/0001" -> "inv1"). */
void records_number(struct cp_buf *out, struct cogent_str number);
/* A JSON array of what in the question may be such a number. */
void records_numbers(struct cp_buf *out, struct cogent_str question);

/* lists.c: the asker's kinds and principals as a JSON array ("" is none); COGENT_INVALID when it is no array of
 * strings. */
int records_list(struct cp_buf *out, struct cogent_str json);

/* lists.c: runs one group for the search; a failure to start completes the search. */
int records_run(struct cogent_search *search, const struct cogent_db_step *steps, size_t n, int reads,
                void (*done)(void *arg, const struct cogent_db_result *result));

#endif
