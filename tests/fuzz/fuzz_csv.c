/* SPDX-License-Identifier: Apache-2.0
 * The ERP's CSV reader: a record that was read, quoted and read again is the same. */
#include "fuzz.h"

#include "csv.h"

/* The record with every field quoted. */
static size_t quote(const struct csv *csv, char *out)
{
    size_t n = 0;
    for (int i = 0; i < csv->fields; i++) {
        if (i)
            out[n++] = ',';
        out[n++] = '"';
        for (const char *c = csv->field[i]; *c; c++) {
            if (*c == '"')
                out[n++] = '"';
            out[n++] = *c;
        }
        out[n++] = '"';
    }
    out[n++] = '\n';
    return n;
}

static void read_quoted(const struct csv *csv)
{
    static char text[2 * CSV_RECORD_MAX + 4 * CSV_FIELDS_MAX];
    static struct csv again;
    const char *wrong = NULL;
    again = (struct csv){ .text = text, .length = quote(csv, text), .line = 1 };
    FUZZ_REQUIRE(csv_next(&again, &wrong) == CSV_RECORD && again.fields == csv->fields);
    for (int i = 0; i < csv->fields; i++)
        FUZZ_REQUIRE(strcmp(again.field[i], csv->field[i]) == 0);
    FUZZ_REQUIRE(csv_next(&again, &wrong) == CSV_END);
}

/* As a file, which may be gzipped. */
static void read_file(const uint8_t *data, size_t size)
{
    const char *wrong;
    struct csv *file = csv_open(fuzz_file(data, size));
    if (!file)
        return;
    while (csv_next(file, &wrong) != CSV_END) {
    }
    csv_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct csv csv;
    const char *wrong;
    enum csv_result result;
    size_t before = 0, n = 0;
    if (size < 256)
        read_file(data, size);
    csv = (struct csv){ .text = (char *)data, .length = size, .line = 1 };
    while ((result = csv_next(&csv, &wrong)) != CSV_END) {
        FUZZ_REQUIRE(csv.at > before && csv.at <= size);
        before = csv.at;
        if (result == CSV_BAD)
            FUZZ_REQUIRE(wrong && *wrong);
        else if (n++ < 100)
            read_quoted(&csv);
    }
    return 0;
}
