/* SPDX-License-Identifier: Apache-2.0
 * Dates (YYYY-MM-DD) and change stamps (microseconds since 1970, written as RFC 3339). */
#ifndef ERP_STAMP_H
#define ERP_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_SIZE 40
#define DATE_SIZE  11

int64_t stamp_now(void);

/* "2025-12-31T17:05:00.000001Z": always of this width, so that stamps sort as text too. */
void stamp_format(int64_t stamp, char out[STAMP_SIZE]);

/* Reads RFC 3339 with up to 6 decimals of a second and Z or an offset. */
bool stamp_parse(const char *text, int64_t *stamp);

/* YYYY-MM-DDTHH:MM or with :SS; a space may stand for the T. */
bool moment_valid(const char *text);

/* The whole text is a date. */
bool date_valid(const char *text);

void date_of_stamp(int64_t stamp, char out[DATE_SIZE]);

#endif
