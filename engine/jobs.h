/* SPDX-License-Identifier: Apache-2.0
 * What a worker does without being asked: taking up runs whose worker is gone (every worker), and the feeds (jobs
 * workers). */
#ifndef CG_JOBS_H
#define CG_JOBS_H

#include "engine/run/run.h"
#include "engine/work/ingest.h"

struct cg_jobs;

struct cg_jobs_env {
    struct cg_loop *loop;
    struct cg_db *db;
    const struct cg_tenants *tenants;
    const struct cg_keys *keys;
    struct cg_plugins *plugins;
    const struct cg_kinds *kinds;
    const struct cg_invoke_env *invoke;
    struct cg_ingest *ingest;
    struct cg_metrics *metrics;
    struct cg_runs *runs;
    const char *owner;
    bool feeds;
};

struct cg_jobs *cg_jobs_create(const struct cg_jobs_env *env);
void cg_jobs_start(struct cg_jobs *jobs);
void cg_jobs_stop(struct cg_jobs *jobs); /* nothing new; what runs is finished */
bool cg_jobs_idle(const struct cg_jobs *jobs);
void cg_jobs_destroy(struct cg_jobs *jobs);

#endif
