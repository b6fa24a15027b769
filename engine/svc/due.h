/* SPDX-License-Identifier: Apache-2.0
 * Work that starts without a tenant: runs whose worker is gone, feeds. The system table `due` holds when, and a
 * ticket: tenant and reference under the engine's MAC. Opening a ticket is, beside a verified token, the only way to
 * a tenant handle. */
#ifndef CG_SVC_DUE_H
#define CG_SVC_DUE_H

#include "engine/base/keys.h"
#include "engine/io/db.h"

enum { CG_DUE_ID_SIZE = 160, CG_DUE_REF_SIZE = 96 };

struct cg_due {
    struct cg_loop *loop;
    struct cg_db *db;
    const struct cg_keys *keys;
    const char *owner;
};

/* One piece of work, taken: it is this worker's until the lease ends. */
struct cg_due_work {
    char id[CG_DUE_ID_SIZE];
    char ref[CG_DUE_REF_SIZE];
    const struct cg_tenant *tenant; /* unref it */
};

/* Puts work there unless it is there already. id is kind:tenant:ref. */
void cg_due_put(const struct cg_due *due, const char *kind, const struct cg_tenant *tenant, const char *ref,
                int64_t at_us);
/* As above for a tenant of the configuration at start: by uuid and name, which need no handle to be written down. */
void cg_due_put_named(const struct cg_due *due, const char *kind, const char *uuid, const char *name,
                      const char *ref, int64_t at_us);
/* Takes the oldest that is due. taken(arg, work or NULL): NULL when there is none; work is valid during the call. A
 * ticket that does not verify is dropped and logged. */
void cg_due_take(const struct cg_due *due, const char *kind, int64_t lease_us,
                 void (*taken)(void *arg, const struct cg_due_work *work), void *arg);
/* Gives it back for later, keeps it longer, or ends it. */
void cg_due_back(const struct cg_due *due, const char *id, int64_t at_us);
void cg_due_keep(const struct cg_due *due, const char *id, int64_t lease_us);
void cg_due_drop(const struct cg_due *due, const char *kind, const struct cg_tenant *tenant, const char *ref);
void cg_due_drop_id(const struct cg_due *due, const char *id);

#endif
