/* SPDX-License-Identifier: Apache-2.0
 * Exact decimal numbers: at most 30 digits, at most 12 of them after the point. What does not fit is refused; only
 * division and products with more than 12 places round, half to even. */
#ifndef CG_POLICY_DECIMAL_H
#define CG_POLICY_DECIMAL_H

#include <cogent/types.h>
#include <stdbool.h>

__extension__ typedef __int128 cg_int128;

enum { CG_DECIMAL_PLACES = 12, CG_DECIMAL_SIZE = 48 };

struct cg_decimal {
    cg_int128 units;
    int places;
};

/* "-1234.50": sign, digits, at most one point with digits on both sides. */
bool cg_decimal_parse(struct cogent_str text, struct cg_decimal *out);
bool cg_decimal_from_int(int64_t n, struct cg_decimal *out);
/* The shortest decimal of 15 digits that the double stands for: 0.1 is 0.1. */
bool cg_decimal_from_double(double d, struct cg_decimal *out);

const char *cg_decimal_format(struct cg_decimal d, char out[CG_DECIMAL_SIZE]);
double cg_decimal_double(struct cg_decimal d);

bool cg_decimal_add(struct cg_decimal a, struct cg_decimal b, struct cg_decimal *out);
bool cg_decimal_sub(struct cg_decimal a, struct cg_decimal b, struct cg_decimal *out);
bool cg_decimal_mul(struct cg_decimal a, struct cg_decimal b, struct cg_decimal *out);
/* At least the places of a; as many as needed up to 6 or the places of a. False for a division by zero too. */
bool cg_decimal_div(struct cg_decimal a, struct cg_decimal b, struct cg_decimal *out);
bool cg_decimal_round(struct cg_decimal a, int places, struct cg_decimal *out);
/* <0, 0, >0 */
int cg_decimal_compare(struct cg_decimal a, struct cg_decimal b);

#endif
