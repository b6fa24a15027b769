/* SPDX-License-Identifier: Apache-2.0
 * The libevent base behind a loop: for the files of this room that watch descriptors. */
#ifndef CG_IO_LOOP_BASE_H
#define CG_IO_LOOP_BASE_H

#include "loop.h"

#include <event2/event.h>

struct event_base *cg_loop_base(struct cg_loop *loop);
struct timeval cg_ms(uint32_t ms);

#endif
