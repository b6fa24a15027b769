/* SPDX-License-Identifier: Apache-2.0
 * The four kinds of record as JSON. Each takes the end of a statement (" WHERE ... ORDER BY ... LIMIT ...") and
   gives an array of whole records, or NULL. */
#ifndef ERP_RECORDS_H
#define ERP_RECORDS_H

#include "ledger.h"

#include <jansson.h>

json_t *invoices_where(struct ledger *ledger, const struct query *tail);
json_t *customers_where(struct ledger *ledger, const struct query *tail);
json_t *items_where(struct ledger *ledger, const struct query *tail);
json_t *orders_where(struct ledger *ledger, const struct query *tail);

typedef json_t *(*records_fn)(struct ledger *ledger, const struct query *tail);

/* The first record that `where` and the value find; NULL when there is none. */
json_t *record_first(struct ledger *ledger, records_fn records, const char *where, const char *value);

/* Opens "head tail" as one statement. */
sqlite3_stmt *records_open(struct ledger *ledger, const char *head, const struct query *tail);

/* The lines of a document: `sql` takes its key and gives sku, description, quantity, unit_price, amount. */
json_t *record_lines(struct ledger *ledger, const char *sql, int64_t key);

json_t *record_stamp(sqlite3_stmt *statement, int column);

/* {"id": ..., "name": ...} of two columns, null when the first is. */
json_t *record_customer(sqlite3_stmt *statement, int column);

#endif
