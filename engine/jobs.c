/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/io/signals.h"
#include "engine/run/effects.h"
#include "engine/svc/due.h"
#include "engine/work/feed.h"

#include <stdlib.h>

enum {
    LOOK_MS = 500,
    RUN_LATER_US = 2000000,
    LEASE_US = 60000000,
    RUN_LEASE_US =
        5000000, /* to load it and claim it: what is long is its own, and its claim is conditional */
    FEEDS_AT_ONCE = 2,
    TAKEN_AT_ONCE = 16, /* runs and effects: after a worker's death many are due */
    RETRY_MS = 5000
};

struct cg_jobs {
    struct cg_jobs_env env;
    struct cg_due due;
    struct cg_feed_env feed_env;
    struct cg_watch *tick;
    unsigned feeds, looking, resuming;
    bool found; /* one of those looked for together was due */
    bool stopping;
};

/* One feed under way. */
struct feed_job {
    struct cg_jobs *jobs;
    struct cogent_op op;
    const struct cg_kind *kind;
    const struct cg_tenant *tenant;
    char id[CG_DUE_ID_SIZE];
};

struct cg_jobs *cg_jobs_create(const struct cg_jobs_env *env)
{
    struct cg_jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs)
        return NULL;
    jobs->env = *env;
    jobs->due = (struct cg_due){ env->loop, env->db, env->keys, env->owner };
    jobs->feed_env = (struct cg_feed_env){ env->loop,    env->db,     env->invoke, env->plugins,
                                           env->tenants, env->ingest, env->metrics };
    return jobs;
}

void cg_jobs_destroy(struct cg_jobs *jobs)
{
    if (jobs)
        cg_watch_destroy(jobs->tick);
    free(jobs);
}

bool cg_jobs_idle(const struct cg_jobs *jobs)
{
    return jobs->feeds == 0 && jobs->looking == 0 && jobs->resuming == 0;
}

void cg_jobs_stop(struct cg_jobs *jobs)
{
    jobs->stopping = true;
}

/* Feeds. */

static void poll_feed(struct feed_job *f);
static void look(struct cg_jobs *jobs);

static void on_polled(void *arg, int err, bool more)
{
    struct feed_job *f = arg;
    struct cg_jobs *jobs = f->jobs;
    if (err == 0 && more && !jobs->stopping) {
        cg_due_keep(&jobs->due, f->id, LEASE_US);
        poll_feed(f);
        return;
    }
    int64_t wait_ms = err < 0 ? RETRY_MS : cg_feed_every_ms(f->kind);
    cg_due_back(&jobs->due, f->id, cg_now_us() + wait_ms * 1000);
    cg_op_finish(jobs->env.loop, f->op);
    cg_tenant_unref(f->tenant);
    free(f);
    jobs->feeds--;
    look(jobs);
}

static void poll_feed(struct feed_job *f)
{
    cg_feed_poll(&f->jobs->feed_env, f->op, f->tenant, f->kind, on_polled, f);
}

static void on_feed(void *arg, const struct cg_due_work *work)
{
    struct cg_jobs *jobs = arg;
    jobs->looking--;
    if (!work)
        return;
    const struct cg_kind *kind = cg_kind_find(jobs->env.kinds, work->ref);
    struct feed_job *f = kind && kind->feed ? calloc(1, sizeof *f) : NULL;
    if (!f) {
        cg_due_drop_id(&jobs->due, work->id); /* a kind that is no more */
        return;
    }
    f->jobs = jobs;
    f->kind = kind;
    f->tenant = cg_tenant_ref(work->tenant);
    cg_str_copy(f->id, sizeof f->id, cogent_str(work->id));
    f->op = cg_op_start(jobs->env.loop, (struct cogent_op){ 0, 0 }, "feed", 0, NULL, NULL);
    cg_op_bind(jobs->env.loop, f->op, work->tenant);
    jobs->feeds++;
    poll_feed(f);
    look(jobs); /* where one was due another may be */
}

static void put_feeds(struct cg_jobs *jobs)
{
    for (size_t t = 0; t < cg_tenants_count(jobs->env.tenants); t++) {
        const struct cg_tenant_info *info = cg_tenants_get(jobs->env.tenants, t);
        for (size_t k = 0; k < cg_kind_count(jobs->env.kinds); k++) {
            const struct cg_kind *kind = cg_kind_get(jobs->env.kinds, k);
            if (kind->feed && cg_json_str(info->fields, "erp_url", NULL))
                cg_due_put_named(&jobs->due, "feed", info->uuid, info->name, kind->name, cg_now_us());
        }
    }
}

/* Runs whose worker is gone. */

/* Where one was due another may be: what is looked for together has come back. */
static void looked(struct cg_jobs *jobs, bool found)
{
    jobs->looking--;
    jobs->found = jobs->found || found;
    if (jobs->looking || !jobs->found)
        return;
    jobs->found = false;
    look(jobs);
}

struct run_job {
    struct cg_jobs *jobs;
    char id[CG_DUE_ID_SIZE];
};

static void on_resumed(void *arg, struct cg_run *run, int err, int64_t until)
{
    struct run_job *r = arg;
    if (!run && err == COGENT_NOT_FOUND) /* it has ended */
        cg_due_drop_id(&r->jobs->due, r->id);
    else if (!run && err == COGENT_CONFLICT) /* it waits for people, who may let their time run out */
        cg_due_back(&r->jobs->due, r->id, until + RUN_LATER_US / 2);
    else
        cg_due_back(&r->jobs->due, r->id, cg_now_us() + RUN_LATER_US);
    r->jobs->resuming--;
    free(r);
}

static void on_run(void *arg, const struct cg_due_work *work)
{
    struct cg_jobs *jobs = arg;
    struct run_job *r = work ? calloc(1, sizeof *r) : NULL;
    if (r) {
        r->jobs = jobs;
        cg_str_copy(r->id, sizeof r->id, cogent_str(work->id));
        jobs->resuming++;
        cg_run_resume(jobs->env.runs, work->tenant, work->ref, NULL, on_resumed, r);
    }
    looked(jobs, r != NULL);
}

/* Effects in doubt: looked for again, by a serving worker as well. */

static void on_effect_looked(void *arg, int64_t later_us)
{
    struct run_job *e = arg;
    if (later_us)
        cg_due_back(&e->jobs->due, e->id, cg_now_us() + later_us);
    else
        cg_due_drop_id(&e->jobs->due, e->id);
    e->jobs->resuming--;
    free(e);
}

static void on_effect(void *arg, const struct cg_due_work *work)
{
    struct cg_jobs *jobs = arg;
    struct run_job *e = work ? calloc(1, sizeof *e) : NULL;
    if (e) {
        e->jobs = jobs;
        cg_str_copy(e->id, sizeof e->id, cogent_str(work->id));
        jobs->resuming++;
        cg_effect_look(jobs->env.runs, work->tenant, work->ref, on_effect_looked, e);
    }
    looked(jobs, e != NULL);
}

/* Looks for one thing that is due; when there is nothing, the next look is the next tick's. */
static void look(struct cg_jobs *jobs)
{
    if (jobs->stopping || jobs->looking)
        return;
    if (!jobs->env.feeds && jobs->resuming < TAKEN_AT_ONCE) {
        jobs->looking += 2;
        cg_due_take(&jobs->due, "run", RUN_LEASE_US, on_run, jobs);
        cg_due_take(&jobs->due, "effect", LEASE_US, on_effect, jobs);
    } else if (jobs->env.feeds && jobs->feeds < FEEDS_AT_ONCE) {
        jobs->looking++;
        cg_due_take(&jobs->due, "feed", LEASE_US, on_feed, jobs);
    }
}

static void on_tick(void *arg, int unused)
{
    (void)unused;
    look(arg);
}

void cg_jobs_start(struct cg_jobs *jobs)
{
    if (jobs->env.feeds)
        put_feeds(jobs);
    jobs->tick = cg_watch_every(jobs->env.loop, LOOK_MS, on_tick, jobs);
}
