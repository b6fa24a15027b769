/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "documents.h"
#include "handlers.h"
#include "records.h"

#include <string.h>

#define TERMS_MAX 60

static const char *const statuses[] = { "draft", "open", "paid", "credit", NULL };

/* Whole records: the feed, one by its number, the answer to a creation. */

static const char record_sql[] =
    "SELECT d.key, d.id, d.number, d.date, d.status, d.currency, d.customer_id, c.name, d.payment_terms, d.total,"
    " d.modified FROM invoices d LEFT JOIN customers c ON c.id = d.customer_id";
static const char lines_sql[] =
    "SELECT sku, description, quantity, unit_price, amount FROM lines WHERE invoice = ? ORDER BY n";

static json_t *record(struct ledger *ledger, sqlite3_stmt *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "id", ledger_column_text(row, 1),
                     "number", ledger_column_text(row, 2), "date", ledger_column_text(row, 3), "status",
                     ledger_column_text(row, 4), "currency", ledger_column_text(row, 5), "customer",
                     record_customer(row, 6), "payment_terms", ledger_column_text(row, 8), "items",
                     record_lines(ledger, lines_sql, sqlite3_column_int64(row, 0)), "total_amount",
                     decimal_json_amount(sqlite3_column_int64(row, 9)), "modified", record_stamp(row, 10));
}

json_t *invoices_where(struct ledger *ledger, const struct query *tail)
{
    sqlite3_stmt *row = records_open(ledger, record_sql, tail);
    json_t *list = json_array();

    while (ledger_next(ledger, row))
        json_array_append_new(list, record(ledger, row));
    sqlite3_finalize(row);
    return list;
}

/* By the printed number, or by the id, which is the same without its slash. */
static json_t *find(struct request *request)
{
    json_t *found = record_first(request->ledger, invoices_where, " WHERE d.number = ?", request->name);

    return found != NULL ? found
                         : record_first(request->ledger, invoices_where, " WHERE d.id = ?", request->name);
}

void invoices_show(struct request *request, struct reply *reply)
{
    reply_data_take(reply, request, "invoice", find(request));
}

/* The list: headers only, with the count and the sum of all that match. */

static const char header_sql[] =
    "SELECT d.id, d.number, d.date, d.status, d.customer_id,"
    " (SELECT name FROM customers WHERE id = d.customer_id), d.currency, d.total, d.lines FROM invoices d WHERE 1";

static json_t *header(sqlite3_stmt *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:o, s:I}", "id", ledger_column_text(row, 0),
                     "number", ledger_column_text(row, 1), "date", ledger_column_text(row, 2), "status",
                     ledger_column_text(row, 3), "customer_id", ledger_column_text(row, 4), "customer_name",
                     ledger_column_text(row, 5), "currency", ledger_column_text(row, 6), "total_amount",
                     decimal_json_amount(sqlite3_column_int64(row, 7)), "lines",
                     (json_int_t)sqlite3_column_int64(row, 8));
}

void invoices_list(struct request *request, struct reply *reply)
{
    struct query query = { 0 };
    struct document_filter filter;
    struct page page;
    json_t *items = json_array();
    json_t *body = json_pack("{s:o}", "items", items);
    sqlite3_stmt *row;

    if (!document_filter_read(&filter, request, reply, statuses) ||
        !request_page(request, reply, 50, LIST_MAX, &page)) {
        json_decref(body);
        return;
    }
    query_add(&query, header_sql);
    document_filter_add(&query, &filter);
    query_number(&query, " ORDER BY d.date DESC, d.key DESC LIMIT ?", page.limit);
    query_number(&query, " OFFSET ?", page.offset);
    row = query_open(request->ledger, &query);
    while (ledger_next(request->ledger, row))
        json_array_append_new(items, header(row));
    sqlite3_finalize(row);
    document_totals(request->ledger, "invoices", &filter, body);
    reply_json_take(reply, 200, body);
}

/* Changes. A customer's record tells what they were invoiced, so it changes with each invoice of theirs. */

static void customer_touch(struct ledger *ledger, const char *invoice_id)
{
    ledger_run(ledger,
               "UPDATE customers SET modified = ? WHERE id = (SELECT customer_id FROM invoices WHERE id = ?)",
               "it", ledger_tick(ledger), invoice_id);
}

void invoices_change(struct request *request, struct reply *reply)
{
    static const char sql[] = "UPDATE invoices SET status = coalesce(?, status),"
                              " payment_terms = coalesce(?, payment_terms), modified = ? WHERE id = ?";
    const char *status, *terms;
    json_t *found = find(request);
    const char *id = json_string_value(json_object_get(found, "id"));
    bool known = false;

    if (found == NULL) {
        reply_data_take(reply, request, "invoice", NULL);
        return;
    }
    if (request_member(request, reply, "status", TERMS_MAX, &status) &&
        request_member(request, reply, "payment_terms", TERMS_MAX, &terms)) {
        for (int i = 0; status != NULL && statuses[i] != NULL; i++)
            known = known || strcmp(status, statuses[i]) == 0;
        if (status == NULL && terms == NULL) {
            reply_error(reply, 422, "give a status or payment_terms");
        } else if (status != NULL && !known) {
            reply_error(reply, 422, "status: %s is not one of draft open paid credit", status);
        } else {
            ledger_run(request->ledger, sql, "ttit", status, terms, ledger_tick(request->ledger), id);
            customer_touch(request->ledger, id);
            reply_data_take(reply, request, "invoice", find(request));
        }
    }
    json_decref(found);
}

/* For tests of what notices a deletion; stock stays as it is. */
void invoices_delete(struct request *request, struct reply *reply)
{
    json_t *found = find(request);
    const char *id = json_string_value(json_object_get(found, "id"));

    if (found == NULL) {
        reply_data_take(reply, request, "invoice", NULL);
        return;
    }
    customer_touch(request->ledger, id);
    ledger_run(request->ledger, "DELETE FROM invoices WHERE id = ?", "t", id);
    reply_json_take(reply, 200, json_pack("{s:{s:s, s:b}}", "data", "id", id, "deleted", 1));
    json_decref(found);
}
