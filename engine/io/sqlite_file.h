/* SPDX-License-Identifier: Apache-2.0
 * One connection to the database file: statements prepared once, groups run on it. For db_sqlite.c only; each belongs
 * to one thread. */
#ifndef CG_IO_SQLITE_FILE_H
#define CG_IO_SQLITE_FILE_H

#include "db_rows.h"

#include <sqlite3.h>

enum { CG_SQLITE_CACHE = 512 };

struct cg_sqlite {
    sqlite3 *file;
    struct {
        const struct cogent_statement *statement;
        sqlite3_stmt *stmt;
    } cache[CG_SQLITE_CACHE]; /* by the statement's address */
};

int cg_sqlite_open(struct cg_sqlite *f, const char *path, struct cg_err *err);
/* WAL and the rest; under the file's lock: of two processes that turn a new file to WAL at once, one is told
 * "locked". */
int cg_sqlite_prepare_file(struct cg_sqlite *f);
void cg_sqlite_close(struct cg_sqlite *f);

/* Runs the steps of a group one after the other and fills in its result; stops at the first that fails. The
 * transaction around it is the caller's. */
void cg_sqlite_run(struct cg_sqlite *f, struct cg_db_group *group);
/* SQL without parameters: 0 or one of our errors. */
int cg_sqlite_exec(struct cg_sqlite *f, const char *sql);
/* No transaction is open any more: one that nobody ends would be read from, or keep everybody out, for ever. */
void cg_sqlite_rollback(struct cg_sqlite *f);
int cg_sqlite_version(struct cg_sqlite *f);           /* PRAGMA user_version */
const char *cg_sqlite_why(const struct cg_sqlite *f); /* what went wrong last */

#endif
