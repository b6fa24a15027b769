/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers.h"

#include <string.h>

void health_show(struct request *request, struct reply *reply)
{
    reply_json_take(reply, 200,
                    json_pack("{s:s, s:i}", "status", "ok", "tenants", request->site->tenant_count));
}

/* What tests count: did it happen, and did it happen once? */
static const char counts_sql[] = "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM movements),"
                                 " (SELECT count(*) FROM keys), (SELECT count(*) FROM customers),"
                                 " (SELECT count(*) FROM items), (SELECT count(*) FROM orders),"
                                 " (SELECT count(*) FROM lines)";
static const char *const counts[] = { "invoices", "movements",    "keys", "customers",
                                      "items",    "sales_orders", "lines" };

void ledger_show(struct request *request, struct reply *reply)
{
    const char *tenant = request_text(request, "tenant");
    struct ledger *ledger = &request->site->tenants[0];
    json_t *body = json_object();
    sqlite3_stmt *row;

    for (int i = 0; tenant != NULL && i < request->site->tenant_count; i++) {
        if (strcmp(request->site->tenants[i].name, tenant) == 0)
            ledger = &request->site->tenants[i];
    }
    row = ledger_open_statement(ledger, counts_sql, "");
    if (ledger_next(ledger, row)) {
        for (int i = 0; i < (int)(sizeof(counts) / sizeof(counts[0])); i++)
            json_object_set_new(body, counts[i], json_integer(sqlite3_column_int64(row, i)));
    }
    sqlite3_finalize(row);
    reply_json_take(reply, 200, body);
}
