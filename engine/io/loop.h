/* SPDX-License-Identifier: Apache-2.0
 * One event loop a worker, and the tree of everything it waits for.
 *
 * A wait (struct cogent_op) is a value; its slot is reused under a new generation, so a late reply touches nothing.
 * When a wait ends in whatever way, the waits below it are cancelled first, the youngest first. */
#ifndef CG_IO_LOOP_H
#define CG_IO_LOOP_H

#include "engine/base/tenant.h"

#include <cogent/error.h>
#include <cogent/op.h>
#include <stdbool.h>

struct cg_loop;

struct cg_loop *cg_loop_create(void);
void cg_loop_destroy(struct cg_loop *loop); /* every wait must be over; their callbacks are not called */

/* Runs until cg_loop_stop, or, with `once`, until nothing is ready. */
void cg_loop_run(struct cg_loop *loop);
void cg_loop_stop(struct cg_loop *loop);

/* Longest time one turn held the loop since the last call, in microseconds; counts from wake-up to sleep. */
int64_t cg_loop_stall_us(struct cg_loop *loop);

/* fn(arg) at the end of the turn. The task lies in its owner's struct and may be taken back. */
struct cg_task {
    void (*fn)(void *arg);
    void *arg;
    struct cg_task *next;
    bool queued;
};
void cg_task_later(struct cg_loop *loop, struct cg_task *task);
void cg_task_cancel(struct cg_loop *loop, struct cg_task *task);

/* Begins a wait below parent (none: a root). ended is called when it ends from outside: why is COGENT_CANCELLED or,
 * at its deadline, COGENT_TIMEOUT; never after cg_op_finish. label is a constant. deadline_ms 0: none of its own.
 * Returns no wait when the parent is over or memory is out. */
typedef void (*cg_op_ended_fn)(void *arg, int why);
struct cogent_op cg_op_start(struct cg_loop *loop, struct cogent_op parent, const char *label,
                             uint32_t deadline_ms, cg_op_ended_fn ended, void *arg);
/* Ends a wait that got what it waited for. false: it was over already. */
bool cg_op_finish(struct cg_loop *loop, struct cogent_op op);
/* Ends a wait and tells its owner. */
void cg_op_cancel(struct cg_loop *loop, struct cogent_op op, int why);

bool cg_op_alive(struct cg_loop *loop, struct cogent_op op);
/* A new deadline from now; 0: none. */
void cg_op_deadline(struct cg_loop *loop, struct cogent_op op, uint32_t ms);

/* Whose work a wait serves: bound at a root, found from any wait below it. Borrowed. */
void cg_op_bind(struct cg_loop *loop, struct cogent_op op, const struct cg_tenant *tenant);
const struct cg_tenant *cg_op_tenant(struct cg_loop *loop, struct cogent_op op);

/* What an op is waiting for: fn for each wait below it, with its age. Labels only. */
void cg_op_each(struct cg_loop *loop, struct cogent_op op,
                void (*fn)(void *arg, const char *label, int64_t age_us), void *arg);
size_t cg_op_count(const struct cg_loop *loop);

/* A wait that ends by itself: fn(arg) after ms. */
struct cogent_op cg_timer_after(struct cg_loop *loop, struct cogent_op parent, const char *label, uint32_t ms,
                                void (*fn)(void *arg), void *arg);

#endif
