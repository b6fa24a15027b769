/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK    (1 << 20)
#define FILE_MAX (1 << 30)

static bool file_read(struct csv *csv, gzFile file)
{
    size_t room = 0;
    int got;

    do {
        if (csv->length + CHUNK > room) {
            char *grown;
            room = room == 0 ? 4 * CHUNK : 2 * room;
            grown = room > FILE_MAX ? NULL : realloc(csv->text, room);
            if (grown == NULL)
                return false;
            csv->text = grown;
        }
        got = gzread(file, csv->text + csv->length, CHUNK);
        if (got < 0)
            return false;
        csv->length += (size_t)got;
    } while (got > 0);
    return true;
}

struct csv *csv_open(const char *path)
{
    struct csv *csv = calloc(1, sizeof(*csv));
    gzFile file = csv == NULL ? NULL : gzopen(path, "rb");
    bool whole = file != NULL && file_read(csv, file);

    if (file != NULL && gzclose_r(file) != Z_OK)
        whole = false;
    if (!whole) {
        fprintf(stderr, "erp-demo: cannot read %s: %s\n", path,
                errno != 0 ? strerror(errno) : "damaged or too large");
        csv_close(csv);
        return NULL;
    }
    csv->line = 1;
    if (csv->length >= 3 && memcmp(csv->text, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    return csv;
}

void csv_close(struct csv *csv)
{
    if (csv == NULL)
        return;
    free(csv->text);
    free(csv);
}

static int peek(const struct csv *csv)
{
    return csv->at < csv->length ? (unsigned char)csv->text[csv->at] : -1;
}

/* Puts a byte of the present field down; false when the record is too long. */
static bool put(struct csv *csv, size_t *used, char c)
{
    if (*used >= sizeof(csv->record))
        return false;
    csv->record[(*used)++] = c;
    return true;
}

static const char *quoted_field(struct csv *csv, size_t *used)
{
    for (csv->at++; csv->at < csv->length; csv->at++) {
        char c = csv->text[csv->at];
        if (c == '"') {
            csv->at++;
            if (peek(csv) != '"')
                return NULL;
        }
        if (c == '\0')
            return "a zero byte";
        if (c == '\n')
            csv->line++;
        if (!put(csv, used, c))
            return "the record is too long";
    }
    return "a quote is not closed";
}

static const char *plain_field(struct csv *csv, size_t *used)
{
    for (; csv->at < csv->length && strchr(",\r\n", csv->text[csv->at]) == NULL; csv->at++) {
        if (csv->text[csv->at] == '"')
            return "a quote stands inside a field";
        if (!put(csv, used, csv->text[csv->at]))
            return "the record is too long";
    }
    /* strchr finds the zero byte too. */
    return peek(csv) == '\0' ? "a zero byte" : NULL;
}

/* Ends the line; false when something else follows. */
static bool line_end(struct csv *csv)
{
    if (peek(csv) == '\r')
        csv->at++;
    if (peek(csv) == '\n')
        csv->at++;
    else if (peek(csv) != -1)
        return false;
    csv->line++;
    return true;
}

static const char *record_read(struct csv *csv)
{
    size_t used = 0;

    for (;;) {
        const char *wrong;
        if (csv->fields == CSV_FIELDS_MAX)
            return "too many fields";
        csv->field[csv->fields++] = csv->record + used;
        wrong = peek(csv) == '"' ? quoted_field(csv, &used) : plain_field(csv, &used);
        if (wrong != NULL)
            return wrong;
        if (!put(csv, &used, '\0'))
            return "the record is too long";
        if (peek(csv) == ',') {
            csv->at++;
            continue;
        }
        return line_end(csv) ? NULL : "text stands behind a quote";
    }
}

enum csv_result csv_next(struct csv *csv, const char **wrong)
{
    size_t begin = csv->at;
    const char *end;

    if (csv->at >= csv->length)
        return CSV_END;
    csv->fields = 0;
    csv->record_line = csv->line;
    *wrong = record_read(csv);
    if (*wrong == NULL)
        return CSV_RECORD;
    end = memchr(csv->text + begin, '\n', csv->length - begin);
    csv->at = end == NULL ? csv->length : (size_t)(end - csv->text) + 1;
    csv->line = csv->record_line + 1;
    return CSV_BAD;
}
