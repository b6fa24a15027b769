/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "loop_base.h"
#include "ops.h"

#include <stdlib.h>

enum { TICK_MS = 100 };

struct cg_loop {
    struct event_base *base;
    struct event *turn_end; /* made active while tasks are queued */
    struct event *tick;     /* how late the loop comes to it is how long something held it */
    struct cg_task *tasks, **last;
    struct cg_task *running; /* what this turn still has to run */
    struct cg_ops *ops;
    int64_t tick_us, stall_us;
    bool in_tasks;
};

static void run_tasks(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cg_loop *loop = arg;
    const struct timeval next_turn = { 0, 0 };
    loop->running = loop->tasks;
    loop->tasks = NULL;
    loop->last = &loop->tasks;
    loop->in_tasks = true;
    cg_memory_fill();
    while (loop->running) {
        struct cg_task *task = loop->running;
        loop->running = task->next;
        task->queued = false;
        task->fn(task->arg);
    }
    loop->in_tasks = false;
    /* What a task queued waits until descriptors and timers have been looked at: no turn is endless. */
    if (loop->tasks)
        event_add(loop->turn_end, &next_turn);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cg_loop *loop = arg;
    int64_t now = cg_mono_us();
    cg_memory_fill(); /* here, too: a loop may have no tasks */
    int64_t late = now - loop->tick_us - TICK_MS * 1000;
    if (loop->tick_us && late > loop->stall_us)
        loop->stall_us = late;
    loop->tick_us = now;
}

struct timeval cg_ms(uint32_t ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

struct cg_loop *cg_loop_create(void)
{
    event_set_mem_functions(cg_memory_malloc, cg_memory_realloc, free); /* before anything else of it */
    cg_memory_fill();
    struct cg_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    struct timeval every = cg_ms(TICK_MS);
    loop->last = &loop->tasks;
    loop->base = event_base_new();
    loop->turn_end = loop->base ? event_new(loop->base, -1, 0, run_tasks, loop) : NULL;
    loop->tick = loop->base ? event_new(loop->base, -1, EV_PERSIST, on_tick, loop) : NULL;
    loop->ops = cg_ops_create(loop);
    if (!loop->turn_end || !loop->tick || !loop->ops || event_add(loop->tick, &every) != 0) {
        cg_loop_destroy(loop);
        return NULL;
    }
    return loop;
}

void cg_loop_destroy(struct cg_loop *loop)
{
    if (!loop)
        return;
    cg_ops_destroy(loop->ops);
    if (loop->turn_end)
        event_free(loop->turn_end);
    if (loop->tick)
        event_free(loop->tick);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
}

void cg_loop_run(struct cg_loop *loop)
{
    event_base_dispatch(loop->base);
}

void cg_loop_stop(struct cg_loop *loop)
{
    event_base_loopbreak(loop->base);
}

int64_t cg_loop_stall_us(struct cg_loop *loop)
{
    int64_t stall = loop->stall_us;
    loop->stall_us = 0;
    return stall;
}

struct event_base *cg_loop_base(struct cg_loop *loop)
{
    return loop->base;
}

struct cg_ops *cg_loop_ops(const struct cg_loop *loop)
{
    return loop->ops;
}

void cg_task_later(struct cg_loop *loop, struct cg_task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    task->next = NULL;
    *loop->last = task;
    loop->last = &task->next;
    if (!loop->in_tasks)
        event_active(loop->turn_end, EV_TIMEOUT, 0);
}

/* Takes a task out of a list; where it stood, or NULL. */
static struct cg_task **take_task(struct cg_task **at, const struct cg_task *task)
{
    while (*at && *at != task)
        at = &(*at)->next;
    if (!*at)
        return NULL;
    *at = task->next;
    return at;
}

void cg_task_cancel(struct cg_loop *loop, struct cg_task *task)
{
    if (!task->queued)
        return;
    if (!take_task(&loop->running, task)) {
        struct cg_task **at = take_task(&loop->tasks, task);
        if (at && loop->last == &task->next)
            loop->last = at;
    }
    task->queued = false;
}
