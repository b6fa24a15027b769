/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include "loop_base.h"

#include <stdlib.h>

struct cg_watch {
    struct event *event;
    void (*fn)(void *arg, int what);
    void *arg;
};

static void fire(evutil_socket_t what, short flags, void *arg)
{
    (void)flags;
    struct cg_watch *w = arg;
    w->fn(w->arg, (int)what);
}

static struct cg_watch *watch(struct cg_loop *loop, int fd, short flags, const struct timeval *tv,
                              void (*fn)(void *, int), void *arg)
{
    struct cg_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->fn = fn;
    w->arg = arg;
    w->event = event_new(cg_loop_base(loop), fd, flags, fire, w);
    if (w->event && event_add(w->event, tv) == 0)
        return w;
    cg_watch_destroy(w);
    return NULL;
}

struct cg_watch *cg_watch_signal(struct cg_loop *loop, int signal, void (*fn)(void *arg, int signal),
                                 void *arg)
{
    return watch(loop, signal, EV_SIGNAL | EV_PERSIST, NULL, fn, arg);
}

struct cg_watch *cg_watch_read(struct cg_loop *loop, int fd, void (*fn)(void *arg, int fd), void *arg)
{
    return watch(loop, fd, EV_READ | EV_PERSIST, NULL, fn, arg);
}

struct cg_watch *cg_watch_every(struct cg_loop *loop, uint32_t ms, void (*fn)(void *arg, int unused),
                                void *arg)
{
    struct timeval tv = cg_ms(ms);
    return watch(loop, -1, EV_PERSIST, &tv, fn, arg);
}

void cg_watch_destroy(struct cg_watch *w)
{
    if (!w)
        return;
    if (w->event)
        event_free(w->event);
    free(w);
}
