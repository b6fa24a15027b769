/* SPDX-License-Identifier: Apache-2.0
 * The embedded database: one file in WAL mode, two threads a process. One writes: all waiting groups become one
 * transaction with a savepoint each. One reads. Writers of all processes take a shared robust mutex before BEGIN
 * IMMEDIATE, which is fair where SQLite's own busy handler is not. */
#include "loop_base.h"
#include "sqlite_file.h"

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH_US = 20000, LAZY_MS = 50 };

struct worker {
    struct cg_db *db;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct cg_db_group *first, **last;
    int64_t lazy_since_us; /* when only lazy groups wait: since when */
    struct cg_sqlite file;
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
    struct cg_db_group *spare; /* tells who asks that there was no memory for what they asked */
    bool healthy;
};

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

/* The oldest of somebody else than the last one's: who asks for much is not to keep the others waiting for all of it. */
static struct cg_db_group *take_turn(struct worker *w, char last[CG_UUID_SIZE])
{
    struct cg_db_group **at = &w->first;
    while (*at && strcmp((*at)->tenant, last) == 0)
        at = &(*at)->next;
    struct cg_db_group *g = *at;
    if (g) {
        *at = g->next;
        if (!g->next)
            w->last = at;
        g->next = NULL;
    } else {
        g = take_one(w);
    }
    if (g)
        memcpy(last, g->tenant, CG_UUID_SIZE);
    return g;
}

static void *reader_main(void *arg)
{
    struct worker *w = arg;
    char last[CG_UUID_SIZE] = "";
    pthread_mutex_lock(&w->mutex);
    while (!w->stop) {
        struct cg_db_group *g = take_turn(w, last);
        if (!g) {
            pthread_cond_wait(&w->wake, &w->mutex);
            continue;
        }
        pthread_mutex_unlock(&w->mutex);
        int rc =
            g->n_steps > 1 ? cg_sqlite_exec(&w->file, "BEGIN") : 0; /* one snapshot for the whole group */
        if (rc == 0)
            cg_sqlite_run(&w->file, g);
        else
            g->result.err = rc;
        if (g->n_steps > 1 && rc == 0 && cg_sqlite_exec(&w->file, "COMMIT") < 0)
            cg_sqlite_rollback(&w->file);
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
    int rc =
        cg_sqlite_exec(&w->file, wants_fsync(list) ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    if (rc == 0)
        rc = cg_sqlite_exec(&w->file, "BEGIN IMMEDIATE");
    while (rc == 0 && at && (at == list || cg_mono_us() < until)) {
        rc = cg_sqlite_exec(&w->file, "SAVEPOINT g");
        if (rc == 0) {
            cg_sqlite_run(&w->file, at);
            rc = cg_sqlite_exec(&w->file, at->result.err < 0 ? "ROLLBACK TO g; RELEASE g" : "RELEASE g");
        }
        if (rc < 0 && at->result.err == COGENT_NO_MEMORY) /* SQLite has rolled all back, the savepoint too */
            rc = COGENT_NO_MEMORY;
        last = at;
        at = at->next;
    }
    if (rc == 0)
        rc = cg_sqlite_exec(&w->file, "COMMIT");
    if (rc < 0)
        cg_sqlite_rollback(&w->file);
    unlock_file(w->db);
    if (rc < 0) {
        cg_log(CG_ERROR, "db.commit", CG_S("error", cogent_err_name(rc)),
               CG_S("why", cg_sqlite_why(&w->file)));
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
        clock_gettime(CLOCK_MONOTONIC, &ts);
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
    int rc = cg_sqlite_open(&w->file, path, err);
    if (rc < 0)
        return rc;
    lock_file(w->db);
    rc = cg_sqlite_prepare_file(&w->file);
    unlock_file(w->db);
    return rc == 0 ? 0
                   : cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, cg_sqlite_why(&w->file));
}

static int migrate(struct worker *w, const char *path, const char *const *migrations, struct cg_err *err)
{
    int want = 0, rc = 0;
    while (migrations[want])
        want++;
    lock_file(w->db);
    if (cg_sqlite_exec(&w->file, "BEGIN IMMEDIATE") < 0) {
        unlock_file(w->db);
        return cg_err_set(err, COGENT_UNAVAILABLE, "database %s: %s", path, cg_sqlite_why(&w->file));
    }
    int have = cg_sqlite_version(&w->file);
    if (have > want)
        rc = cg_err_set(err, COGENT_CONFLICT,
                        "database %s has schema version %d, this program knows %d: run the newer program",
                        path, have, want);
    for (int i = have; rc == 0 && i < want; i++) {
        cg_auto_buf sql = { 0 };
        cg_buf_printf(&sql, "%s;PRAGMA user_version=%d", migrations[i], i + 1);
        if (sql.failed || cg_sqlite_exec(&w->file, sql.ptr) < 0)
            rc = cg_err_set(err, COGENT_INTERNAL, "database %s: migration %d: %s", path, i + 1,
                            cg_sqlite_why(&w->file));
    }
    cg_sqlite_exec(&w->file, rc == 0 ? "COMMIT" : "ROLLBACK");
    unlock_file(w->db);
    return rc;
}

static bool start_worker(struct cg_db *db, struct worker *w, void *(*main)(void *))
{
    w->db = db;
    w->last = &w->first;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_t clock; /* not the wall's: that one jumps */
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &clock);
    pthread_condattr_destroy(&clock);
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
    cg_sqlite_close(&w->file);
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
    cg_db_group_destroy(db->spare);
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

static void fill_spare(struct cg_db *db)
{
    if (!db->spare)
        db->spare = cg_db_group_create("", CG_DB_READ, NULL, 0);
}

static struct cg_db_group *take_spare(struct cg_db *db)
{
    struct cg_db_group *g = db->spare;
    db->spare = NULL;
    cg_memory_failed();
    if (g)
        g->result.err = COGENT_NO_MEMORY;
    return g;
}

static struct cogent_op enqueue(struct cg_db *db, struct cogent_op parent, const char *tenant,
                                enum cg_durable durable, const struct cg_db_step *steps, size_t n,
                                cg_db_done_fn done, void *arg)
{
    const struct cogent_op none = { 0, 0 };
    CG_REQUIRE(n <= CG_DB_STEPS_MAX);
    struct cg_db_group *g = cg_db_group_create(tenant, durable, steps, n);
    bool lacks = !g;
    if (lacks)
        g = take_spare(db);
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
    if (lacks) {
        deliver(db, g);
        return g->op;
    }
    fill_spare(db);
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
