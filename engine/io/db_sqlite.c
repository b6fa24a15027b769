/* SPDX-License-Identifier: Apache-2.0
 * The embedded database: one file in WAL mode, two threads a process. One writes: all waiting groups become one
 * transaction with a savepoint each. One reads. Writers of all processes take a shared robust mutex before BEGIN
 * IMMEDIATE, which is fair where SQLite's own busy handler is not. */
#include "db_rows.h"
#include "db_text.h"
#include "loop_base.h"

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BUSY_MS = 5000, BATCH_US = 20000, LAZY_MS = 50, CACHE_MAX = 512 };

struct cached {
    const struct cogent_statement *statement;
    sqlite3_stmt *stmt;
};

struct worker {
    struct cg_db *db;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct cg_db_group *first, **last;
    int64_t lazy_since_us; /* when only lazy groups wait: since when */
    sqlite3 *file;
    struct cached cache[CACHE_MAX];
    bool writes, started, stop;
};

struct cg_db {
    struct cg_loop *loop;
    pthread_mutex_t *lock;
    struct worker writer, reader;
    int done_fd;
    struct event *done_event;
    pthread_mutex_t done_mutex;
    struct cg_db_group *done_first, **done_last;
    size_t in_flight;
    bool healthy;
};

/* Statements, prepared once a connection. */

static sqlite3_stmt *prepare(struct worker *w, const struct cogent_statement *st)
{
    size_t at = ((uintptr_t)st >> 4) * 2654435761u % CACHE_MAX, tries = 0;
    while (w->cache[at].statement && w->cache[at].statement != st && tries++ < CACHE_MAX)
        at = (at + 1) % CACHE_MAX;
    if (w->cache[at].statement == st)
        return w->cache[at].stmt;
    if (w->cache[at].statement)
        return NULL;
    cg_auto_free char *text = cg_sql_question_marks(st->text);
    sqlite3_stmt *stmt = NULL;
    if (!text || sqlite3_prepare_v3(w->file, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        cg_log(CG_ERROR, "db.statement", CG_S("name", st->name), CG_S("why", sqlite3_errmsg(w->file)));
        return NULL;
    }
    w->cache[at] = (struct cached){ st, stmt };
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
        if (!fits(step->statement->params[i], v) || bind_value(stmt, at++, v) != SQLITE_OK)
            return COGENT_INTERNAL;
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
        if (!owner || strcmp(owner, g->tenant) != 0)
            return COGENT_DENIED;
    }
    if (++r->rows > CG_DB_ROWS_MAX)
        return COGENT_LIMIT;
    for (size_t i = 0; i < r->columns; i++) {
        struct cogent_value v = column(stmt, (int)i + shift, columns[i]);
        int rc = cg_db_group_push(g, &v);
        if (rc < 0)
            return rc;
    }
    return 0;
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

static int run_step(struct worker *w, struct cg_db_group *g, size_t i)
{
    const struct cogent_statement *st = g->steps[i].statement;
    struct cg_db_step_result *r = &g->results[i];
    sqlite3_stmt *stmt = prepare(w, st);
    if (!stmt)
        return COGENT_INTERNAL;
    r->first = g->n_rows;
    r->columns = strlen(st->columns);
    int before = sqlite3_total_changes(w->file), rc = bind_step(stmt, g, &g->steps[i]), step = SQLITE_DONE;
    while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
        rc = read_row(g, r, stmt, st->columns);
    if (rc == 0 && step != SQLITE_DONE)
        rc = error_of(step);
    r->changed = (size_t)(sqlite3_total_changes(w->file) - before);
    if (rc < 0 && rc != COGENT_CONFLICT)
        cg_log(CG_ERROR, "db.failed", CG_S("statement", st->name), CG_S("error", cogent_err_name(rc)),
               CG_S("why", step == SQLITE_DONE || step == SQLITE_ROW ? "" : sqlite3_errmsg(w->file)));
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

static int exec(struct worker *w, const char *sql)
{
    int rc = sqlite3_exec(w->file, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : error_of(rc);
}

static void run_group(struct worker *w, struct cg_db_group *g)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < g->n_steps; i++)
        rc = run_step(w, g, i);
    g->result.err = rc;
    if (rc < 0)
        cg_db_group_clear_rows(g);
}

/* Delivery to the loop. */

static void deliver(struct cg_db *db, struct cg_db_group *list)
{
    uint64_t one = 1;
    if (!list)
        return;
    pthread_mutex_lock(&db->done_mutex);
    *db->done_last = list;
    while (*db->done_last)
        db->done_last = &(*db->done_last)->next;
    pthread_mutex_unlock(&db->done_mutex);
    if (write(db->done_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        cg_log(CG_ERROR, "db.wake", CG_I("errno", errno));
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct cg_db *db = arg;
    uint64_t n;
    if (read(fd, &n, sizeof n) < 0)
        return;
    pthread_mutex_lock(&db->done_mutex);
    struct cg_db_group *list = db->done_first;
    db->done_first = NULL;
    db->done_last = &db->done_first;
    pthread_mutex_unlock(&db->done_mutex);
    while (list) {
        struct cg_db_group *g = list;
        list = g->next;
        db->in_flight--;
        if (g->durable != CG_DB_READ)
            db->healthy = g->result.err != COGENT_UNAVAILABLE;
        if (g->done && (!g->waits || cg_op_finish(db->loop, g->op)))
            g->done(g->arg, &g->result);
        cg_db_group_destroy(g);
    }
}

/* The reader. */

static struct cg_db_group *take_one(struct worker *w)
{
    struct cg_db_group *g = w->first;
    if (g) {
        w->first = g->next;
        if (!w->first)
            w->last = &w->first;
        g->next = NULL;
    }
    return g;
}

static void *reader_main(void *arg)
{
    struct worker *w = arg;
    pthread_mutex_lock(&w->mutex);
    while (!w->stop) {
        struct cg_db_group *g = take_one(w);
        if (!g) {
            pthread_cond_wait(&w->wake, &w->mutex);
            continue;
        }
        pthread_mutex_unlock(&w->mutex);
        int rc = g->n_steps > 1 ? exec(w, "BEGIN") : 0; /* one snapshot for the whole group */
        if (rc == 0)
            run_group(w, g);
        else
            g->result.err = rc;
        if (g->n_steps > 1 && rc == 0)
            exec(w, "COMMIT");
        deliver(w->db, g);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* The writer. */

static void lock_file(struct cg_db *db)
{
    if (db->lock && pthread_mutex_lock(db->lock) == EOWNERDEAD)
        pthread_mutex_consistent(db->lock); /* its owner died; SQLite has rolled its transaction back */
}

static void unlock_file(struct cg_db *db)
{
    if (db->lock)
        pthread_mutex_unlock(db->lock);
}

static bool wants_fsync(const struct cg_db_group *g)
{
    for (; g; g = g->next) {
        if (g->durable == CG_DB_FSYNC)
            return true;
    }
    return false;
}

static void fail_all(struct cg_db_group *list, int err)
{
    for (; list; list = list->next) {
        cg_db_group_clear_rows(list);
        list->result.err = err;
    }
}

/* As many groups of the list as 20 ms allow, as one transaction. Returns what is left. */
static struct cg_db_group *write_batch(struct worker *w, struct cg_db_group *list)
{
    int64_t until = cg_mono_us() + BATCH_US;
    struct cg_db_group *done = list, *at = list, *last = list;
    lock_file(w->db);
    exec(w, wants_fsync(list) ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    int rc = exec(w, "BEGIN IMMEDIATE");
    while (rc == 0 && at && (at == list || cg_mono_us() < until)) {
        exec(w, "SAVEPOINT g");
        run_group(w, at);
        rc = exec(w, at->result.err < 0 ? "ROLLBACK TO g; RELEASE g" : "RELEASE g");
        last = at;
        at = at->next;
    }
    if (rc == 0)
        rc = exec(w, "COMMIT");
    if (rc < 0)
        exec(w, "ROLLBACK");
    unlock_file(w->db);
    if (rc < 0) {
        cg_log(CG_ERROR, "db.commit", CG_S("error", cogent_err_name(rc)),
               CG_S("why", sqlite3_errmsg(w->file)));
        at = last->next;
    }
    last->next = NULL;
    if (rc < 0)
        fail_all(done, rc);
    deliver(w->db, done);
    return at;
}

static bool only_lazy(const struct cg_db_group *g)
{
    for (; g; g = g->next) {
        if (g->durable != CG_DB_LAZY)
            return false;
    }
    return true;
}

/* Waits until there is something to write; lazy groups alone wait for company, at most 50 ms. */
static struct cg_db_group *wait_groups(struct worker *w)
{
    for (;;) {
        if (w->first &&
            (w->stop || !only_lazy(w->first) || cg_mono_us() - w->lazy_since_us >= LAZY_MS * 1000))
            break;
        if (w->stop)
            return NULL;
        if (!w->first) {
            pthread_cond_wait(&w->wake, &w->mutex);
            w->lazy_since_us = cg_mono_us();
            continue;
        }
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        ts.tv_nsec += LAZY_MS * 1000000L;
        ts.tv_sec += ts.tv_nsec / 1000000000L;
        ts.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&w->wake, &w->mutex, &ts);
    }
    struct cg_db_group *list = w->first;
    w->first = NULL;
    w->last = &w->first;
    return list;
}

static void *writer_main(void *arg)
{
    struct worker *w = arg;
    pthread_mutex_lock(&w->mutex);
    struct cg_db_group *list;
    while ((list = wait_groups(w))) {
        pthread_mutex_unlock(&w->mutex);
        while (list)
            list = write_batch(w, list);
        pthread_mutex_lock(&w->mutex);
        w->lazy_since_us = cg_mono_us();
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Opening. */

static int open_file(struct worker *w, const char *path, struct cg_err *err)
{
    int rc = sqlite3_open_v2(path, &w->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (rc != SQLITE_OK)
        return cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, sqlite3_errmsg(w->file));
    sqlite3_busy_timeout(w->file, BUSY_MS);
    lock_file(w->db); /* two processes that turn a new file to WAL at once: one of them is told "locked" */
    int failed = exec(
        w,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192; "
        "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
    unlock_file(w->db);
    if (failed < 0)
        return cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, sqlite3_errmsg(w->file));
    return 0;
}

static int file_version(struct worker *w)
{
    sqlite3_stmt *stmt;
    int version = -1;
    if (sqlite3_prepare_v2(w->file, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return version;
}

static int migrate(struct worker *w, const char *path, const char *const *migrations, struct cg_err *err)
{
    int want = 0, rc = 0;
    while (migrations[want])
        want++;
    lock_file(w->db);
    if (exec(w, "BEGIN IMMEDIATE") < 0) {
        unlock_file(w->db);
        return cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, sqlite3_errmsg(w->file));
    }
    int have = file_version(w);
    if (have > want)
        rc = cg_err_set(err, COGENT_CONFLICT,
                        "database %s has schema version %d, this program knows %d: run the newer program",
                        path, have, want);
    for (int i = have; rc == 0 && i < want; i++) {
        cg_auto_buf sql = { 0 };
        cg_buf_printf(&sql, "%s;PRAGMA user_version=%d", migrations[i], i + 1);
        if (sql.failed || exec(w, sql.ptr) < 0)
            rc = cg_err_set(err, COGENT_INTERNAL, "database %s: migration %d: %s", path, i + 1,
                            sqlite3_errmsg(w->file));
    }
    exec(w, rc == 0 ? "COMMIT" : "ROLLBACK");
    unlock_file(w->db);
    return rc;
}

static bool start_worker(struct cg_db *db, struct worker *w, void *(*main)(void *))
{
    w->db = db;
    w->last = &w->first;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->started = pthread_create(&w->thread, NULL, main, w) == 0;
    return w->started;
}

static void stop_worker(struct worker *w)
{
    if (w->started) {
        pthread_mutex_lock(&w->mutex);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->mutex);
        pthread_join(w->thread, NULL);
    }
    for (size_t i = 0; i < CACHE_MAX; i++)
        sqlite3_finalize(w->cache[i].stmt);
    sqlite3_close(w->file);
    while (w->first)
        cg_db_group_destroy(take_one(w));
}

int cg_db_open_sqlite(struct cg_loop *loop, const char *path, void *lock, const char *const *migrations,
                      struct cg_db **out, struct cg_err *err)
{
    *out = NULL;
    struct cg_db *db = calloc(1, sizeof *db);
    if (!db)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    db->loop = loop;
    db->lock = lock;
    db->healthy = true;
    db->writer.db = db->reader.db = db;
    db->done_last = &db->done_first;
    pthread_mutex_init(&db->done_mutex, NULL);
    db->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    db->done_event = event_new(cg_loop_base(loop), db->done_fd, EV_READ | EV_PERSIST, on_done, db);
    int rc = open_file(&db->writer, path, err);
    if (rc == 0)
        rc = migrate(&db->writer, path, migrations, err);
    if (rc == 0)
        rc = open_file(&db->reader, path, err);
    if (rc == 0 &&
        (!db->done_event || event_add(db->done_event, NULL) != 0 ||
         !start_worker(db, &db->writer, writer_main) || !start_worker(db, &db->reader, reader_main)))
        rc = cg_err_set(err, COGENT_NO_MEMORY, "database %s: cannot start its threads", path);
    if (rc < 0) {
        cg_db_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

void cg_db_close(struct cg_db *db)
{
    if (!db)
        return;
    stop_worker(&db->writer);
    stop_worker(&db->reader);
    while (db->done_first) {
        struct cg_db_group *g = db->done_first;
        db->done_first = g->next;
        cg_db_group_destroy(g);
    }
    if (db->done_event)
        event_free(db->done_event);
    if (db->done_fd >= 0)
        close(db->done_fd);
    free(db);
}

bool cg_db_healthy(const struct cg_db *db)
{
    return db->healthy;
}

/* Queueing. */

static struct cogent_op enqueue(struct cg_db *db, struct cogent_op parent, const char *tenant,
                                enum cg_durable durable, const struct cg_db_step *steps, size_t n,
                                cg_db_done_fn done, void *arg)
{
    const struct cogent_op none = { 0, 0 };
    CG_REQUIRE(n <= CG_DB_STEPS_MAX);
    struct cg_db_group *g = cg_db_group_create(tenant, durable, steps, n);
    if (!g)
        return none;
    g->db = db;
    g->done = done;
    g->arg = arg;
    g->waits = done && !cogent_op_none(parent);
    if (g->waits) {
        g->op = cg_op_start(db->loop, parent, n ? steps[0].statement->name : "db", 0, NULL, NULL);
        if (cogent_op_none(g->op)) {
            cg_db_group_destroy(g);
            return none;
        }
    }
    struct worker *w = durable == CG_DB_READ ? &db->reader : &db->writer;
    db->in_flight++;
    pthread_mutex_lock(&w->mutex);
    *w->last = g;
    w->last = &g->next;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    return g->op;
}

struct cogent_op cg_db_run(struct cg_db *db, struct cogent_op parent, const struct cg_tenant *tenant,
                           enum cg_durable durable, const struct cg_db_step *steps, size_t n,
                           cg_db_done_fn done, void *arg)
{
    CG_REQUIRE(tenant);
    return enqueue(db, parent, cg_tenant_id(tenant), durable, steps, n, done, arg);
}

struct cogent_op cg_db_run_system(struct cg_db *db, struct cogent_op parent, enum cg_durable durable,
                                  const struct cg_db_step *steps, size_t n, cg_db_done_fn done, void *arg)
{
    return enqueue(db, parent, "", durable, steps, n, done, arg);
}

size_t cg_db_lock_size(void)
{
    return sizeof(pthread_mutex_t);
}

int cg_db_lock_init(void *lock)
{
    pthread_mutexattr_t attr;
    bool ok = pthread_mutexattr_init(&attr) == 0 &&
              pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
              pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
              pthread_mutex_init(lock, &attr) == 0;
    return ok ? 0 : COGENT_UNAVAILABLE;
}
