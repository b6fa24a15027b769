/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"

#include "decimal.h"

bool document_filter_read(struct document_filter *filter, const struct request *request, struct reply *reply,
                          const char *const *statuses)
{
    filter->customer_id = request_text(request, "customer_id");
    return request_one_of(request, reply, "status", statuses, &filter->status) &&
           request_date(request, reply, "date_from", &filter->from) &&
           request_date(request, reply, "date_to", &filter->to);
}

void document_filter_add(struct query *query, const struct document_filter *filter)
{
    query_text(query, " AND d.customer_id = ?", filter->customer_id);
    query_text(query, " AND d.status = ?", filter->status);
    query_text(query, " AND d.date >= ?", filter->from);
    query_text(query, " AND d.date <= ?", filter->to);
}

void document_totals(struct ledger *ledger, const char *table, const struct document_filter *filter,
                     json_t *body)
{
    struct query query = { 0 };
    sqlite3_stmt *row;

    query_add(&query, "SELECT count(*), coalesce(sum(d.total), 0) FROM ");
    query_add(&query, table);
    query_add(&query, " d WHERE 1");
    document_filter_add(&query, filter);
    row = query_open(ledger, &query);
    if (ledger_next(ledger, row)) {
        json_object_set_new(body, "total", json_integer(sqlite3_column_int64(row, 0)));
        json_object_set_new(body, "sum", decimal_json_amount(sqlite3_column_int64(row, 1)));
    }
    sqlite3_finalize(row);
}
