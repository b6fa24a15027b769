/* SPDX-License-Identifier: Apache-2.0
 * Exact decimals for what schemas compare: a sign, digits and a power of ten. */
#ifndef CG_BASE_DECIMAL_H
#define CG_BASE_DECIMAL_H

#include <cogent/types.h>
#include <jansson.h>
#include <stdbool.h>

enum { CG_DECIMAL_DIGITS = 100 };

/* 0.digits * 10^point; no zeros at either end; zero has no digits. */
struct cg_decimal {
    bool negative;
    int point;
    int n;
    char digits[CG_DECIMAL_DIGITS];
};

/* "-12.50": digits with an optional minus before and a fraction behind. False: no decimal, or more than 100 digits. */
bool cg_decimal_parse(struct cogent_str text, struct cg_decimal *out);
/* A JSON number: integers exactly, reals with 15 significant digits. False when it is no finite number. */
bool cg_decimal_json(const json_t *number, struct cg_decimal *out);

int cg_decimal_compare(const struct cg_decimal *a, const struct cg_decimal *b); /* < 0, 0, > 0 */
/* Whether a is an integer times b; b has at most 19 digits and is not zero. */
bool cg_decimal_multiple(const struct cg_decimal *a, const struct cg_decimal *b);

#endif
