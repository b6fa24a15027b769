/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "handlers.h"
#include "records.h"

#define REASON_MAX  200
#define ON_HAND_MAX 1000000000

static const char record_sql[] = "SELECT sku, description, category, on_hand, reserved, on_hand - reserved,"
                                 " reorder_point, unit_price, modified FROM items";

static json_t *record(sqlite3_stmt *row)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:s, s:o}", "id", ledger_column_text(row, 0), "sku",
        ledger_column_text(row, 0), "description", ledger_column_text(row, 1), "category",
        ledger_column_text(row, 2), "on_hand", (json_int_t)sqlite3_column_int64(row, 3), "reserved",
        (json_int_t)sqlite3_column_int64(row, 4), "available", (json_int_t)sqlite3_column_int64(row, 5),
        "reorder_point", (json_int_t)sqlite3_column_int64(row, 6), "unit_price",
        decimal_json_price(sqlite3_column_int64(row, 7)), "currency", LEDGER_CURRENCY, "modified",
        record_stamp(row, 8));
}

json_t *items_where(struct ledger *ledger, const struct query *tail)
{
    sqlite3_stmt *row = records_open(ledger, record_sql, tail);
    json_t *list = json_array();

    while (ledger_next(ledger, row))
        json_array_append_new(list, record(row));
    sqlite3_finalize(row);
    return list;
}

void items_show(struct request *request, struct reply *reply)
{
    reply_data_take(reply, request, "item",
                    record_first(request->ledger, items_where, " WHERE sku = ?", request->name));
}

/* A page of items under `where`, which may take one text, in an order. */
static void list(struct request *request, struct reply *reply, const char *where, const char *value,
                 const char *order)
{
    struct query tail = { 0 };
    struct query count = { 0 };
    struct page page;
    sqlite3_stmt *row;
    json_int_t total = 0;

    if (!request_page(request, reply, 50, LIST_MAX, &page))
        return;
    query_add(&count, "SELECT count(*) FROM items");
    if (value == NULL) {
        query_add(&count, where);
        query_add(&tail, where);
    }
    query_text(&count, where, value);
    query_text(&tail, where, value);
    query_add(&tail, order);
    query_number(&tail, " LIMIT ?", page.limit);
    query_number(&tail, " OFFSET ?", page.offset);
    row = query_open(request->ledger, &count);
    if (ledger_next(request->ledger, row))
        total = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    reply_json_take(reply, 200,
                    json_pack("{s:o, s:I}", "items", items_where(request->ledger, &tail), "total", total));
}

void items_list(struct request *request, struct reply *reply)
{
    const char *words = request_text(request, "q");

    list(request, reply, words == NULL ? "" : " WHERE instr(lower(sku || ' ' || description), lower(?)) > 0",
         words, " ORDER BY sku");
}

/* Worst first: the smallest part of the reorder point left. An item that is not reordered is never low. */
void items_low(struct request *request, struct reply *reply)
{
    list(request, reply, " WHERE reorder_point > 0 AND on_hand <= reorder_point", NULL,
         " ORDER BY CAST(on_hand AS REAL) / reorder_point, reorder_point DESC, sku");
}

void items_set_stock(struct request *request, struct reply *reply)
{
    struct ledger *ledger = request->ledger;
    json_t *value = json_object_get(request->body, "on_hand");
    int64_t on_hand = json_integer_value(value);
    int64_t before =
        ledger_number(ledger, INT64_MIN, "SELECT on_hand FROM items WHERE sku = ?", "t", request->name);
    int64_t stamp = ledger_tick(ledger);
    const char *reason;

    if (before == INT64_MIN) {
        reply_data_take(reply, request, "item", NULL);
        return;
    }
    if (!json_is_integer(value) || on_hand < 0 || on_hand > ON_HAND_MAX) {
        reply_error(reply, 422, "on_hand must be a whole number from 0 to %d", ON_HAND_MAX);
        return;
    }
    if (!request_member(request, reply, "reason", REASON_MAX, &reason))
        return;
    ledger_run(ledger, "UPDATE items SET on_hand = ?, modified = ? WHERE sku = ?", "iit", on_hand, stamp,
               request->name);
    ledger_run(ledger,
               "INSERT INTO movements (sku, change, on_hand, reason, by, at) VALUES (?, ?, ?, ?, ?, ?)",
               "tiitti", request->name, on_hand - before, on_hand, reason == NULL ? "" : reason,
               request->caller.subject, stamp);
    items_show(request, reply);
}
