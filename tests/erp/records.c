/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "decimal.h"
#include "stamp.h"

json_t *record_first(struct ledger *ledger, records_fn records, const char *where, const char *value)
{
    struct query tail = { 0 };
    json_t *found;
    json_t *first;

    query_text(&tail, where, value);
    query_add(&tail, " LIMIT 1");
    found = records(ledger, &tail);
    first = json_incref(json_array_get(found, 0));
    json_decref(found);
    return first;
}

sqlite3_stmt *records_open(struct ledger *ledger, const char *head, const struct query *tail)
{
    struct query whole = *tail;

    whole.used = 0;
    query_add(&whole, head);
    query_add(&whole, tail->text);
    return query_open(ledger, &whole);
}

json_t *record_lines(struct ledger *ledger, const char *sql, int64_t key)
{
    sqlite3_stmt *row = ledger_open_statement(ledger, sql, "i", key);
    json_t *lines = json_array();

    while (ledger_next(ledger, row))
        json_array_append_new(lines,
                              json_pack("{s:s, s:s, s:I, s:o, s:o}", "item_id", ledger_column_text(row, 0),
                                        "description", ledger_column_text(row, 1), "quantity",
                                        (json_int_t)sqlite3_column_int64(row, 2), "unit_price",
                                        decimal_json_price(sqlite3_column_int64(row, 3)), "amount",
                                        decimal_json_amount(sqlite3_column_int64(row, 4))));
    sqlite3_finalize(row);
    return lines;
}

json_t *record_stamp(sqlite3_stmt *statement, int column)
{
    char text[STAMP_SIZE];

    stamp_format(sqlite3_column_int64(statement, column), text);
    return json_string(text);
}

json_t *record_customer(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:s, s:s}", "id", ledger_column_text(statement, column), "name",
                     ledger_column_text(statement, column + 1));
}
