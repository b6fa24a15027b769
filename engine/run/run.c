/* SPDX-License-Identifier: Apache-2.0
 * The driver: looks at the fold and starts the step that it calls for. It knows when; the steps know what. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "runs.h"

#include <stdlib.h>

static const char *const state_names[] = { "admit", "taken",   "retrieve", "plan", "gate",
                                           "act",   "suspend", "settle",   "over" };

const char *cg_run_state_name(enum cg_run_state state)
{
    return state_names[state];
}

void cg_run_enter(struct cg_run *run, enum cg_run_state state, const char *why)
{
    int64_t now = cg_mono_us();
    cg_log(CG_DEBUG, "run.state", CG_S("run", run->id), CG_S("from", state_names[run->state]),
           CG_S("to", state_names[state]), CG_S("why", why), CG_I("us", now - run->state_us));
    cg_metric_add(run->env->metrics, CG_M_RUN_STATES, 1, state_names[state], NULL, NULL);
    run->state = state;
    run->state_us = now;
}

struct cogent_op cg_run_work(struct cg_run *run)
{
    cg_op_cancel(run->env->loop, run->work, COGENT_CANCELLED);
    run->work = cg_op_start(run->env->loop, run->root, state_names[run->state], 0, NULL, NULL);
    return run->work;
}

static bool effect_under_way(const struct cg_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        if (run->calls[i]->running && run->calls[i]->effect[0])
            return true;
    }
    return false;
}

/* What the fold calls for. */
static enum cg_run_state wanted(const struct cg_run *run)
{
    size_t proposed = 0, ready = 0, running = 0, asking = 0;
    if (!run->in.context)
        return CG_RUN_RETRIEVE;
    if (run->n_turns == 0)
        return CG_RUN_PLAN;
    for (size_t i = 0; i < run->n_calls; i++) {
        const struct cg_call *c = run->calls[i];
        proposed += c->state == CG_CALL_PROPOSED;
        asking += c->state == CG_CALL_ASKING;
        running += c->running;
        ready +=
            !c->running && !c->in.outcome && (c->state == CG_CALL_PLANNED || c->state == CG_CALL_DISPATCHED);
    }
    if (proposed)
        return CG_RUN_GATE;
    if (ready || running)
        return CG_RUN_ACT;
    if (asking)
        return CG_RUN_SUSPEND;
    return run->turns[run->n_turns - 1].n ? CG_RUN_PLAN : CG_RUN_SETTLE;
}

static void start(struct cg_run *run, enum cg_run_state state)
{
    switch (state) {
    case CG_RUN_RETRIEVE:
        cg_retrieve_start(run);
        break;
    case CG_RUN_PLAN:
        cg_plan_start(run);
        break;
    case CG_RUN_GATE:
        cg_gate_calls(run);
        break;
    case CG_RUN_ACT:
        cg_act_start(run);
        break;
    case CG_RUN_SUSPEND:
        cg_suspend_start(run);
        break;
    default:
        break;
    }
}

static bool over_limits(const struct cg_run *run)
{
    const struct cg_run_limits *l = &run->env->limits;
    return (int64_t)run->n_turns >= l->steps || run->input_tokens + run->output_tokens >= l->tokens;
}

/* An answer that its provider cut short is not a complete one. */
static const char *answer_status(const struct cg_run *run)
{
    const char *finish =
        run->n_turns ? cg_json_str(cg_run_body(run, run->turns[run->n_turns - 1].row), "finish", "") : "";
    return strcmp(finish, "length") == 0 ? "limited" : strcmp(finish, "filter") == 0 ? "refused" : "complete";
}

static void turn(void *arg)
{
    struct cg_run *run = arg;
    if (run->state >= CG_RUN_SETTLE)
        return;
    if (run->state == CG_RUN_ADMIT)
        cg_run_emit_row(run, 0);
    if (run->state == CG_RUN_SUSPEND && run->writing)
        return; /* once its approvals are out they may be decided: first the one, then the other */
    if (run->stop) {
        if (!effect_under_way(run))
            cg_settle_start(run, run->stop, NULL, NULL);
        return;
    }
    enum cg_run_state state = wanted(run);
    if (state == CG_RUN_SETTLE) {
        cg_settle_start(run, answer_status(run), NULL, NULL);
        return;
    }
    if (state == CG_RUN_PLAN && over_limits(run)) {
        cg_settle_start(run, "limited", NULL, NULL);
        return;
    }
    if (state == run->state && state != CG_RUN_ACT && state != CG_RUN_GATE)
        return; /* under way */
    if (state == CG_RUN_PLAN && run->state == CG_RUN_TAKEN && run->lost && cg_plan_lost(run) < 0) {
        cg_settle_start(run, "failed", NULL, NULL);
        return;
    }
    if (state != run->state) {
        cg_run_enter(run, state, "fold");
        if (state == CG_RUN_ACT)
            cg_run_work(run);
    }
    start(run, state);
}

void cg_run_next(struct cg_run *run)
{
    cg_task_later(run->env->loop, &run->next_task);
}

void cg_run_stop(struct cg_run *run, const char *status)
{
    if (run->stop || run->state >= CG_RUN_SETTLE)
        return;
    run->stop = status;
    if (run->loading)
        return; /* who loads it looks at it when it is ours */
    if (!effect_under_way(run)) {
        cg_run_work(run); /* upstreams close now, not after the end is written */
        cg_plan_cancel(run);
    }
    cg_run_next(run);
}

static void on_wall(void *arg)
{
    cg_run_stop(arg, "limited");
}

struct cg_run *cg_run_create(struct cg_runs *runs, struct cg_caller *caller, const char *id)
{
    const struct cg_run_env *env = cg_runs_env(runs);
    struct cg_run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->runs = runs;
    run->env = env;
    run->caller = cg_caller_ref(caller);
    run->cites = json_array();
    run->shown = json_array();
    run->next_task = (struct cg_task){ .fn = turn, .arg = run };
    run->began_us = run->state_us = cg_mono_us();
    run->memory = cg_memory_failures();
    if (id)
        cg_str_copy(run->id, sizeof run->id, cogent_str(id));
    else
        cg_id_make("run_", run->id);
    run->root = cg_op_start(env->loop, (struct cogent_op){ 0, 0 }, "run", 0, NULL, run);
    cg_op_bind(env->loop, run->root, caller->tenant);
    run->work = cg_op_start(env->loop, run->root, "admit", 0, NULL, NULL);
    run->wall = cg_timer_after(env->loop, run->root, "run.wall", (uint32_t)(env->limits.seconds * 1000),
                               on_wall, run);
    int rc = cg_asker_init(&run->asker, runs, run->caller);
    cg_runs_add(runs, run);
    if (rc == 0 && run->cites && run->shown && !cogent_op_none(run->root) && !cogent_op_none(run->wall))
        return run;
    cg_run_destroy(run);
    return NULL;
}

void cg_run_destroy(struct cg_run *run)
{
    if (!run)
        return;
    const struct cg_run_env *env = run->env;
    cg_task_cancel(env->loop, &run->next_task);
    cg_task_cancel(env->loop, &run->unwritten);
    cg_op_cancel(env->loop, run->root, COGENT_CANCELLED);
    cg_plan_cancel(run);
    cg_run_writing_free(run);
    cg_runs_remove(run->runs, run);
    if (run->counted) {
        struct cg_board_tenant *t = cg_board_tenant(env->board, cg_tenant_id(run->caller->tenant));
        if (t)
            atomic_fetch_sub(&t->runs[env->slot], 1);
    }
    cg_run_rows_finish(run);
    for (size_t i = 0; i < run->n_calls; i++) {
        free(run->calls[i]->lost);
        free(run->calls[i]);
    }
    free(run->calls);
    free(run->turns);
    cg_asker_finish(&run->asker);
    json_decref(run->cites);
    json_decref(run->shown);
    cg_buf_finish(&run->content);
    cg_caller_unref(run->caller);
    free(run);
}

const char *cg_run_id(const struct cg_run *run)
{
    return run->id;
}

const char *cg_run_session(const struct cg_run *run)
{
    return run->session;
}

int cg_run_start(struct cg_runs *runs, const struct cg_run_request *request, const struct cg_sink *sink,
                 struct cg_run **out, const char **code, struct cg_err *err)
{
    *out = NULL;
    *code = NULL;
    struct cg_run *run = cg_run_create(runs, request->caller, NULL);
    if (!run)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = cg_admit_open(run, request, err, code);
    if (rc < 0) {
        cg_run_destroy(run);
        return rc;
    }
    if (sink)
        run->sink = *sink;
    *out = run;
    return 0;
}

void cg_run_listen(struct cg_run *run, const struct cg_sink *sink)
{
    run->sink = *sink;
    run->gone = false;
}

void cg_run_leave(struct cg_run *run)
{
    run->sink = (struct cg_sink){ 0 };
    run->gone = true;
    if (!run->detached &&
        run->state != CG_RUN_SUSPEND) /* what is about to wait for people does not need it */
        cg_run_stop(run, "cancelled");
}
