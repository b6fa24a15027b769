/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool add_digit(struct cg_decimal *d, char c)
{
    if (d->n == CG_DECIMAL_DIGITS)
        return false;
    d->digits[d->n++] = c;
    return true;
}

/* Digits with at most one dot among them, from *i on. Returns whether there was a digit. */
static bool take_digits(struct cogent_str t, size_t *i, struct cg_decimal *out)
{
    bool dot = false, any = false, started = false;
    int zeros = 0; /* seen, and written only when a digit follows */
    for (; *i < t.len; (*i)++) {
        char c = t.ptr[*i];
        if (c == '.') {
            if (dot || !any || *i + 1 == t.len || t.ptr[*i + 1] < '0' || t.ptr[*i + 1] > '9')
                return false;
            dot = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        started = started || c != '0';
        out->point += started && !dot;
        out->point -= !started && dot;
        if (!started)
            continue;
        if (c == '0') {
            zeros++;
            continue;
        }
        for (; zeros; zeros--) {
            if (!add_digit(out, '0'))
                return false;
        }
        if (!add_digit(out, c))
            return false;
    }
    return any;
}

static bool take_sign(struct cogent_str t, size_t *i)
{
    bool negative = *i < t.len && t.ptr[*i] == '-';
    *i += negative;
    return negative;
}

static void settle(struct cg_decimal *d)
{
    if (d->n == 0) {
        d->negative = false;
        d->point = 0;
    }
}

bool cg_decimal_parse(struct cogent_str text, struct cg_decimal *out)
{
    size_t i = 0;
    *out = (struct cg_decimal){ 0 };
    if (text.len > CG_DECIMAL_DIGITS + 2)
        return false;
    out->negative = take_sign(text, &i);
    if (!take_digits(text, &i, out) || i != text.len)
        return false;
    settle(out);
    return true;
}

bool cg_decimal_json(const json_t *number, struct cg_decimal *out)
{
    char text[40];
    size_t i = 0;
    *out = (struct cg_decimal){ 0 };
    if (json_is_integer(number))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(number));
    else if (json_is_real(number) && isfinite(json_real_value(number)))
        snprintf(text, sizeof text, "%.14e", json_real_value(number));
    else
        return false;
    struct cogent_str t = cogent_str(text);
    out->negative = take_sign(t, &i);
    if (!take_digits(t, &i, out))
        return false;
    if (i < t.len)
        out->point += (int)strtol(text + i + 1, NULL, 10);
    settle(out);
    return true;
}

static int compare_size(const struct cg_decimal *a, const struct cg_decimal *b)
{
    if (!a->n || !b->n)
        return !b->n ? a->n != 0 : -1;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    int rc = memcmp(a->digits, b->digits, (size_t)(a->n < b->n ? a->n : b->n));
    return rc ? rc : a->n - b->n;
}

int cg_decimal_compare(const struct cg_decimal *a, const struct cg_decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? compare_size(b, a) : compare_size(a, b);
}

/* Holds ten times a rest of 19 digits. */
__extension__ typedef unsigned __int128 wide;

bool cg_decimal_multiple(const struct cg_decimal *a, const struct cg_decimal *b)
{
    wide divisor = 0, rest = 0;
    /* As integers times powers of ten: a's does not end in 0, so what b has more of, a cannot make up for. */
    int more = (a->point - a->n) - (b->point - b->n);
    if (a->n == 0)
        return true;
    if (more < 0 || b->n == 0 || b->n > 19)
        return false;
    for (int i = 0; i < b->n; i++)
        divisor = divisor * 10 + (unsigned)(b->digits[i] - '0');
    for (int i = 0; i < a->n + more; i++)
        rest = (rest * 10 + (unsigned)(i < a->n ? a->digits[i] - '0' : 0)) % divisor;
    return rest == 0;
}
