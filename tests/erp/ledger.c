/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

#include "schema.h"
#include "stamp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char pragmas_sql[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                  "PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536;";

static const char latest_sql[] =
    "SELECT max(coalesce((SELECT max(modified) FROM customers), 0), coalesce((SELECT max(modified) FROM items), 0),"
    " coalesce((SELECT max(modified) FROM invoices), 0), coalesce((SELECT max(modified) FROM orders), 0))";

static bool failed(struct ledger *ledger, const char *what)
{
    fprintf(stderr, "erp-demo: ledger %s: %s: %s\n", ledger->name, what, sqlite3_errmsg(ledger->db));
    ledger->failed = true;
    return false;
}

static bool execute(struct ledger *ledger, const char *sql)
{
    return sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(ledger, sql);
}

bool ledger_open(struct ledger *ledger, const char *dir, const char *name, bool *fresh)
{
    char path[4096];

    memset(ledger, 0, sizeof(*ledger));
    if (snprintf(ledger->name, sizeof(ledger->name), "%s", name) >= (int)sizeof(ledger->name) ||
        snprintf(path, sizeof(path), "%s/%s.db", dir, name) >= (int)sizeof(path)) {
        fprintf(stderr, "erp-demo: the name of tenant %s is too long\n", name);
        return false;
    }
    if (sqlite3_open(path, &ledger->db) != SQLITE_OK)
        return failed(ledger, path);
    sqlite3_busy_timeout(ledger->db, 5000);
    if (!execute(ledger, pragmas_sql) || !execute(ledger, schema_sql))
        return false;
    *fresh = ledger_number(ledger, 0, "SELECT 1 FROM facts WHERE name = 'founded'", "") == 0;
    ledger->stamp = ledger_number(ledger, 0, latest_sql, "");
    return !ledger->failed;
}

void ledger_close(struct ledger *ledger)
{
    sqlite3_close(ledger->db);
    ledger->db = NULL;
}

bool ledger_founded(struct ledger *ledger)
{
    ledger_run(ledger, "INSERT INTO facts VALUES ('founded', 1), ('invoice', 0), ('customer', 90000)", "");
    ledger->stamp = ledger_number(ledger, 0, latest_sql, "");
    return !ledger->failed;
}

void ledger_begin(struct ledger *ledger)
{
    ledger->failed = false;
    execute(ledger, "BEGIN IMMEDIATE");
}

bool ledger_commit(struct ledger *ledger)
{
    if (!ledger->failed && execute(ledger, "COMMIT"))
        return true;
    ledger_rollback(ledger);
    return false;
}

void ledger_rollback(struct ledger *ledger)
{
    if (sqlite3_get_autocommit(ledger->db) == 0)
        execute(ledger, "ROLLBACK");
}

int64_t ledger_tick(struct ledger *ledger)
{
    int64_t now = stamp_now();

    ledger->stamp = now > ledger->stamp ? now : ledger->stamp + 1;
    return ledger->stamp;
}

static sqlite3_stmt *prepare(struct ledger *ledger, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL) != SQLITE_OK)
        failed(ledger, sql);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, place);
    else
        sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

static sqlite3_stmt *open_values(struct ledger *ledger, const char *sql, const char *kinds, va_list values)
{
    sqlite3_stmt *statement = prepare(ledger, sql);

    for (int place = 1; statement != NULL && *kinds != '\0'; kinds++, place++) {
        if (*kinds == 't')
            bind_text(statement, place, va_arg(values, const char *));
        else
            sqlite3_bind_int64(statement, place, va_arg(values, int64_t));
    }
    return statement;
}

sqlite3_stmt *ledger_open_statement(struct ledger *ledger, const char *sql, const char *kinds, ...)
{
    va_list values;
    sqlite3_stmt *statement;

    va_start(values, kinds);
    statement = open_values(ledger, sql, kinds, values);
    va_end(values);
    return statement;
}

bool ledger_next(struct ledger *ledger, sqlite3_stmt *statement)
{
    int result;

    if (statement == NULL)
        return false;
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return true;
    return result == SQLITE_DONE ? false : failed(ledger, sqlite3_sql(statement));
}

bool ledger_run(struct ledger *ledger, const char *sql, const char *kinds, ...)
{
    va_list values;
    sqlite3_stmt *statement;

    va_start(values, kinds);
    statement = open_values(ledger, sql, kinds, values);
    va_end(values);
    ledger_next(ledger, statement);
    sqlite3_finalize(statement);
    return !ledger->failed;
}

int64_t ledger_number(struct ledger *ledger, int64_t missing, const char *sql, const char *kinds, ...)
{
    va_list values;
    sqlite3_stmt *statement;

    va_start(values, kinds);
    statement = open_values(ledger, sql, kinds, values);
    va_end(values);
    if (ledger_next(ledger, statement))
        missing = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return missing;
}

const char *ledger_column_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* The pieces are the program's own, so one that does not fit is cut here and refused by the prepare. */
void query_add(struct query *query, const char *sql)
{
    int length = snprintf(query->text + query->used, sizeof(query->text) - query->used, "%s", sql);

    query->used += (size_t)length;
    if (query->used >= sizeof(query->text))
        query->used = sizeof(query->text) - 1;
}

static void bind_add(struct query *query, const char *text, int64_t number)
{
    if (query->binds < QUERY_BINDS)
        query->bind[query->binds++] = (struct query_bind){ text, number };
}

void query_text(struct query *query, const char *sql, const char *value)
{
    if (value == NULL)
        return;
    query_add(query, sql);
    bind_add(query, value, 0);
}

void query_number(struct query *query, const char *sql, int64_t value)
{
    query_add(query, sql);
    bind_add(query, NULL, value);
}

sqlite3_stmt *query_open(struct ledger *ledger, const struct query *query)
{
    sqlite3_stmt *statement = prepare(ledger, query->text);

    for (int i = 0; statement != NULL && i < query->binds; i++) {
        if (query->bind[i].text != NULL)
            bind_text(statement, i + 1, query->bind[i].text);
        else
            sqlite3_bind_int64(statement, i + 1, query->bind[i].number);
    }
    return statement;
}
