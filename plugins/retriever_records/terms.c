/* SPDX-License-Identifier: Apache-2.0 */
#include "terms.h"

#include <stdlib.h>
#ifdef RECORDS_STEMMER
#include <libstemmer.h>
#endif

enum { WORD_MAX = 64 };

/* Sorted; among them the words that only ask: find, match, items. What the stemmer of a build without libstemmer
 * would not change either. */
static const char *const stop_words[] = {
    "a",        "about", "all",  "am",     "an",    "and",   "any",   "are",  "as",   "at",    "be",
    "been",     "but",   "by",   "can",    "could", "did",   "do",    "does", "find", "for",   "from",
    "get",      "give",  "had",  "has",    "have",  "he",    "her",   "his",  "how",  "i",     "if",
    "in",       "into",  "is",   "it",     "item",  "items", "its",   "like", "list", "ll",    "match",
    "matching", "me",    "much", "my",     "no",    "not",   "of",    "on",   "or",   "our",   "please",
    "re",       "s",     "she",  "should", "show",  "so",    "some",  "t",    "tell", "than",  "that",
    "the",      "their", "them", "then",   "there", "these", "they",  "this", "to",   "us",    "ve",
    "was",      "we",    "were", "what",   "when",  "where", "which", "who",  "whom", "whose", "will",
    "with",     "would", "you",  "your",
};

static int compare_word(const void *key, const void *entry)
{
    return strcmp(key, *(const char *const *)entry);
}

static int stop_word(const char *word)
{
    return bsearch(word, stop_words, sizeof stop_words / sizeof *stop_words, sizeof *stop_words,
                   compare_word) != NULL;
}

#ifdef RECORDS_STEMMER
struct records_stemmer *records_stemmer_create(void)
{
    return (struct records_stemmer *)sb_stemmer_new("english", NULL);
}

void records_stemmer_destroy(struct records_stemmer *stemmer)
{
    if (stemmer)
        sb_stemmer_delete((struct sb_stemmer *)stemmer);
}

static size_t stem(struct records_stemmer *stemmer, char *word, size_t len)
{
    struct sb_stemmer *s = (struct sb_stemmer *)stemmer;
    const sb_symbol *out = sb_stemmer_stem(s, (const sb_symbol *)word, (int)len);
    size_t n = out ? (size_t)sb_stemmer_length(s) : 0;
    if (!n || n >= WORD_MAX)
        return len;
    memcpy(word, out, n);
    return n;
}
#else
struct records_stemmer {
    int unused;
};

struct records_stemmer *records_stemmer_create(void)
{
    return calloc(1, sizeof(struct records_stemmer));
}

void records_stemmer_destroy(struct records_stemmer *stemmer)
{
    free(stemmer);
}

/* Plurals only. */
static size_t stem(struct records_stemmer *stemmer, char *word, size_t len)
{
    (void)stemmer;
    if (len < 4 || word[len - 1] != 's' || strchr("suia", word[len - 2]))
        return len;
    if (word[len - 2] == 'e' && word[len - 3] == 'i') {
        word[len - 3] = 'y';
        return len - 2;
    }
    return len - 1;
}
#endif

static void add(struct records_terms *terms, const char *word, size_t len)
{
    if (terms->n == terms->cap) {
        size_t cap = terms->cap ? terms->cap * 2 : 64;
        struct records_term *list = realloc(terms->list, cap * sizeof *list);
        if (!list) {
            terms->failed = 1;
            return;
        }
        terms->list = list;
        terms->cap = cap;
    }
    size_t at = terms->text.len;
    cp_buf_add(&terms->text, word, len);
    if (terms->text.failed) {
        terms->failed = 1;
        return;
    }
    terms->list[terms->n++] = (struct records_term){ at, len, 1 };
    terms->words++;
}

/* A word is whole. Only plain ones have stems; a number or a code stays as it is. */
static void finish_word(struct records_terms *terms, struct records_stemmer *stemmer, struct cp_buf *word,
                        int plain)
{
    char stemmed[WORD_MAX];
    size_t len = word->len;
    if (len && len < WORD_MAX && !(plain && stop_word(word->ptr))) {
        memcpy(stemmed, word->ptr, len);
        add(terms, stemmed, plain ? stem(stemmer, stemmed, len) : len);
    }
    cp_buf_clear(word);
}

void records_terms_read(struct records_terms *terms, struct records_stemmer *stemmer, struct cogent_str text)
{
    struct cp_buf word = { 0 };
    int plain = 1, kind = 0;
    uint32_t letter = 0;
    for (size_t n; (n = records_letter(text, &letter, &kind)); text.ptr += n, text.len -= n) {
        if (kind != 1 && word.len) {
            finish_word(terms, stemmer, &word, plain);
            plain = 1;
        }
        if (kind && letter < 0x80)
            cp_buf_byte(&word, (char)letter);
        else if (kind)
            cp_buf_point(&word, letter);
        if (kind && (letter < 'a' || letter > 'z'))
            plain = 0;
        if (kind == 2) {
            finish_word(terms, stemmer, &word, 0);
            plain = 1;
        }
    }
    if (word.len)
        finish_word(terms, stemmer, &word, plain);
    terms->failed |= word.failed;
    cp_buf_finish(&word);
}

struct cogent_str records_terms_at(const struct records_terms *terms, size_t i)
{
    return (struct cogent_str){ terms->text.ptr + terms->list[i].at, terms->list[i].len };
}

static int compare_terms(const void *a, const void *b, void *arg)
{
    const struct records_term *x = a, *y = b;
    const char *text = arg;
    int order = memcmp(text + x->at, text + y->at, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

void records_terms_count(struct records_terms *terms)
{
    size_t n = 0;
    if (!terms->n)
        return;
    qsort_r(terms->list, terms->n, sizeof *terms->list, compare_terms, terms->text.ptr);
    for (size_t i = 1; i < terms->n; i++) {
        if (compare_terms(&terms->list[n], &terms->list[i], terms->text.ptr) == 0)
            terms->list[n].tf += terms->list[i].tf;
        else
            terms->list[++n] = terms->list[i];
    }
    terms->n = n + 1;
}

void records_terms_clear(struct records_terms *terms)
{
    cp_buf_clear(&terms->text);
    terms->n = terms->words = 0;
}

void records_terms_finish(struct records_terms *terms)
{
    cp_buf_finish(&terms->text);
    free(terms->list);
    memset(terms, 0, sizeof *terms);
}
