/* SPDX-License-Identifier: Apache-2.0 */
#include "amount.h"

#include <math.h>
#include <stdio.h>

static cg_int128 power10(int n)
{
    cg_int128 p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static cg_int128 limit(void)
{
    return power10(30);
}

static bool fits(struct cg_amount d)
{
    return d.units < limit() && d.units > -limit() && d.places >= 0 && d.places <= CG_AMOUNT_PLACES;
}

bool cg_amount_parse(struct cogent_str text, struct cg_amount *out)
{
    struct cg_amount d = { 0, 0 };
    size_t i = 0, digits = 0, after = 0;
    bool negative = text.len && text.ptr[0] == '-', point = false;
    if (text.len > 44)
        return false;
    for (i = negative; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point && digits) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || d.units >= limit())
            return false;
        d.units = d.units * 10 + (c - '0');
        digits++;
        after += point;
    }
    if (!digits || (point && !after) || after > CG_AMOUNT_PLACES)
        return false;
    d.places = (int)after;
    d.units = negative ? -d.units : d.units;
    *out = d;
    return fits(d);
}

bool cg_amount_from_int(int64_t n, struct cg_amount *out)
{
    *out = (struct cg_amount){ n, 0 };
    return true;
}

bool cg_amount_from_double(double d, struct cg_amount *out)
{
    char text[64];
    if (!isfinite(d) || fabs(d) >= 1e15)
        return false;
    snprintf(text, sizeof text, "%.15g", d);
    if (strchr(text, 'e'))
        snprintf(text, sizeof text, "%.12f", d);
    return cg_amount_parse(cogent_str(text), out);
}

const char *cg_amount_format(struct cg_amount d, char out[CG_AMOUNT_SIZE])
{
    char *at = out + CG_AMOUNT_SIZE;
    cg_int128 units = d.units < 0 ? -d.units : d.units;
    *--at = '\0';
    for (int i = 0; i <= d.places || units; i++) {
        if (i == d.places && i)
            *--at = '.';
        *--at = (char)('0' + (int)(units % 10));
        units /= 10;
    }
    if (d.units < 0)
        *--at = '-';
    return memmove(out, at, (size_t)(out + CG_AMOUNT_SIZE - at));
}

double cg_amount_double(struct cg_amount d)
{
    return (double)d.units / (double)power10(d.places);
}

static bool align(struct cg_amount *a, struct cg_amount *b)
{
    struct cg_amount *low = a->places < b->places ? a : b;
    int by = a->places < b->places ? b->places - a->places : a->places - b->places;
    if (__builtin_mul_overflow(low->units, power10(by), &low->units))
        return false;
    low->places += by;
    return true;
}

bool cg_amount_add(struct cg_amount a, struct cg_amount b, struct cg_amount *out)
{
    if (!align(&a, &b) || __builtin_add_overflow(a.units, b.units, &a.units))
        return false;
    *out = a;
    return fits(a);
}

bool cg_amount_sub(struct cg_amount a, struct cg_amount b, struct cg_amount *out)
{
    b.units = -b.units;
    return cg_amount_add(a, b, out);
}

/* n / by, half to even; by > 0. */
static cg_int128 divide(cg_int128 n, cg_int128 by)
{
    cg_int128 q = n / by, rest = n % by;
    cg_int128 twice = (rest < 0 ? -rest : rest) * 2;
    if (twice > by || (twice == by && q % 2 != 0))
        q += n < 0 ? -1 : 1;
    return q;
}

bool cg_amount_round(struct cg_amount a, int places, struct cg_amount *out)
{
    if (places < 0 || places > CG_AMOUNT_PLACES)
        return false;
    if (places < a.places)
        a.units = divide(a.units, power10(a.places - places));
    else if (__builtin_mul_overflow(a.units, power10(places - a.places), &a.units))
        return false;
    a.places = places;
    *out = a;
    return fits(a);
}

bool cg_amount_mul(struct cg_amount a, struct cg_amount b, struct cg_amount *out)
{
    struct cg_amount d = { 0, a.places + b.places };
    if (__builtin_mul_overflow(a.units, b.units, &d.units))
        return false;
    if (d.places > CG_AMOUNT_PLACES)
        return cg_amount_round(d, CG_AMOUNT_PLACES, out);
    *out = d;
    return fits(d);
}

bool cg_amount_div(struct cg_amount a, struct cg_amount b, struct cg_amount *out)
{
    int keep = a.places, places = keep > 6 ? keep : 6;
    struct cg_amount d = { a.units, places };
    if (b.units == 0)
        return false;
    if (b.units < 0) {
        b.units = -b.units;
        d.units = -d.units;
    }
    /* a/10^p / (b/10^q) in units of 10^-places = a * 10^(places - p + q) / b */
    if (b.units >= limit() ||
        __builtin_mul_overflow(d.units, power10(places - a.places + b.places), &d.units))
        return false;
    d.units = divide(d.units, b.units);
    while (d.places > keep && d.units % 10 == 0) {
        d.units /= 10;
        d.places--;
    }
    *out = d;
    return fits(d);
}

int cg_amount_compare(struct cg_amount a, struct cg_amount b)
{
    /* Both fit: 30 digits and 12 more would not, so whole parts first. */
    cg_int128 x = a.units / power10(a.places), y = b.units / power10(b.places);
    if (x != y)
        return x < y ? -1 : 1;
    x = a.units % power10(a.places) * power10(CG_AMOUNT_PLACES - a.places);
    y = b.units % power10(b.places) * power10(CG_AMOUNT_PLACES - b.places);
    return x < y ? -1 : x > y;
}
