/* SPDX-License-Identifier: Apache-2.0
 * Feeds: a kind's changed records, polled from the ERP through a hidden read tool under the tenant's service
 * credential; deletions show in a sweep that compares ids. The position is kept, so nothing is read twice and nothing
 * is missed. One step is one page: a feed never holds the loop. */
#ifndef CG_WORK_FEED_H
#define CG_WORK_FEED_H

#include "engine/svc/auth.h"
#include "ingest.h"

struct cg_feed_env {
    struct cg_loop *loop;
    struct cg_db *db;
    const struct cg_invoke_env *invoke;
    struct cg_plugins *plugins;
    const struct cg_tenants *tenants;
    struct cg_ingest *ingest;
    struct cg_metrics *metrics;
};

/* Reads what has changed since last time, a batch of it, and sweeps when that is due. parent is bound to the tenant.
 * done(arg, err, more): more: there is more to read at once. */
void cg_feed_poll(const struct cg_feed_env *env, struct cogent_op parent, const struct cg_tenant *tenant,
                  const struct cg_kind *kind, void (*done)(void *arg, int err, bool more), void *arg);

/* Milliseconds between two polls of a kind. */
int64_t cg_feed_every_ms(const struct cg_kind *kind);

#endif
