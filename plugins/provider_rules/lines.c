/* SPDX-License-Identifier: Apache-2.0
 * The lines of a document to be made: "6 of 85123A at 2.55", "85123A x 6 @ 2.55", several with commas or "and".
 */
#include "rules.h"

#include <stdlib.h>

enum { QUANTITY_DIGITS = 7 };

static int all_digits(const char *word)
{
    return *word && word[strspn(word, "0123456789")] == '\0';
}

/* A code as items bear: has a digit, no decimal point, at least three characters, not only a few digits. */
int lines_item(const struct token *t)
{
    return t->digits && strlen(t->word) >= 3 && !strpbrk(t->word, ".,$%@") &&
           (!all_digits(t->word) || strlen(t->word) >= 5);
}

static const struct token *token(const struct question *q, size_t i)
{
    return i < q->n && !q->taken[i] ? &q->tokens[i] : NULL;
}

/* "6", "6x": the digits into out. */
static int quantity(const struct token *t, json_int_t *out)
{
    size_t n = t ? strspn(t->word, "0123456789") : 0;
    if (!n || n > QUANTITY_DIGITS || (t->word[n] && strcmp(t->word + n, "x") != 0))
        return 0;
    *out = strtoll(t->word, NULL, 10);
    return *out > 0;
}

/* "2.55", "£2.55", "12": as plain decimal text. */
static int price(const struct token *t, char *out, size_t size)
{
    const char *at = t ? t->word : "";
    while (*at && (strchr("$@", *at) || (unsigned char)*at >= 0x80))
        at++;
    size_t whole = strspn(at, "0123456789"), n = whole;
    if (at[n] == '.')
        n += 1 + strspn(at + n + 1, "0123456789");
    if (!whole || at[n] || n == whole + 1 || n >= size || n - whole > 5)
        return 0;
    memcpy(out, at, n + 1);
    return 1;
}

static size_t skip(const struct question *q, size_t i, const char *words)
{
    const struct token *t = token(q, i);
    return t && word_is(t->word, words) ? 1 : 0;
}

static size_t price_at(const struct question *q, size_t i, char *out, size_t size)
{
    size_t n = 0;
    const struct token *t = token(q, i);
    if (t && word_is(t->word, "at|@|for|costing|price|priced"))
        n = 1 + skip(q, i + 1, "at|of");
    else if (!t || t->word[0] != '@')
        return 0;
    if (!price(token(q, i + n), out, size))
        return 0;
    n++;
    n += skip(q, i + n, "each|apiece|ea|piece|gbp|pounds");
    return n + skip(q, i + n, "each|apiece|ea|piece");
}

/* Quantity and item in either order; how many tokens. */
static size_t goods_at(const struct question *q, size_t i, json_int_t *quantity_out,
                       const struct token **item)
{
    size_t n = 1;
    if (quantity(token(q, i), quantity_out)) {
        size_t unit = skip(q, i + n, "unit|units|pcs|pc|piece|pieces|x|\xc3\x97|*|times");
        size_t of = skip(q, i + n + unit, "of|x");
        n += unit + of;
        n += skip(q, i + n, "item|items|sku|product");
        *item = token(q, i + n);
        return *item && lines_item(*item) ? n + 1 : 0;
    }
    *item = token(q, i);
    if (!*item || !lines_item(*item))
        return 0;
    size_t by = skip(q, i + n, "x|\xc3\x97|*|times");
    if (by && quantity(token(q, i + n + by), quantity_out))
        return n + by + 1;
    const struct token *t = token(q, i + n);
    return t && t->word[0] == 'x' && all_digits(t->word + 1) &&
                   (*quantity_out = strtoll(t->word + 1, NULL, 10)) > 0 && strlen(t->word) <= QUANTITY_DIGITS
               ? n + 1
               : 0;
}

size_t line_at(const struct question *q, size_t i, json_t **out, int *partial)
{
    char money[24] = "";
    json_int_t count = 0;
    const struct token *item = NULL;
    size_t n = goods_at(q, i, &count, &item);
    if (!n)
        return 0;
    size_t more = price_at(q, i + n, money, sizeof money);
    char code[WORD_MAX];
    size_t len = item->len < WORD_MAX ? item->len : WORD_MAX - 1;
    memcpy(code, q->text.ptr + item->at, len);
    code[len] = '\0';
    for (char *c = code; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 32);
    *out = json_pack("{s:s, s:I, s:s}", "item_id", code, "quantity", count, "unit_price", money);
    if (!more)
        *partial = 1;
    return n + more;
}
