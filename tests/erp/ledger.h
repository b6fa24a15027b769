/* SPDX-License-Identifier: Apache-2.0
 * One tenant's books: an SQLite file, its statements, its transactions and its clock of changes. */
#ifndef ERP_LEDGER_H
#define ERP_LEDGER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_CURRENCY "GBP"

struct ledger {
    char name[64];
    sqlite3 *db;
    int64_t stamp; /* of the latest change */
    bool failed;   /* a statement failed since the last ledger_begin */
};

/* Opens DIR/NAME.db; *fresh says that it was made just now and holds no books yet. */
bool ledger_open(struct ledger *ledger, const char *dir, const char *name, bool *fresh);
void ledger_close(struct ledger *ledger);

/* The founding of a new ledger is complete; without this mark the next start begins it anew. */
bool ledger_founded(struct ledger *ledger);

void ledger_begin(struct ledger *ledger);
bool ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger);

/* A stamp for one change: later than all others, and the time of day where that allows. */
int64_t ledger_tick(struct ledger *ledger);

/* A statement with its values; `kinds` has a letter for each: 't' text (NULL allowed), 'i' int64_t.
   NULL after a failure, which the ledger remembers. */
sqlite3_stmt *ledger_open_statement(struct ledger *ledger, const char *sql, const char *kinds, ...);

/* Goes to the next row; false at the end and after a failure. Takes NULL. */
bool ledger_next(struct ledger *ledger, sqlite3_stmt *statement);

/* Runs a statement that gives no rows. */
bool ledger_run(struct ledger *ledger, const char *sql, const char *kinds, ...);

/* The first column of the first row as a number; `missing` when there is no row. */
int64_t ledger_number(struct ledger *ledger, int64_t missing, const char *sql, const char *kinds, ...);

const char *ledger_column_text(sqlite3_stmt *statement, int column);

/* SQL put together of pieces; a piece that misses its value is left out, with its condition. */
#define QUERY_BINDS 16
struct query {
    char text[3000];
    size_t used;
    int binds;
    struct query_bind {
        const char *text; /* NULL: the number */
        int64_t number;
    } bind[QUERY_BINDS];
};

void query_add(struct query *query, const char *sql);
void query_text(struct query *query, const char *sql, const char *value);
void query_number(struct query *query, const char *sql, int64_t value);
sqlite3_stmt *query_open(struct ledger *ledger, const struct query *query);

#endif
