/* SPDX-License-Identifier: Apache-2.0
 * Document numbers and item codes: how they are compared, and which words of a question may be one.
 */
#include "records.h"

#include "common/json.h"

enum { NUMBER_MAX = 64, NUMBERS_MAX = 24, SHORT = 3 };

static int digit(char c)
{
    return c >= '0' && c <= '9';
}

void records_number(struct cp_buf *out, struct cogent_str number)
{
    size_t begin = out->len;
    uint32_t letter;
    int kind;
    for (size_t n; (n = records_letter(number, &letter, &kind)); number.ptr += n, number.len -= n)
        if (kind)
            cp_buf_point(out, letter);
    if (out->failed || !out->ptr)
        return;
    /* Leading zeros of the whole, and of the digits after leading letters. */
    size_t at = begin, zeros = begin;
    while (at < out->len && !digit(out->ptr[at]))
        at++;
    for (zeros = at; zeros + 1 < out->len && out->ptr[zeros] == '0' && digit(out->ptr[zeros + 1]);)
        zeros++;
    memmove(out->ptr + at, out->ptr + zeros, out->len - zeros + 1);
    out->len -= zeros - at;
}

/* One word between blanks, without the punctuation around it. */
static struct cogent_str next_word(struct cogent_str *text)
{
    static const char blank[] = " \t\r\n,;:?!()[]{}\"'<>|=";
    struct cogent_str word = { NULL, 0 };
    while (text->len && (!*text->ptr || strchr(blank, *text->ptr)))
        text->ptr++, text->len--;
    word.ptr = text->ptr;
    while (text->len && *text->ptr && !strchr(blank, *text->ptr))
        text->ptr++, text->len--;
    word.len = (size_t)(text->ptr - word.ptr);
    while (word.len && strchr(".-/_#*", word.ptr[word.len - 1]))
        word.len--;
    return word;
}

static size_t digits_in(struct cogent_str word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.len; i++)
        n += (size_t)digit(word.ptr[i]);
    return n;
}

static size_t letters_in(struct cogent_str word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.len; i++)
        n += (size_t)((word.ptr[i] | 32) >= 'a' && (word.ptr[i] | 32) <= 'z');
    return n;
}

/* 2011-03-31, 2.55, 1,000.00: a day or an amount is nobody's number. */
static int day_or_amount(struct cogent_str word)
{
    size_t points = 0, dashes = 0;
    for (size_t i = 0; i < word.len; i++) {
        points += word.ptr[i] == '.';
        dashes += word.ptr[i] == '-';
    }
    if (points == 1 && digits_in(word) + 1 == word.len)
        return 1;
    return dashes == 2 && digits_in(word) == 8 && word.len == 10;
}

static void add(struct cp_buf *out, size_t *n, struct cogent_str first, struct cogent_str second,
                size_t least)
{
    struct cp_buf both = { 0 }, norm = { 0 };
    cp_buf_str(&both, first);
    cp_buf_str(&both, second);
    records_number(&norm, cp_buf_peek(&both));
    if (norm.len >= least && norm.len <= NUMBER_MAX && *n < NUMBERS_MAX) {
        if ((*n)++)
            cp_buf_byte(out, ',');
        cp_json_quote(out, cp_buf_peek(&norm));
    }
    cp_buf_finish(&both);
    cp_buf_finish(&norm);
}

/* "invoice 7", "#7": the word before says that even a short one is a number. */
static int naming(struct cogent_str word)
{
    static const char *const names[] = { "invoice", "order", "customer", "item",   "sku",   "no",   "no.",
                                         "number",  "nr",    "code",     "record", "quote", "bill", NULL };
    for (const char *const *name = names; *name; name++)
        if (word.len == strlen(*name) && strncasecmp(word.ptr, *name, word.len) == 0)
            return 1;
    return 0;
}

void records_numbers(struct cp_buf *out, struct cogent_str question)
{
    const struct cogent_str none = { "", 0 };
    struct cogent_str before = none;
    size_t n = 0;
    cp_buf_byte(out, '[');
    for (struct cogent_str word; (word = next_word(&question)).len || question.len;) {
        if (!word.len)
            continue;
        if (digits_in(word) && !day_or_amount(word)) {
            struct cogent_str after = question;
            size_t least = naming(before) || *word.ptr == '#' ? 1 : SHORT;
            add(out, &n, word, none, least);
            if (before.len && before.len <= 6 && letters_in(before) == before.len)
                add(out, &n, before, word, SHORT); /* INV 0001 */
            after = next_word(&after);
            if (after.len && after.len <= 2 && letters_in(after) == after.len && digits_in(word) >= 4)
                add(out, &n, word, after, SHORT); /* 85123 A */
        }
        before = word;
    }
    cp_buf_byte(out, ']');
}
