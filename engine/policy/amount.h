/* SPDX-License-Identifier: Apache-2.0
 * Exact decimal numbers: at most 30 digits, at most 12 of them after the point. What does not fit is refused; only
 * division and products with more than 12 places round, half to even. */
#ifndef CG_POLICY_AMOUNT_H
#define CG_POLICY_AMOUNT_H

#include <cogent/types.h>
#include <stdbool.h>

__extension__ typedef __int128 cg_int128;

enum { CG_AMOUNT_PLACES = 12, CG_AMOUNT_SIZE = 48 };

struct cg_amount {
    cg_int128 units;
    int places;
};

/* "-1234.50": sign, digits, at most one point with digits on both sides. */
bool cg_amount_parse(struct cogent_str text, struct cg_amount *out);
bool cg_amount_from_int(int64_t n, struct cg_amount *out);
/* The shortest decimal of 15 digits that the double stands for: 0.1 is 0.1. */
bool cg_amount_from_double(double d, struct cg_amount *out);

const char *cg_amount_format(struct cg_amount d, char out[CG_AMOUNT_SIZE]);
double cg_amount_double(struct cg_amount d);

bool cg_amount_add(struct cg_amount a, struct cg_amount b, struct cg_amount *out);
bool cg_amount_sub(struct cg_amount a, struct cg_amount b, struct cg_amount *out);
bool cg_amount_mul(struct cg_amount a, struct cg_amount b, struct cg_amount *out);
/* At least the places of a; as many as needed up to 6 or the places of a. False for a division by zero too. */
bool cg_amount_div(struct cg_amount a, struct cg_amount b, struct cg_amount *out);
bool cg_amount_round(struct cg_amount a, int places, struct cg_amount *out);
/* <0, 0, >0 */
int cg_amount_compare(struct cg_amount a, struct cg_amount b);

#endif
