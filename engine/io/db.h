/* SPDX-License-Identifier: Apache-2.0
 * The one data layer. Statements are data (struct cogent_statement); a group of them runs as one transaction for a
 * tenant handle and calls back with rows.
 *
 * $1 is always the tenant and bound here; the first column of every result is tenant_id, compared and taken off
 * here: a row of anybody else makes the whole group fail. A group is fixed beforehand: what decides is one statement
 * (update ... where ... returning). All on the loop thread; the work happens elsewhere. */
#ifndef CG_IO_DB_H
#define CG_IO_DB_H

#include "engine/base/err.h"
#include "loop.h"

#include <cogent/host.h>

struct cg_db;

enum cg_durable {
    CG_DB_READ = 0,   /* changes nothing */
    CG_DB_LAZY = 1,   /* rides on the next commit, at most 50 ms later */
    CG_DB_COMMIT = 2, /* survives the death of the process */
    CG_DB_FSYNC = 3,  /* survives the loss of power */
};

struct cg_db_step {
    const struct cogent_statement *statement;
    const struct cogent_value *values; /* $2 and on; copied */
    size_t n;
};

enum { CG_DB_STEPS_MAX = 1024, CG_DB_ROWS_MAX = 100000 };

typedef void (*cg_db_done_fn)(void *arg, const struct cogent_db_result *result);

/* done comes later, once, unless parent ended first; a group that changes something runs all the same then. parent
 * may be no wait at all, done NULL: then nobody waits. Returns no wait when parent is over. */
struct cogent_op cg_db_run(struct cg_db *db, struct cogent_op parent, const struct cg_tenant *tenant,
                           enum cg_durable durable, const struct cg_db_step *steps, size_t n,
                           cg_db_done_fn done, void *arg);

/* For the few system tables without a tenant (svc/system.c lists their statements): parameters count from $1, all
 * columns are the caller's. */
struct cogent_op cg_db_run_system(struct cg_db *db, struct cogent_op parent, enum cg_durable durable,
                                  const struct cg_db_step *steps, size_t n, cg_db_done_fn done, void *arg);

/* True when the last group that wrote could write: what readiness depends on. */
bool cg_db_healthy(const struct cg_db *db);
void cg_db_close(struct cg_db *db);

/* A driver's file: the embedded default. lock: a process-shared robust mutex that every writer of the file takes, or
 * NULL when this process is the only one. migrations: SQL texts in order, NULL-ended; the file's version is their
 * number. A file of a newer version is refused. */
int cg_db_open_sqlite(struct cg_loop *loop, const char *path, void *lock, const char *const *migrations,
                      struct cg_db **out, struct cg_err *err);
/* For the master's board: makes the mutex in shared memory. */
size_t cg_db_lock_size(void);
int cg_db_lock_init(void *lock);

#endif
