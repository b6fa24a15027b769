/* SPDX-License-Identifier: Apache-2.0
 * Slots in chunks that never move, so a slot's timer may point at it. */
#include "ops.h"

#include "engine/base/clock.h"
#include "engine/base/err.h"
#include "loop_base.h"

#include <stdlib.h>

enum { CHUNK = 256, CHUNKS_MAX = 4096 };

struct slot {
    struct cg_loop *loop;
    struct slot *parent, *child, *next, *prev; /* siblings: youngest first */
    struct slot *free_next;
    const struct cg_tenant *tenant;
    const char *label;
    cg_op_ended_fn ended;
    void (*fired)(void *arg); /* a timer's own function */
    void *arg;
    struct event *deadline;
    int64_t began_us;
    uint32_t index, generation;
    bool live;
    bool ending; /* its children are being cancelled: no new ones */
};

struct cg_ops {
    struct cg_loop *loop;
    struct slot *chunks[CHUNKS_MAX];
    size_t n_chunks, live;
    struct slot *free;
};

struct cg_ops *cg_ops_create(struct cg_loop *loop)
{
    struct cg_ops *ops = calloc(1, sizeof *ops);
    if (ops)
        ops->loop = loop;
    return ops;
}

void cg_ops_destroy(struct cg_ops *ops)
{
    if (!ops)
        return;
    for (size_t c = 0; c < ops->n_chunks; c++) {
        for (size_t i = 0; i < CHUNK; i++) {
            if (ops->chunks[c][i].deadline)
                event_free(ops->chunks[c][i].deadline);
            cg_tenant_unref(ops->chunks[c][i].tenant);
        }
        free(ops->chunks[c]);
    }
    free(ops);
}

static bool grow(struct cg_ops *ops)
{
    struct slot *chunk = ops->n_chunks < CHUNKS_MAX ? calloc(CHUNK, sizeof *chunk) : NULL;
    if (!chunk)
        return false;
    for (size_t i = CHUNK; i-- > 0;) {
        chunk[i].index = (uint32_t)(ops->n_chunks * CHUNK + i);
        chunk[i].loop = ops->loop;
        chunk[i].free_next = ops->free;
        ops->free = &chunk[i];
    }
    ops->chunks[ops->n_chunks++] = chunk;
    return true;
}

static struct slot *find(const struct cg_loop *loop, struct cogent_op op)
{
    const struct cg_ops *ops = cg_loop_ops(loop);
    if (op.generation == 0 || op.slot / CHUNK >= ops->n_chunks)
        return NULL;
    struct slot *s = &ops->chunks[op.slot / CHUNK][op.slot % CHUNK];
    return s->live && s->generation == op.generation ? s : NULL;
}

static struct cogent_op value(const struct slot *s)
{
    return (struct cogent_op){ s->index, s->generation };
}

static void take_out(struct slot *s)
{
    struct cg_ops *ops = cg_loop_ops(s->loop);
    if (s->prev)
        s->prev->next = s->next;
    else if (s->parent)
        s->parent->child = s->next;
    if (s->next)
        s->next->prev = s->prev;
    if (s->deadline)
        event_del(s->deadline);
    cg_tenant_unref(s->tenant);
    s->tenant = NULL;
    s->parent = s->next = s->prev = NULL;
    s->live = false;
    s->free_next = ops->free;
    ops->free = s;
    ops->live--;
}

/* ended is called when the slot is free again: the owner may start a new wait in it. False: a child's owner ended
 * this one meanwhile. */
static bool end_slot(struct slot *s, int why, bool tell)
{
    struct cogent_op op = value(s);
    struct cg_loop *loop = s->loop;
    s->ending = true;
    while (s->child) {
        end_slot(s->child, COGENT_CANCELLED, true);
        if (!find(loop, op))
            return false;
    }
    cg_op_ended_fn ended = s->ended;
    void *arg = s->arg;
    take_out(s);
    if (tell && ended)
        ended(arg, why);
    return true;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct slot *s = arg;
    void (*fired)(void *) = s->fired;
    void *fired_arg = s->arg;
    if (end_slot(s, COGENT_TIMEOUT, !fired) && fired)
        fired(fired_arg);
}

static bool arm(struct slot *s, uint32_t ms)
{
    struct timeval tv = cg_ms(ms);
    if (!s->deadline)
        s->deadline = event_new(cg_loop_base(s->loop), -1, 0, on_deadline, s);
    return s->deadline && event_add(s->deadline, &tv) == 0;
}

struct cogent_op cg_op_start(struct cg_loop *loop, struct cogent_op parent, const char *label,
                             uint32_t deadline_ms, cg_op_ended_fn ended, void *arg)
{
    struct cg_ops *ops = cg_loop_ops(loop);
    struct slot *up = find(loop, parent);
    if ((!up && !cogent_op_none(parent)) || (up && up->ending) || (!ops->free && !grow(ops)))
        return (struct cogent_op){ 0, 0 };
    struct slot *s = ops->free;
    ops->free = s->free_next;
    ops->live++;
    s->live = true;
    s->ending = false;
    s->generation = s->generation == UINT32_MAX ? 1 : s->generation + 1;
    s->label = label;
    s->ended = ended;
    s->fired = NULL;
    s->arg = arg;
    s->child = s->prev = NULL;
    s->parent = up;
    s->next = up ? up->child : NULL;
    s->began_us = cg_mono_us();
    if (up) {
        if (up->child)
            up->child->prev = s;
        up->child = s;
    }
    if (deadline_ms && !arm(s, deadline_ms)) {
        take_out(s);
        return (struct cogent_op){ 0, 0 };
    }
    return value(s);
}

bool cg_op_finish(struct cg_loop *loop, struct cogent_op op)
{
    struct slot *s = find(loop, op);
    if (s)
        end_slot(s, 0, false);
    return s != NULL;
}

void cg_op_cancel(struct cg_loop *loop, struct cogent_op op, int why)
{
    struct slot *s = find(loop, op);
    if (s)
        end_slot(s, why, true);
}

bool cg_op_alive(struct cg_loop *loop, struct cogent_op op)
{
    return find(loop, op) != NULL;
}

void cg_op_deadline(struct cg_loop *loop, struct cogent_op op, uint32_t ms)
{
    struct slot *s = find(loop, op);
    if (s && ms)
        arm(s, ms);
    else if (s && s->deadline)
        event_del(s->deadline);
}

void cg_op_bind(struct cg_loop *loop, struct cogent_op op, const struct cg_tenant *tenant)
{
    struct slot *s = find(loop, op);
    if (!s)
        return;
    const struct cg_tenant *before = s->tenant;
    s->tenant = cg_tenant_ref(tenant);
    cg_tenant_unref(before); /* last: it may be the same */
}

const struct cg_tenant *cg_op_tenant(struct cg_loop *loop, struct cogent_op op)
{
    const struct slot *s = find(loop, op);
    while (s && !s->tenant)
        s = s->parent;
    return s ? s->tenant : NULL;
}

static void each_below(const struct slot *s, int64_t now, void (*fn)(void *, const char *, int64_t),
                       void *arg)
{
    for (const struct slot *c = s->child; c; c = c->next) {
        fn(arg, c->label, now - c->began_us);
        each_below(c, now, fn, arg);
    }
}

void cg_op_each(struct cg_loop *loop, struct cogent_op op,
                void (*fn)(void *arg, const char *label, int64_t age_us), void *arg)
{
    const struct slot *s = find(loop, op);
    if (s)
        each_below(s, cg_mono_us(), fn, arg);
}

size_t cg_op_count(const struct cg_loop *loop)
{
    return cg_loop_ops(loop)->live;
}

struct cogent_op cg_timer_after(struct cg_loop *loop, struct cogent_op parent, const char *label, uint32_t ms,
                                void (*fn)(void *arg), void *arg)
{
    struct cogent_op op = cg_op_start(loop, parent, label, ms ? ms : 1, NULL, arg);
    struct slot *s = find(loop, op);
    if (s)
        s->fired = fn;
    return op;
}
