/* SPDX-License-Identifier: Apache-2.0
 * Text to terms: words in lower case, stop words left out, English stems. The same for chunks and questions.
 */
#ifndef RETRIEVER_RECORDS_TERMS_H
#define RETRIEVER_RECORDS_TERMS_H

#include "common/buf.h"

struct records_stemmer;

struct records_stemmer *records_stemmer_create(void);
void records_stemmer_destroy(struct records_stemmer *stemmer);

struct records_term {
    size_t at; /* in text */
    size_t len;
    size_t tf;
};

struct records_terms {
    struct cp_buf text;
    struct records_term *list; /* after records_terms_count: each term once, in order */
    size_t n, cap;
    size_t words; /* how many there were */
    int failed;
};

void records_terms_read(struct records_terms *terms, struct records_stemmer *stemmer, struct cogent_str text);
void records_terms_count(struct records_terms *terms);
struct cogent_str records_terms_at(const struct records_terms *terms, size_t i);
void records_terms_clear(struct records_terms *terms);
void records_terms_finish(struct records_terms *terms);

/* letters.c: the character at `text`, in lower case. Returns its length in bytes, 0 at the end. kind: 0 parts words,
 * 1 belongs to a word, 2 is a word of its own (Chinese, Japanese, Korean). */
size_t records_letter(struct cogent_str text, uint32_t *lower, int *kind);

#endif
