/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "documents.h"
#include "handlers.h"
#include "records.h"

static const char record_sql[] =
    "SELECT d.key, d.number, d.date, d.status, d.currency, d.customer_id, c.name, d.total,"
    " d.modified FROM orders d JOIN customers c ON c.id = d.customer_id";
static const char lines_sql[] =
    "SELECT sku, description, quantity, unit_price, amount FROM order_lines WHERE order_key = ? ORDER BY n";
static const char *const statuses[] = { "draft", "confirmed", "done", NULL };

static json_t *record(struct ledger *ledger, sqlite3_stmt *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", ledger_column_text(row, 1),
                     "number", ledger_column_text(row, 1), "date", ledger_column_text(row, 2), "status",
                     ledger_column_text(row, 3), "currency", ledger_column_text(row, 4), "customer",
                     record_customer(row, 5), "items",
                     record_lines(ledger, lines_sql, sqlite3_column_int64(row, 0)), "total_amount",
                     decimal_json_amount(sqlite3_column_int64(row, 7)), "modified", record_stamp(row, 8));
}

json_t *orders_where(struct ledger *ledger, const struct query *tail)
{
    sqlite3_stmt *row = records_open(ledger, record_sql, tail);
    json_t *list = json_array();

    while (ledger_next(ledger, row))
        json_array_append_new(list, record(ledger, row));
    sqlite3_finalize(row);
    return list;
}

void orders_show(struct request *request, struct reply *reply)
{
    reply_data_take(reply, request, "sales order",
                    record_first(request->ledger, orders_where, " WHERE d.number = ?", request->name));
}

void orders_list(struct request *request, struct reply *reply)
{
    struct query tail = { 0 };
    struct document_filter filter;
    struct page page;
    json_t *body;

    if (!document_filter_read(&filter, request, reply, statuses) ||
        !request_page(request, reply, 50, LIST_MAX, &page))
        return;
    query_add(&tail, " WHERE 1");
    document_filter_add(&tail, &filter);
    query_number(&tail, " ORDER BY d.date DESC, d.key DESC LIMIT ?", page.limit);
    query_number(&tail, " OFFSET ?", page.offset);
    body = json_pack("{s:o}", "items", orders_where(request->ledger, &tail));
    document_totals(request->ledger, "orders", &filter, body);
    reply_json_take(reply, 200, body);
}
