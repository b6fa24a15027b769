/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include "books.h"
#include "csv.h"
#include "decimal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTED_MAX 100
#define QUANTITY_MAX 1000000000

enum column { INVOICE, SKU, DESCRIPTION, QUANTITY, AT, PRICE, CUSTOMER, COUNTRY, COLUMNS };

static const char *const column_names[COLUMNS] = { "invoice_no",   "stock_code", "description", "quantity",
                                                   "invoice_date", "unit_price", "customer_id", "country" };

struct import {
    struct csv *csv;
    struct books books;
    int place[COLUMNS]; /* of a column in the record */
    int fields;         /* of the header line, and so of every other */
    long taken;
    long left_out;
};

static bool header_read(struct import *import, const char *path)
{
    const char *wrong;

    if (csv_next(import->csv, &wrong) != CSV_RECORD) {
        fprintf(stderr, "erp-demo: %s: the header line is missing\n", path);
        return false;
    }
    import->fields = import->csv->fields;
    for (int c = 0; c < COLUMNS; c++) {
        import->place[c] = -1;
        for (int i = 0; i < import->fields; i++) {
            if (strcmp(import->csv->field[i], column_names[c]) == 0)
                import->place[c] = i;
        }
        if (import->place[c] < 0) {
            fprintf(stderr, "erp-demo: %s: the header has no column %s\n", path, column_names[c]);
            return false;
        }
    }
    return true;
}

static bool text_is_utf8(const char *text)
{
    json_t *value = json_string(text);

    json_decref(value);
    return value != NULL;
}

static const char *sale_take(struct import *import)
{
    const char *value[COLUMNS];
    struct sale sale;
    char *end;

    if (import->csv->fields != import->fields)
        return "the number of fields is not that of the header";
    for (int c = 0; c < COLUMNS; c++) {
        value[c] = import->csv->field[import->place[c]];
        if (!text_is_utf8(value[c]))
            return "a field is not UTF-8";
    }
    sale = (struct sale){ .invoice = value[INVOICE],
                          .sku = value[SKU],
                          .description = value[DESCRIPTION],
                          .at = value[AT],
                          .customer = value[CUSTOMER],
                          .country = value[COUNTRY] };
    sale.quantity = strtoll(value[QUANTITY], &end, 10);
    if (end == value[QUANTITY] || *end != '\0' || llabs(sale.quantity) > QUANTITY_MAX)
        return "quantity is no whole number";
    if (!decimal_parse(value[PRICE], &sale.price))
        return "unit_price is no decimal number";
    return books_sale(&import->books, &sale);
}

static void report(struct import *import, const char *path, const char *wrong)
{
    if (wrong == NULL) {
        import->taken++;
        return;
    }
    import->left_out++;
    if (import->left_out <= REPORTED_MAX)
        fprintf(stderr, "erp-demo: %s:%d: %s\n", path, import->csv->record_line, wrong);
}

static void lines_take(struct import *import, const char *path)
{
    const char *wrong = NULL;
    enum csv_result result;

    while ((result = csv_next(import->csv, &wrong)) != CSV_END) {
        if (result == CSV_RECORD && import->csv->fields == 1 && *import->csv->field[0] == '\0')
            continue;
        report(import, path, result == CSV_BAD ? wrong : sale_take(import));
    }
    fprintf(stderr, "erp-demo: %s: %ld lines taken, %ld left out\n", path, import->taken, import->left_out);
}

bool import_books(struct ledger *ledger, const char *path)
{
    struct import import = { .csv = csv_open(path) };
    bool done = false;

    if (import.csv != NULL && header_read(&import, path) && books_begin(&import.books, ledger)) {
        lines_take(&import, path);
        if (import.taken > 0) {
            done = books_finish(&import.books);
        } else {
            fprintf(stderr, "erp-demo: %s: no line could be taken, so there is nothing to sell; %s\n", path,
                    import.left_out ? "the lines above say why" : "it holds none behind its header");
            books_abandon(&import.books);
        }
    }
    csv_close(import.csv);
    return done;
}
