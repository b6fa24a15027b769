/* SPDX-License-Identifier: Apache-2.0
 * What a question names: numbers with a word before them that says what they are, periods, lines, numbers whose form
 * says it, quoted text. Every token belongs to one of them at most.
 */
#include "rules.h"

#include <stdlib.h>

static int all_digits(const char *word)
{
    return *word && word[strspn(word, "0123456789")] == '\0';
}

/* As it was written; item codes and document numbers in capitals. */
static json_t *written(const struct question *q, size_t i)
{
    const struct token *t = &q->tokens[i];
    char text[WORD_MAX];
    size_t n = 0;
    for (size_t k = 0; k < t->len && n + 1 < sizeof text; k++) {
        char c = q->text.ptr[t->at + k];
        if (c != '#')
            text[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    text[n] = '\0';
    return json_string(text);
}

/* "customer no. 17850": the word, up to two words between, a number. */
static void named(struct question *q, int type, const char *words)
{
    for (size_t i = 0; i < q->n; i++) {
        size_t at = i + 1;
        if (q->taken[i] || q->tokens[i].stop || !word_is(q->tokens[i].word, words))
            continue;
        while (at < q->n && at <= i + 2 &&
               word_is(q->tokens[at].word, "no|number|nr|num|code|id|#|with|called"))
            at++;
        if (at < q->n && !q->taken[at] && q->tokens[at].digits && !strpbrk(q->tokens[at].word, ".,$%") &&
            !(type == SLOT_ITEM && at == i + 1 && strlen(q->tokens[at].word) < 3))
            question_take(q, type, at, at, written(q, at));
    }
}

static void periods(struct question *q)
{
    for (size_t i = 0; i < q->n; i++) {
        json_t *value = NULL;
        size_t n = q->taken[i] ? 0 : period_at(q, i, &value);
        if (n) {
            question_take(q, SLOT_PERIOD, i, i + n - 1, value);
            i += n - 1;
        }
    }
}

static void lines(struct question *q)
{
    json_t *all = json_array();
    size_t first = 0, last = 0;
    int partial = 0;
    for (size_t i = 0; i < q->n; i++) {
        json_t *line = NULL;
        size_t n = q->taken[i] ? 0 : line_at(q, i, &line, &partial);
        if (!n)
            continue;
        if (!json_array_size(all))
            first = i;
        json_array_append_new(all, line);
        last = i + n - 1;
        memset(q->taken + i, 1, n);
        i += n - 1;
    }
    if (!json_array_size(all)) {
        json_decref(all);
        return;
    }
    unsigned char taken[TOKENS_MAX];
    memcpy(taken, q->taken, sizeof taken); /* what stands between two lines is not part of them */
    question_take(q, SLOT_LINES, first, last, all);
    memcpy(q->taken, taken, sizeof taken);
    q->entities[q->n_entities - 1].partial = partial;
}

/* 85123A is an item; 536365, C536379 and INV/0001 are documents; 17850 may be anything; 40 is a number. */
static int form(const char *word)
{
    size_t n = strlen(word), digits = strspn(word, "0123456789");
    if (all_digits(word))
        return n >= 6 ? SLOT_INVOICE : n == 5 ? FOUND_NUMBER : SLOT_INTEGER;
    if (digits >= 4 && n - digits <= 3 &&
        word[digits + strspn(word + digits, "abcdefghijklmnopqrstuvwxyz")] == '\0')
        return SLOT_ITEM;
    if (strncmp(word, "inv", 3) == 0 || (word[0] == 'c' && n >= 6 && all_digits(word + 1)))
        return SLOT_INVOICE;
    return -1;
}

static void formed(struct question *q)
{
    for (size_t i = 0; i < q->n; i++) {
        const char *word = q->tokens[i].word;
        int type = q->taken[i] || !q->tokens[i].digits ? -1 : form(word + (*word == '#'));
        if (type == SLOT_INTEGER)
            question_take(q, type, i, i, json_integer((json_int_t)strtoll(word + (*word == '#'), NULL, 10)));
        else if (type >= 0)
            question_take(q, type, i, i, written(q, i));
    }
}

/* Where a quotation of more than one word begins and ends, in tokens. */
static int quotation(const struct question *q, size_t *first, size_t *last)
{
    const char *text = q->text.ptr;
    for (size_t i = 0; i < q->n; i++) {
        size_t at = q->tokens[i].at;
        char quote = at ? text[at - 1] : 0;
        if (quote != '"' && quote != '\'')
            continue;
        for (size_t k = i; k < q->n; k++) {
            size_t end = q->tokens[k].at + q->tokens[k].len;
            while (end < q->text.len && text[end] != quote && strchr(".,!?", text[end]))
                end++;
            if (end < q->text.len && text[end] == quote && (k > i || !q->tokens[i].digits)) {
                *first = i;
                *last = k;
                return 1;
            }
        }
    }
    return 0;
}

/* Quoted text, else what follows the word that announces a description, to the end. */
static void text(struct question *q)
{
    size_t first = 0, last = q->n - 1;
    if (!q->n)
        return;
    if (!quotation(q, &first, &last)) {
        size_t i = 0;
        while (i < q->n &&
               !word_is(q->tokens[i].word, "match|matches|matching|like|resembling|resemble|described"))
            i++;
        if (i + 1 >= q->n)
            return;
        first = i + 1;
        if (first + 1 < q->n && word_is(q->tokens[first].word, "as|to"))
            first++;
    }
    size_t from = q->tokens[first].at, to = q->tokens[last].at + q->tokens[last].len;
    q->description = json_stringn(q->text.ptr + from, to - from);
    q->description_first = first;
    q->description_last = last;
}

void question_entities(struct question *q)
{
    text(q);
    named(q, SLOT_CUSTOMER, "customer|client|account|buyer|customers");
    lines(q);
    named(q, SLOT_INVOICE, "invoice|bill|inv|document|note|invoices");
    named(q, SLOT_ITEM, "item|sku|product|article|items");
    periods(q);
    formed(q);
}
