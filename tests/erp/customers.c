/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "handlers.h"
#include "records.h"
#include "stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 200

/* Drafts are not invoiced yet. */
static const char record_sql[] =
    "SELECT c.id, c.name, c.country, c.email, c.credit_limit, c.currency, c.since,"
    " (SELECT count(*) FROM invoices i WHERE i.customer_id = c.id AND i.status <> 'draft'),"
    " (SELECT coalesce(sum(i.total), 0) FROM invoices i WHERE i.customer_id = c.id AND i.status <> 'draft'),"
    " c.modified FROM customers c";

static json_t *record(sqlite3_stmt *row)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:s, s:s, s:I, s:o, s:o}", "id", ledger_column_text(row, 0),
                     "name", ledger_column_text(row, 1), "country", ledger_column_text(row, 2), "email",
                     ledger_column_text(row, 3), "credit_limit",
                     decimal_json_amount(sqlite3_column_int64(row, 4)), "currency",
                     ledger_column_text(row, 5), "since", ledger_column_text(row, 6), "invoices",
                     (json_int_t)sqlite3_column_int64(row, 7), "invoiced_total",
                     decimal_json_amount(sqlite3_column_int64(row, 8)), "modified", record_stamp(row, 9));
}

json_t *customers_where(struct ledger *ledger, const struct query *tail)
{
    sqlite3_stmt *row = records_open(ledger, record_sql, tail);
    json_t *list = json_array();

    while (ledger_next(ledger, row))
        json_array_append_new(list, record(row));
    sqlite3_finalize(row);
    return list;
}

void customers_show(struct request *request, struct reply *reply)
{
    reply_data_take(reply, request, "customer",
                    record_first(request->ledger, customers_where, " WHERE c.id = ?", request->name));
}

void customers_list(struct request *request, struct reply *reply)
{
    const char *words = request_text(request, "q");
    struct query tail = { 0 };
    struct page page;
    int64_t total;

    if (!request_page(request, reply, 50, LIST_MAX, &page))
        return;
    query_text(&tail, " WHERE instr(lower(c.id || ' ' || c.name), lower(?)) > 0", words);
    query_number(&tail, " ORDER BY c.id LIMIT ?", page.limit);
    query_number(&tail, " OFFSET ?", page.offset);
    total = ledger_number(request->ledger, 0,
                          "SELECT count(*) FROM customers c"
                          " WHERE instr(lower(c.id || ' ' || c.name), lower(coalesce(?, ''))) > 0",
                          "t", words);
    reply_json_take(reply, 200,
                    json_pack("{s:o, s:I}", "items", customers_where(request->ledger, &tail), "total",
                              (json_int_t)total));
}

static bool limit_read(struct request *request, struct reply *reply, int64_t *limit)
{
    const char *text;

    *limit = 0;
    if (!request_member(request, reply, "credit_limit", TEXT_MAX, &text))
        return false;
    if (text != NULL && (!decimal_parse(text, limit) || *limit < 0))
        return reply_error(reply, 422, "credit_limit must be a decimal text such as \"1000.00\"");
    return true;
}

void customers_create(struct request *request, struct reply *reply)
{
    struct ledger *ledger = request->ledger;
    const char *name, *country, *email;
    char id[24];
    char since[DATE_SIZE];
    int64_t limit;

    if (!request_member(request, reply, "name", TEXT_MAX, &name) ||
        !request_member(request, reply, "country", TEXT_MAX, &country) ||
        !request_member(request, reply, "email", TEXT_MAX, &email) || !limit_read(request, reply, &limit))
        return;
    if (name == NULL || *name == '\0') {
        reply_error(reply, 422, "name is missing");
        return;
    }
    ledger_run(ledger, "UPDATE facts SET value = value + 1 WHERE name = 'customer'", "");
    snprintf(id, sizeof(id), "%" PRId64,
             ledger_number(ledger, 0, "SELECT value FROM facts WHERE name = 'customer'", ""));
    date_of_stamp(stamp_now(), since);
    ledger_run(ledger,
               "INSERT INTO customers (id, name, country, email, credit_limit, currency, since, modified)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               "ttttitti", id, name, country, email, limit, LEDGER_CURRENCY, since, ledger_tick(ledger));
    reply_json_take(reply, 201,
                    json_pack("{s:o}", "data", record_first(ledger, customers_where, " WHERE c.id = ?", id)));
}
