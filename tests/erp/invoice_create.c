/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "handlers.h"
#include "records.h"
#include "stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX    500
#define QUANTITY_MAX 1000000
#define TEXT_MAX     200
#define TOTAL_MAX    (INT64_C(1000000000) * DECIMAL_ONE)

struct line {
    const char *sku; /* of the body */
    int64_t quantity;
    int64_t price;
    int64_t amount;
};

struct order {
    const char *customer_id;
    const char *terms;
    struct line lines[LINES_MAX];
    int64_t count;
    int64_t total;
    int64_t units;
};

/* 6 and 6.0 are the same number of pieces; 6.5 is none. */
static bool whole(const json_t *value, int64_t *number)
{
    double real = json_number_value(value);

    if (!json_is_number(value) || !(real >= 1 && real <= QUANTITY_MAX))
        return false;
    *number = (int64_t)real;
    return (double)*number == real;
}

static bool line_read(struct request *request, struct reply *reply, size_t n, const json_t *value,
                      struct line *line)
{
    const char *price = json_string_value(json_object_get(value, "unit_price"));

    line->sku = json_string_value(json_object_get(value, "item_id"));
    if (line->sku == NULL)
        return reply_error(reply, 422, "line %zu: item_id is missing", n);
    if (ledger_number(request->ledger, 0, "SELECT 1 FROM items WHERE sku = ?", "t", line->sku) == 0)
        return reply_error(reply, 422, "line %zu: there is no item %s", n, line->sku);
    if (!whole(json_object_get(value, "quantity"), &line->quantity))
        return reply_error(reply, 422, "line %zu: quantity must be a whole number from 1 to %d", n,
                           QUANTITY_MAX);
    if (price == NULL || !decimal_parse(price, &line->price) || line->price < 0)
        return reply_error(reply, 422, "line %zu: unit_price must be a decimal text such as \"2.55\"", n);
    if (!decimal_amount(line->quantity, line->price, &line->amount) || line->amount > TOTAL_MAX)
        return reply_error(reply, 422, "line %zu: the amount is too large", n);
    return true;
}

static bool order_read(struct request *request, struct reply *reply, struct order *order)
{
    json_t *lines = json_object_get(request->body, "line_items");
    json_t *value;
    size_t i;

    if (!request_member(request, reply, "customer_id", TEXT_MAX, &order->customer_id) ||
        !request_member(request, reply, "payment_terms", TEXT_MAX, &order->terms))
        return false;
    if (order->customer_id == NULL)
        return reply_error(reply, 422, "customer_id is missing");
    if (ledger_number(request->ledger, 0, "SELECT 1 FROM customers WHERE id = ?", "t", order->customer_id) ==
        0)
        return reply_error(reply, 422, "there is no customer %s", order->customer_id);
    if (json_array_size(lines) == 0 || json_array_size(lines) > LINES_MAX)
        return reply_error(reply, 422, "line_items must be a list of 1 to %d lines", LINES_MAX);
    json_array_foreach (lines, i, value) {
        struct line *line = &order->lines[order->count++];
        if (!line_read(request, reply, i + 1, value, line))
            return false;
        order->total += line->amount;
        order->units += line->quantity;
        if (order->total > TOTAL_MAX)
            return reply_error(reply, 422, "the total is too large");
    }
    return true;
}

static void line_write(struct request *request, int64_t invoice, const char *number, int64_t n,
                       const struct line *line)
{
    struct ledger *ledger = request->ledger;
    int64_t stamp = ledger_tick(ledger);

    ledger_run(ledger,
               "INSERT INTO lines (invoice, n, sku, description, quantity, unit_price, amount)"
               " SELECT ?, ?, sku, description, ?, ?, ? FROM items WHERE sku = ?",
               "iiiiit", invoice, n, line->quantity, line->price, line->amount, line->sku);
    ledger_run(ledger, "UPDATE items SET on_hand = on_hand - ?, modified = ? WHERE sku = ?", "iit",
               line->quantity, stamp, line->sku);
    ledger_run(ledger,
               "INSERT INTO movements (sku, change, on_hand, reason, by, at)"
               " SELECT sku, ?, on_hand, ?, ?, ? FROM items WHERE sku = ?",
               "ittit", -line->quantity, number, request->caller.subject, stamp, line->sku);
}

static void today(const struct request *request, char out[DATE_SIZE])
{
    if (request->site->today != NULL)
        snprintf(out, DATE_SIZE, "%s", request->site->today);
    else
        date_of_stamp(stamp_now(), out);
}

static void order_write(struct request *request, const struct order *order, char *number, size_t size)
{
    static const char sql[] =
        "INSERT INTO invoices (id, number, date, status, currency, customer_id, payment_terms, total, units, lines,"
        " modified) VALUES (replace(?1, '/', '-'), ?1, ?2, 'open', ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    struct ledger *ledger = request->ledger;
    char date[DATE_SIZE];
    int64_t invoice;

    today(request, date);
    ledger_run(ledger, "UPDATE facts SET value = value + 1 WHERE name = 'invoice'", "");
    snprintf(number, size, "INV/%04" PRId64,
             ledger_number(ledger, 0, "SELECT value FROM facts WHERE name = 'invoice'", ""));
    ledger_run(ledger, sql, "tttttiiii", number, date, LEDGER_CURRENCY, order->customer_id,
               order->terms == NULL ? "Net 30" : order->terms, order->total, order->units, order->count,
               ledger_tick(ledger));
    invoice = sqlite3_last_insert_rowid(ledger->db);
    for (int64_t i = 0; i < order->count; i++)
        line_write(request, invoice, number, i + 1, &order->lines[i]);
    ledger_run(ledger, "UPDATE customers SET modified = ? WHERE id = ?", "it", ledger_tick(ledger),
               order->customer_id);
}

void invoices_create(struct request *request, struct reply *reply)
{
    struct order *order = calloc(1, sizeof(*order));
    char number[40];

    if (order == NULL) {
        reply_error(reply, 503, "no memory for this invoice");
        return;
    }
    if (order_read(request, reply, order)) {
        order_write(request, order, number, sizeof(number));
        reply_json_take(
            reply, 201,
            json_pack("{s:o}", "data",
                      record_first(request->ledger, invoices_where, " WHERE d.number = ?", number)));
    }
    free(order);
}
