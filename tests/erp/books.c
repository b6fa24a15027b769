/* SPDX-License-Identifier: Apache-2.0 */
#include "books.h"

#include "decimal.h"
#include "stamp.h"

#include <stdio.h>
#include <string.h>

static const char staging_sql[] =
    "CREATE TEMP TABLE sales (invoice TEXT, sku TEXT, description TEXT, quantity INTEGER, at TEXT, price INTEGER,"
    " amount INTEGER, customer TEXT, country TEXT);"
    "CREATE TEMP TABLE known_customers (id TEXT PRIMARY KEY, name TEXT, email TEXT, credit_limit INTEGER);"
    "CREATE TEMP TABLE known_items (sku TEXT PRIMARY KEY, category TEXT);"
    /* An earlier founding that did not come to its end has left nothing, as it is one transaction. */
    "BEGIN IMMEDIATE;";

static const char sale_sql[] =
    "INSERT INTO sales (invoice, sku, description, quantity, at, price, amount, customer,"
    " country) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/* `modified` is the time of the last sale, made unique by a running number of microseconds. draw(text, n) is a
   number from 0 to n - 1 that depends on the text only. */
static const char *const steps[] = {
    "CREATE INDEX temp.sales_by_sku ON sales (sku, description, price, quantity)",

    "INSERT INTO customers (id, name, country, email, credit_limit, currency, since, modified)"
    " SELECT s.customer, coalesce(k.name, 'Customer ' || s.customer), s.country, k.email,"
    "   coalesce(k.credit_limit, (1 + draw('limit' || s.customer, 20)) * 5000000), 'GBP', substr(s.first, 1, 10),"
    "   unixepoch(s.last) * 1000000 + row_number() OVER (ORDER BY s.last, s.customer)"
    " FROM (SELECT customer, max(country) AS country, min(at) AS first, max(at) AS last FROM sales"
    "   WHERE customer IS NOT NULL GROUP BY customer) s LEFT JOIN known_customers k ON k.id = s.customer",

    /* An item is called as it mostly was, and costs what it mostly did. */
    "CREATE TEMP TABLE names AS SELECT sku, description, max(weight) FROM ("
    "   SELECT sku, description, count(*) * 10000000 + max(rowid) AS weight FROM sales WHERE description <> ''"
    "   GROUP BY sku, description) GROUP BY sku",
    "CREATE TEMP TABLE prices AS SELECT sku, price, max(weight) FROM ("
    "   SELECT sku, price, count(*) * 10000000 + max(rowid) AS weight FROM sales WHERE price > 0 AND quantity > 0"
    "   GROUP BY sku, price) GROUP BY sku",
    "CREATE UNIQUE INDEX temp.names_by_sku ON names (sku)",
    "CREATE UNIQUE INDEX temp.prices_by_sku ON prices (sku)",
    "INSERT INTO items (sku, description, category, unit_price, modified)"
    " SELECT s.sku, coalesce(n.description, 'Item ' || s.sku),"
    "   coalesce(k.category, CASE WHEN s.sku GLOB '[0-9]*' THEN 'General' ELSE 'Services' END),"
    "   coalesce(p.price, 0), unixepoch(s.last) * 1000000 + row_number() OVER (ORDER BY s.last, s.sku)"
    " FROM (SELECT sku, max(at) AS last FROM sales GROUP BY sku) s LEFT JOIN names n ON n.sku = s.sku"
    "   LEFT JOIN prices p ON p.sku = s.sku LEFT JOIN known_items k ON k.sku = s.sku",

    "INSERT INTO facts SELECT 'last_day', substr(max(at), 1, 10) FROM sales",
    "INSERT INTO invoices (id, number, date, status, currency, customer_id, payment_terms, total, units, lines,"
    "   modified)"
    " SELECT invoice, invoice, substr(first, 1, 10), CASE WHEN invoice GLOB 'C*' THEN 'credit'"
    "     WHEN substr(first, 1, 10) >= date((SELECT value FROM facts WHERE name = 'last_day'), '-30 days')"
    "       AND draw('paid' || invoice, 100) < 60 THEN 'open'"
    "     WHEN draw('paid' || invoice, 100) < 2 THEN 'open' ELSE 'paid' END,"
    "   'GBP', customer, CASE WHEN customer IS NULL THEN 'Prepaid' ELSE"
    "     'Net ' || (14 + 16 * (draw('terms' || customer, 4) > 0)) END,"
    "   total, units, lines, unixepoch(first) * 1000000 + row_number() OVER (ORDER BY first, place)"
    " FROM (SELECT invoice, min(at) AS first, min(rowid) AS place, max(customer) AS customer, sum(amount) AS total,"
    "   sum(quantity) AS units, count(*) AS lines FROM sales GROUP BY invoice) ORDER BY first, place",
    "INSERT INTO lines (invoice, n, sku, description, quantity, unit_price, amount)"
    " SELECT i.key, row_number() OVER (PARTITION BY i.key ORDER BY s.rowid), s.sku,"
    "   CASE WHEN s.description = '' THEN t.description ELSE s.description END, s.quantity, s.price, s.amount"
    " FROM sales s JOIN invoices i ON i.number = s.invoice JOIN items t ON t.sku = s.sku ORDER BY 1, 2",

    /* Two weeks of what was sold lately is where an item is to be ordered again; up to ten are in the house. */
    "CREATE TEMP TABLE pace AS SELECT l.sku, (sum(l.quantity) + 3) / 4 AS two_weeks FROM lines l"
    "   JOIN invoices i ON i.key = l.invoice"
    "   WHERE i.date > date((SELECT value FROM facts WHERE name = 'last_day'), '-56 days') AND l.quantity > 0"
    "   GROUP BY l.sku",
    "UPDATE items SET reorder_point = p.two_weeks,"
    "   on_hand = p.two_weeks * draw('stock' || items.sku, 60) / 12 + draw('rest' || items.sku, 5)"
    " FROM pace p WHERE p.sku = items.sku AND category <> 'Services'",
    "UPDATE items SET on_hand = draw('stock' || sku, 40) WHERE reorder_point = 0 AND category <> 'Services'",

    /* What the latest customers want next: the beginning of their last invoice once more, not yet invoiced. */
    "INSERT INTO orders (number, date, customer_id, status, currency, modified)"
    " SELECT 'SO' || (7000 + place), date, customer_id,"
    "   CASE WHEN pick < 20 THEN 'draft' WHEN pick < 85 THEN 'confirmed' ELSE 'done' END, 'GBP',"
    "   unixepoch(date) * 1000000 + place"
    " FROM (SELECT row_number() OVER (ORDER BY date, key) AS place, date, customer_id,"
    "     draw('order' || number, 100) AS pick FROM (SELECT key, number, customer_id,"
    "     date((SELECT value FROM facts WHERE name = 'last_day'), '-' || draw('day' || number, 20) || ' days') AS date"
    "     FROM invoices WHERE customer_id IS NOT NULL AND status <> 'credit' AND total > 0 ORDER BY key DESC LIMIT 60))"
    " ORDER BY place",
    "INSERT INTO order_lines (order_key, n, sku, description, quantity, unit_price, amount)"
    " SELECT o.key, row_number() OVER (PARTITION BY o.key ORDER BY l.n), l.sku, t.description, l.quantity,"
    "   t.unit_price, l.quantity * ((t.unit_price + 50) / 100 * 100)"
    " FROM orders o JOIN lines l ON l.invoice = (SELECT max(key) FROM invoices i WHERE i.customer_id = o.customer_id"
    "   AND i.status <> 'credit' AND i.total > 0) JOIN items t ON t.sku = l.sku"
    " WHERE l.quantity > 0 AND l.n <= 2 + draw('lines' || o.number, 5) AND t.unit_price > 0"
    "   AND t.category <> 'Services'",
    "DELETE FROM orders WHERE key NOT IN (SELECT order_key FROM order_lines)",
    "UPDATE orders SET total = (SELECT sum(amount) FROM order_lines WHERE order_key = orders.key)",
    "UPDATE items SET reserved = r.quantity FROM (SELECT l.sku, sum(l.quantity) AS quantity FROM order_lines l"
    "   JOIN orders o ON o.key = l.order_key WHERE o.status = 'confirmed' GROUP BY l.sku) r WHERE r.sku = items.sku",
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static const char tidy_sql[] =
    "DROP TABLE temp.sales; DROP TABLE temp.known_customers; DROP TABLE temp.known_items;"
    "DROP TABLE temp.names; DROP TABLE temp.prices; DROP TABLE temp.pace; ANALYZE;";

static void draw(sqlite3_context *context, int count, sqlite3_value **values)
{
    const unsigned char *text = sqlite3_value_text(values[0]);
    int64_t n = sqlite3_value_int64(values[1]);
    uint64_t hash = UINT64_C(14695981039346656037);

    (void)count;
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ *text) * UINT64_C(1099511628211);
    hash ^= hash >> 29;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    hash ^= hash >> 32;
    sqlite3_result_int64(context, n > 0 ? (int64_t)(hash % (uint64_t)n) : 0);
}

static bool execute(struct ledger *ledger, const char *sql)
{
    if (sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    fprintf(stderr, "erp-demo: founding %s: %s: %s\n", ledger->name, sqlite3_errmsg(ledger->db), sql);
    ledger->failed = true;
    return false;
}

bool books_begin(struct books *books, struct ledger *ledger)
{
    books->ledger = ledger;
    sqlite3_create_function(ledger->db, "draw", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, draw, NULL,
                            NULL);
    books->line = execute(ledger, staging_sql) ? ledger_open_statement(ledger, sale_sql, "") : NULL;
    return books->line != NULL;
}

void books_customer(struct books *books, const char *id, const char *name, const char *email,
                    int64_t credit_limit)
{
    ledger_run(books->ledger, "INSERT INTO known_customers VALUES (?, ?, ?, ?)", "ttti", id, name, email,
               credit_limit);
}

void books_item(struct books *books, const char *sku, const char *category)
{
    ledger_run(books->ledger, "INSERT INTO known_items VALUES (?, ?)", "tt", sku, category);
}

const char *books_sale(struct books *books, const struct sale *sale)
{
    const char *texts[] = { sale->invoice, sale->sku, sale->description, NULL,         sale->at,
                            NULL,          NULL,      sale->customer,    sale->country };
    int64_t numbers[] = { 0, 0, 0, sale->quantity, 0, sale->price, 0, 0, 0 };

    if (*sale->invoice == '\0')
        return "invoice_no is empty";
    if (*sale->sku == '\0')
        return "stock_code is empty";
    if (!moment_valid(sale->at))
        return "invoice_date is no date and time such as 2010-12-01 08:26";
    if (!decimal_amount(sale->quantity, sale->price, &numbers[6]))
        return "the amount is too large";
    sqlite3_reset(books->line);
    for (int i = 0; i < 9; i++) {
        if (texts[i] == NULL)
            sqlite3_bind_int64(books->line, i + 1, numbers[i]);
        else if (i == 7 && *texts[i] == '\0')
            sqlite3_bind_null(books->line, i + 1);
        else
            sqlite3_bind_text(books->line, i + 1, texts[i], -1, SQLITE_STATIC);
    }
    ledger_next(books->ledger, books->line);
    return NULL;
}

void books_abandon(struct books *books)
{
    sqlite3_finalize(books->line);
    books->line = NULL;
}

bool books_finish(struct books *books)
{
    struct ledger *ledger = books->ledger;

    sqlite3_finalize(books->line);
    books->line = NULL;
    for (size_t i = 0; i < STEPS && !ledger->failed; i++)
        execute(ledger, steps[i]);
    return !ledger->failed && ledger_founded(ledger) && ledger_commit(ledger) && execute(ledger, tidy_sql);
}
