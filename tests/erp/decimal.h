/* SPDX-License-Identifier: Apache-2.0
 * Money as whole ten-thousandths of the currency unit, read from and written to decimal text. No floats. */
#ifndef ERP_DECIMAL_H
#define ERP_DECIMAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DECIMAL_ONE 10000

/* Reads [-]digits[.up to 4 digits], at most 10 digits before the point. */
bool decimal_parse(const char *text, int64_t *value);

/* quantity * price rounded to whole hundredths, half away from zero; false when it does not fit. */
bool decimal_amount(int64_t quantity, int64_t price, int64_t *amount);

/* "139.12": an amount always has two decimals. */
json_t *decimal_json_amount(int64_t value);

/* "2.55", "0.001": a price has two to four decimals. */
json_t *decimal_json_price(int64_t value);

#endif
