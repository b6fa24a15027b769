/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

/* Money is whole ten-thousandths, dates are YYYY-MM-DD, `modified` is microseconds since 1970 and unique in
   its table, so that "everything after this stamp" neither repeats nor loses a record. */
const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS customers ("
    "  id TEXT PRIMARY KEY, name TEXT NOT NULL, country TEXT, email TEXT,"
    "  credit_limit INTEGER NOT NULL, currency TEXT NOT NULL, since TEXT NOT NULL,"
    "  modified INTEGER NOT NULL UNIQUE) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS items ("
    "  sku TEXT PRIMARY KEY, description TEXT NOT NULL, category TEXT NOT NULL,"
    "  on_hand INTEGER NOT NULL DEFAULT 0, reserved INTEGER NOT NULL DEFAULT 0,"
    "  reorder_point INTEGER NOT NULL DEFAULT 0, unit_price INTEGER NOT NULL,"
    "  modified INTEGER NOT NULL UNIQUE) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS invoices ("
    "  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, number TEXT NOT NULL UNIQUE, date TEXT NOT NULL,"
    "  status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'credit')), currency TEXT NOT NULL,"
    "  customer_id TEXT REFERENCES customers, payment_terms TEXT NOT NULL,"
    "  total INTEGER NOT NULL, units INTEGER NOT NULL, lines INTEGER NOT NULL,"
    "  modified INTEGER NOT NULL UNIQUE);"
    "CREATE INDEX IF NOT EXISTS invoices_by_date ON invoices (date);"
    "CREATE INDEX IF NOT EXISTS invoices_by_customer ON invoices (customer_id, date);"
    "CREATE INDEX IF NOT EXISTS invoices_by_status ON invoices (status, date);"

    "CREATE TABLE IF NOT EXISTS lines ("
    "  invoice INTEGER NOT NULL REFERENCES invoices ON DELETE CASCADE, n INTEGER NOT NULL,"
    "  sku TEXT NOT NULL REFERENCES items, description TEXT NOT NULL, quantity INTEGER NOT NULL,"
    "  unit_price INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (invoice, n)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS lines_by_item ON lines (sku, invoice, quantity, amount);"

    "CREATE TABLE IF NOT EXISTS orders ("
    "  key INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, date TEXT NOT NULL,"
    "  customer_id TEXT NOT NULL REFERENCES customers,"
    "  status TEXT NOT NULL CHECK (status IN ('draft', 'confirmed', 'done')), currency TEXT NOT NULL,"
    "  total INTEGER NOT NULL DEFAULT 0, modified INTEGER NOT NULL UNIQUE);"
    "CREATE INDEX IF NOT EXISTS orders_by_date ON orders (date);"
    "CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id, date);"
    "CREATE TABLE IF NOT EXISTS order_lines ("
    "  order_key INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, n INTEGER NOT NULL,"
    "  sku TEXT NOT NULL REFERENCES items, description TEXT NOT NULL, quantity INTEGER NOT NULL,"
    "  unit_price INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (order_key, n)) WITHOUT ROWID;"

    /* What moved an item's stock, and who asked for it. */
    "CREATE TABLE IF NOT EXISTS movements ("
    "  key INTEGER PRIMARY KEY, sku TEXT NOT NULL REFERENCES items, change INTEGER NOT NULL,"
    "  on_hand INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL);"

    /* What was answered to a request that came with an Idempotency-Key. */
    "CREATE TABLE IF NOT EXISTS keys ("
    "  key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL)"
    "  WITHOUT ROWID;";
