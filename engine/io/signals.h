/* SPDX-License-Identifier: Apache-2.0
 * Signals and datagrams on the loop. */
#ifndef CG_IO_SIGNALS_H
#define CG_IO_SIGNALS_H

#include "loop.h"

struct cg_watch;

/* fn(arg, signal) in the loop. NULL without memory. */
struct cg_watch *cg_watch_signal(struct cg_loop *loop, int signal, void (*fn)(void *arg, int signal),
                                 void *arg);
/* fn(arg, fd) whenever the descriptor can be read. The descriptor stays the caller's. */
struct cg_watch *cg_watch_read(struct cg_loop *loop, int fd, void (*fn)(void *arg, int fd), void *arg);
/* fn(arg, 0) every ms. */
struct cg_watch *cg_watch_every(struct cg_loop *loop, uint32_t ms, void (*fn)(void *arg, int unused),
                                void *arg);
void cg_watch_destroy(struct cg_watch *watch);

#endif
