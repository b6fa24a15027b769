/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define CENT           (DECIMAL_ONE / 100)
#define WHOLE_DIGITS   10
#define DECIMAL_DIGITS 4

static int64_t cents(int64_t value)
{
    int64_t half = value < 0 ? -CENT / 2 : CENT / 2;
    return (value + half) / CENT;
}

bool decimal_parse(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    int64_t number = 0;
    int whole = 0;
    int decimals = 0;

    if (negative)
        text++;
    for (; isdigit((unsigned char)*text); text++, whole++) {
        if (whole == WHOLE_DIGITS)
            return false;
        number = number * 10 + (*text - '0');
    }
    if (whole == 0)
        return false;
    if (*text == '.') {
        for (text++; isdigit((unsigned char)*text); text++, decimals++) {
            if (decimals == DECIMAL_DIGITS)
                return false;
            number = number * 10 + (*text - '0');
        }
        if (decimals == 0)
            return false;
    }
    if (*text != '\0')
        return false;
    for (; decimals < DECIMAL_DIGITS; decimals++)
        number *= 10;
    *value = negative ? -number : number;
    return true;
}

bool decimal_amount(int64_t quantity, int64_t price, int64_t *amount)
{
    int64_t exact;

    if (__builtin_mul_overflow(quantity, price, &exact) || exact > INT64_MAX - CENT ||
        exact < INT64_MIN + CENT)
        return false;
    *amount = cents(exact) * CENT;
    return true;
}

json_t *decimal_json_amount(int64_t value)
{
    int64_t hundredths = cents(value);
    int64_t size = hundredths < 0 ? -hundredths : hundredths;

    return json_sprintf("%s%" PRId64 ".%02" PRId64, hundredths < 0 ? "-" : "", size / 100, size % 100);
}

json_t *decimal_json_price(int64_t value)
{
    int64_t size = value < 0 ? -value : value;
    int64_t rest = size % DECIMAL_ONE;
    int places = DECIMAL_DIGITS;

    for (; places > 2 && rest % 10 == 0; places--)
        rest /= 10;
    return json_sprintf("%s%" PRId64 ".%0*" PRId64, value < 0 ? "-" : "", size / DECIMAL_ONE, places, rest);
}
