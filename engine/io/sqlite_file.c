/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite_file.h"

#include "db_text.h"

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/log.h"

#include <unistd.h>

enum { BUSY_MS = 5000, ROLLBACK_TRIES = 500, ROLLBACK_US = 10000 };

/* Statements, prepared once a connection. */

static sqlite3_stmt *prepare(struct cg_sqlite *f, const struct cogent_statement *st)
{
    size_t at = ((uintptr_t)st >> 4) * 2654435761u % CG_SQLITE_CACHE, tries = 0;
    while (f->cache[at].statement && f->cache[at].statement != st && tries++ < CG_SQLITE_CACHE)
        at = (at + 1) % CG_SQLITE_CACHE;
    if (f->cache[at].statement == st)
        return f->cache[at].stmt;
    if (f->cache[at].statement)
        return NULL;
    cg_auto_free char *text = cg_sql_question_marks(st->text);
    sqlite3_stmt *stmt = NULL;
    if (!text || sqlite3_prepare_v3(f->file, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        cg_log(CG_ERROR, "db.statement", CG_S("name", st->name), CG_S("why", sqlite3_errmsg(f->file)));
        return NULL;
    }
    f->cache[at].statement = st;
    f->cache[at].stmt = stmt;
    return stmt;
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct cogent_value *v)
{
    switch (v->type) {
    case COGENT_TEXT:
        return sqlite3_bind_text(stmt, at, v->str.ptr, (int)v->str.len, SQLITE_STATIC);
    case COGENT_INT:
        return sqlite3_bind_int64(stmt, at, v->num);
    case COGENT_DOUBLE:
        return sqlite3_bind_double(stmt, at, v->real);
    case COGENT_BLOB:
        return sqlite3_bind_blob(stmt, at, v->str.ptr, (int)v->str.len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, at);
    }
}

static int error_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
        return COGENT_CONFLICT;
    case SQLITE_NOMEM:
        return COGENT_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return COGENT_UNAVAILABLE;
    default:
        return COGENT_INTERNAL;
    }
}

/* The declared letter of a value; NULL fits everywhere. */
static bool fits(char letter, const struct cogent_value *v)
{
    static const char letters[] = {
        [COGENT_NULL] = 0, [COGENT_TEXT] = 't', [COGENT_INT] = 'i', [COGENT_DOUBLE] = 'd', [COGENT_BLOB] = 'b'
    };
    return v->type == COGENT_NULL || letters[v->type] == letter;
}

static int bind_step(sqlite3_stmt *stmt, const struct cg_db_group *g, const struct cg_db_step_copy *step)
{
    int at = 1;
    if (step->n != strlen(step->statement->params))
        return COGENT_INTERNAL;
    if (g->tenant[0] && sqlite3_bind_text(stmt, at++, g->tenant, -1, SQLITE_STATIC) != SQLITE_OK)
        return COGENT_INTERNAL;
    for (size_t i = 0; i < step->n; i++) {
        const struct cogent_value *v = &g->values[step->first + i];
        int rc = fits(step->statement->params[i], v) ? bind_value(stmt, at++, v) : SQLITE_MISUSE;
        if (rc != SQLITE_OK)
            return error_of(rc);
    }
    return 0;
}

static struct cogent_value column(sqlite3_stmt *stmt, int at, char letter)
{
    struct cogent_value v = cogent_null();
    if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
        return v;
    if (letter == 'i')
        return cogent_int(sqlite3_column_int64(stmt, at));
    if (letter == 'd')
        return cogent_double(sqlite3_column_double(stmt, at));
    v.type = letter == 'b' ? COGENT_BLOB : COGENT_TEXT;
    v.str.ptr = letter == 'b' ? sqlite3_column_blob(stmt, at) : (const char *)sqlite3_column_text(stmt, at);
    v.str.len = (size_t)sqlite3_column_bytes(stmt, at);
    return v;
}

static int read_row(struct cg_db_group *g, struct cg_db_step_result *r, sqlite3_stmt *stmt,
                    const char *columns)
{
    int shift = g->tenant[0] ? 1 : 0;
    if (sqlite3_column_count(stmt) != (int)r->columns + shift)
        return COGENT_INTERNAL;
    if (shift) {
        const char *owner = (const char *)sqlite3_column_text(stmt, 0);
        if (!owner)
            return COGENT_NO_MEMORY;
        if (strcmp(owner, g->tenant) != 0)
            return COGENT_DENIED;
    }
    if (++r->rows > CG_DB_ROWS_MAX)
        return COGENT_LIMIT;
    for (size_t i = 0; i < r->columns; i++) {
        struct cogent_value v = column(stmt, (int)i + shift, columns[i]);
        if (v.type == COGENT_TEXT &&
            !v.str.ptr) /* it had to be made text, and there was no memory for that */
            return COGENT_NO_MEMORY;
        int rc = cg_db_group_push(g, &v);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int run_step(struct cg_sqlite *f, struct cg_db_group *g, size_t i)
{
    const struct cogent_statement *st = g->steps[i].statement;
    struct cg_db_step_result *r = &g->results[i];
    sqlite3_stmt *stmt = prepare(f, st);
    if (!stmt)
        return sqlite3_errcode(f->file) == SQLITE_NOMEM ? COGENT_NO_MEMORY : COGENT_INTERNAL;
    r->first = g->n_rows;
    r->columns = strlen(st->columns);
    int before = sqlite3_total_changes(f->file), rc = bind_step(stmt, g, &g->steps[i]), step = SQLITE_DONE;
    while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
        rc = read_row(g, r, stmt, st->columns);
    if (rc == 0 && step != SQLITE_DONE)
        rc = error_of(step);
    r->changed = (size_t)(sqlite3_total_changes(f->file) - before);
    if (rc < 0 && rc != COGENT_CONFLICT)
        cg_log(CG_ERROR, "db.failed", CG_S("statement", st->name), CG_S("error", cogent_err_name(rc)),
               CG_S("why", step == SQLITE_DONE || step == SQLITE_ROW ? "" : sqlite3_errmsg(f->file)));
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

int cg_sqlite_exec(struct cg_sqlite *f, const char *sql)
{
    int rc = sqlite3_exec(f->file, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : error_of(rc);
}

void cg_sqlite_rollback(struct cg_sqlite *f)
{
    /* Even this wants memory. */
    for (int i = 0; i < ROLLBACK_TRIES && !sqlite3_get_autocommit(f->file); i++) {
        if (cg_sqlite_exec(f, "ROLLBACK") < 0)
            usleep(ROLLBACK_US);
    }
    CG_REQUIRE(sqlite3_get_autocommit(f->file)); /* a worker's end is better than a lock that stays */
}

void cg_sqlite_run(struct cg_sqlite *f, struct cg_db_group *g)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < g->n_steps; i++)
        rc = run_step(f, g, i);
    g->result.err = rc;
    if (rc < 0)
        cg_db_group_clear_rows(g);
}

int cg_sqlite_open(struct cg_sqlite *f, const char *path, struct cg_err *err)
{
    int rc = sqlite3_open_v2(path, &f->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (rc != SQLITE_OK)
        return cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, cg_sqlite_why(f));
    sqlite3_busy_timeout(f->file, BUSY_MS);
    return 0;
}

int cg_sqlite_prepare_file(struct cg_sqlite *f)
{
    return cg_sqlite_exec(f, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
                             "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
}

int cg_sqlite_version(struct cg_sqlite *f)
{
    sqlite3_stmt *stmt;
    int version = -1;
    if (sqlite3_prepare_v2(f->file, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return version;
}

const char *cg_sqlite_why(const struct cg_sqlite *f)
{
    return sqlite3_errmsg(f->file);
}

void cg_sqlite_close(struct cg_sqlite *f)
{
    for (size_t i = 0; i < CG_SQLITE_CACHE; i++)
        sqlite3_finalize(f->cache[i].stmt);
    sqlite3_close(f->file);
    f->file = NULL;
}
