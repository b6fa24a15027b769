/* SPDX-License-Identifier: Apache-2.0
 * How many questions a worker answers at a time. It is not configured but learned: ten times a second the worker looks how
 * busy its loop was, and when that is too much, the number of questions at hand becomes the mark. From then on whoever comes
 * above the mark is turned away at once, which costs next to nothing, instead of making everybody wait. A mark that proves
 * too low grows again.
 *
 * Plain data and arithmetic: no clock, no I/O. Of one worker, on its loop's thread. */
#ifndef CG_SVC_LOAD_H
#define CG_SVC_LOAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CG_LOAD_LOOK_MS = 100, /* between two looks */
    CG_LOAD_FLOOR = 64,    /* so many are always taken: a small server is never in the way of itself */
    CG_LOAD_NO_MARK = UINT32_MAX
};

struct cg_load {
    uint32_t open;        /* questions at hand */
    uint32_t mark;        /* CG_LOAD_NO_MARK: none is known yet */
    uint32_t turned_away; /* and otherwise refused, since the last look */
    unsigned busy, late;  /* looks in a row that found the loop busy, that came late */
};

struct cg_load_look {
    int64_t wall_us; /* since the last look */
    int64_t busy_us; /* of it, in which the loop's thread ran or waited for a processor */
};

void cg_load_init(struct cg_load *load);
/* Learns. Returns whether the mark was set or lowered just now. */
bool cg_load_look(struct cg_load *load, const struct cg_load_look *look);

static inline bool cg_load_full(const struct cg_load *load)
{
    return load->open >= load->mark;
}

#endif
