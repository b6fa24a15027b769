/* SPDX-License-Identifier: Apache-2.0
 * Comma-separated values with RFC 4180 quotes, plain or gzipped (told by its first bytes). */
#ifndef ERP_CSV_H
#define ERP_CSV_H

#include <stddef.h>

#define CSV_FIELDS_MAX 32
#define CSV_RECORD_MAX 65536

struct csv {
    char *text; /* the whole file */
    size_t length;
    size_t at;
    int line;        /* where the next record begins, counted from 1 */
    int record_line; /* where the present record began */
    char record[CSV_RECORD_MAX];
    char *field[CSV_FIELDS_MAX];
    int fields;
};

enum csv_result { CSV_RECORD, CSV_BAD, CSV_END };

/* NULL, after a word on stderr, when the file cannot be read. */
struct csv *csv_open(const char *path);
void csv_close(struct csv *csv);

/* Reads a record into field[0..fields-1]. A bad one costs its first line only; *wrong says why. */
enum csv_result csv_next(struct csv *csv, const char **wrong);

#endif
