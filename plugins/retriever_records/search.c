/* SPDX-License-Identifier: Apache-2.0
 * A question: first, in one group, the records whose own number stands in it, and how rare its words are; then the
 * scores, with the weights of the words as a parameter. Kinds and acl are conditions of both.
 */
#include "records.h"

#include "rows.h"

#include "common/json.h"

#include <math.h>
#include <stdlib.h>

enum { TERMS_MAX = 12, QUESTION_TERMS_MAX = 256, COMMON = 5000 };

/* A word of the question, by how rare it is. */
struct rarity {
    int64_t df;
    size_t term; /* in terms */
};

struct question {
    const struct records *self;
    struct cp_buf kinds, principals, prefer, numbers, words;
    struct records_terms terms;
    int64_t limit;
    struct cp_buf seen; /* type NUL id NUL of what is already given */
    size_t n_seen;
};

static void release(void *data)
{
    struct question *q = data;
    cp_buf_finish(&q->kinds);
    cp_buf_finish(&q->principals);
    cp_buf_finish(&q->prefer);
    cp_buf_finish(&q->numbers);
    cp_buf_finish(&q->words);
    cp_buf_finish(&q->seen);
    records_terms_finish(&q->terms);
    free(q);
}

/* Whether the record is new; it counts as given from now on. */
static int first_time(struct question *q, const struct cogent_found *found)
{
    struct cogent_str parts[] = { found->type, found->id };
    size_t need = found->type.len + found->id.len + 2, at = 0;
    while (at < q->seen.len) {
        const char *type = q->seen.ptr + at, *id = type + strlen(type) + 1;
        if (cogent_str(type).len == parts[0].len && memcmp(type, parts[0].ptr, parts[0].len) == 0 &&
            strlen(id) == parts[1].len && memcmp(id, parts[1].ptr, parts[1].len) == 0)
            return 0;
        at += strlen(type) + strlen(id) + 2;
    }
    for (size_t i = 0; i < 2; i++) {
        cp_buf_str(&q->seen, parts[i]);
        cp_buf_byte(&q->seen, '\0');
    }
    q->n_seen++;
    return need > 0;
}

static void give(struct cogent_search *s, const struct cogent_db_result *result, int exact)
{
    struct question *q = s->data;
    size_t n = result->rows(result, 0);
    for (size_t i = 0; i < n && q->n_seen < (size_t)q->limit; i++) {
        struct cogent_found found = records_row(result->row(result, 0, i));
        found.exact = exact;
        if (exact)
            found.score = 1000;
        if (first_time(q, &found))
            cogent_search_found(s, &found);
    }
}

static void on_scored(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err) {
        cogent_search_fail(s, result->err, "records: the search failed");
        return;
    }
    give(s, result, 0);
    cogent_search_done(s);
}

static int rarer(const void *a, const void *b)
{
    const struct rarity *x = a, *y = b;
    if (x->df != y->df)
        return x->df < y->df ? -1 : 1;
    return x->term < y->term ? -1 : x->term > y->term;
}

static int find_term(const struct records_terms *terms, struct cogent_str word, size_t *out)
{
    for (size_t i = 0; i < terms->n; i++) {
        struct cogent_str term = records_terms_at(terms, i);
        if (term.len == word.len && memcmp(term.ptr, word.ptr, word.len) == 0) {
            *out = i;
            return 1;
        }
    }
    return 0;
}

/* The words that the tenant's records know, the rarest first. */
static size_t order_terms(const struct question *q, const struct cogent_db_result *result, struct rarity *out)
{
    size_t n = 0;
    for (size_t i = 0; i < result->rows(result, 1) && n < QUESTION_TERMS_MAX; i++) {
        struct cogent_row row = result->row(result, 1, i);
        out[n].df = row.values[1].num;
        n += (size_t)find_term(&q->terms, row.values[0].str, &out[n].term);
    }
    qsort(out, n, sizeof *out, rarer);
    return n < TERMS_MAX ? n : TERMS_MAX;
}

static void write_weight(struct cp_buf *out, struct cogent_str term, double weight)
{
    cp_buf_byte(out, out->len > 1 ? ',' : '{');
    cp_json_quote(out, term);
    cp_buf_byte(out, ':');
    cp_json_real(out, weight);
}

/* {term: weight}, the rarer words and the common ones apart. The rarest always drives. */
static void write_weights(const struct question *q, const struct rarity *order, size_t n, int64_t docs,
                          struct cp_buf *rare, struct cp_buf *common)
{
    for (size_t i = 0; i < n; i++) {
        double df = (double)order[i].df;
        double idf = log(1 + ((double)docs - df + 0.5) / (df + 0.5));
        write_weight(i && order[i].df > COMMON ? common : rare, records_terms_at(&q->terms, order[i].term),
                     idf * (q->self->options->k1 + 1));
    }
    cp_buf_text(rare, rare->len ? "}" : "{}");
    cp_buf_text(common, common->len ? "}" : "{}");
}

static int score(struct cogent_search *s, const struct rarity *order, size_t n, int64_t docs, int64_t length)
{
    const struct question *q = s->data;
    const struct records_options *o = q->self->options;
    struct cp_buf rare = { 0 }, common = { 0 };
    write_weights(q, order, n, docs, &rare, &common);
    double average = length > 0 ? (double)length / (double)docs : 1;
    struct cogent_value values[] = {
        cogent_text(cp_buf_peek(&rare)),
        cogent_text(cp_buf_peek(&common)),
        cogent_text(cp_buf_peek(&q->kinds)),
        cogent_text(cp_buf_peek(&q->principals)),
        cogent_double(o->k1 * (1 - o->b)),
        cogent_double(o->k1 * o->b / average),
        cogent_int(q->limit),
        cogent_text(cp_buf_peek(&q->prefer)),
        cogent_int(q->limit - q->limit / 4),
        cogent_int(q->prefer.len > 2 ? q->limit / 4 : q->limit / 3 + 1),
    };
    const struct cogent_db_step step = { RECORDS_SCORE, values, sizeof values / sizeof *values };
    int err = rare.failed || common.failed ? cogent_search_fail(s, COGENT_NO_MEMORY, "records: out of memory")
                                           : records_run(s, &step, 1, 1, on_scored);
    cp_buf_finish(&rare);
    cp_buf_finish(&common);
    return err;
}

static void on_looked_up(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    struct question *q = s->data;
    struct rarity order[QUESTION_TERMS_MAX];
    if (result->err) {
        cogent_search_fail(s, result->err, "records: the search failed");
        return;
    }
    give(s, result, 1);
    size_t n = order_terms(q, result, order);
    if (!n || !result->rows(result, 2) || q->n_seen >= (size_t)q->limit) {
        cogent_search_done(s);
        return;
    }
    struct cogent_row totals = result->row(result, 2, 0);
    score(s, order, n, totals.values[0].num, totals.values[1].num);
}

static void write_words(struct question *q)
{
    cp_buf_byte(&q->words, '[');
    for (size_t i = 0; i < q->terms.n && i < QUESTION_TERMS_MAX; i++) {
        if (i)
            cp_buf_byte(&q->words, ',');
        cp_json_quote(&q->words, records_terms_at(&q->terms, i));
    }
    cp_buf_byte(&q->words, ']');
}

static int look_up(struct cogent_search *s, const struct question *q)
{
    struct cogent_value find[] = { cogent_text(cp_buf_peek(&q->numbers)), cogent_text(cp_buf_peek(&q->kinds)),
                                   cogent_text(cp_buf_peek(&q->principals)), cogent_int(q->limit) };
    struct cogent_value words[] = { cogent_text(cp_buf_peek(&q->words)) };
    const struct cogent_db_step steps[] = { { RECORDS_FIND, find, 4 },
                                            { RECORDS_DF, words, 1 },
                                            { RECORDS_TOTALS, NULL, 0 } };
    return records_run(s, steps, 3, 1, on_looked_up);
}

int records_search(const struct records *self, struct cogent_search *s)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return cogent_search_fail(s, COGENT_NO_MEMORY, "records: out of memory");
    q->self = self;
    q->limit = s->limit ? s->limit : self->options->limit;
    if (q->limit > RECORDS_LIMIT_MAX)
        q->limit = RECORDS_LIMIT_MAX;
    s->data = q;
    s->release = release;
    const struct cogent_str none = { "", 0 };
    if (records_list(&q->kinds, s->kinds) || records_list(&q->principals, s->principals) ||
        records_list(&q->prefer, COGENT_HAS(s, prefer) ? s->prefer : none))
        return cogent_search_fail(s, COGENT_INVALID,
                                  "records: kinds, principals or prefer are not a JSON array of strings");
    records_numbers(&q->numbers, s->query);
    records_terms_read(&q->terms, self->stemmer, s->query);
    records_terms_count(&q->terms);
    write_words(q);
    if (q->terms.failed || q->words.failed || q->numbers.failed)
        return cogent_search_fail(s, COGENT_NO_MEMORY, "records: out of memory");
    if (!q->terms.n && q->numbers.len <= 2)
        return cogent_search_done(s);
    return look_up(s, q);
}
