/* SPDX-License-Identifier: Apache-2.0
 * The output guard: a filter in the path of every delta. It holds back only the suffix that can still become a
 * match: a citation marker, or the start of an image.
 *
 * Markers [n] are renumbered in the order of their first appearance; one that refers to nothing is dropped. An image
 * becomes a link, so that no client fetches what a document planted. Control characters vanish. */
#ifndef CG_RUN_GUARD_H
#define CG_RUN_GUARD_H

#include "engine/base/buf.h"

struct cg_guard {
    char held[12]; /* "!", "[", "[12" ... */
    size_t n_held;
    /* The shown number of candidate n, 0: drop the marker. May emit the citation first. */
    unsigned (*marker)(void *arg, unsigned n);
    void (*text)(void *arg, struct cogent_str text);
    void *arg;
};

void cg_guard_feed(struct cg_guard *guard, struct cogent_str text);
/* Lets go of what is held: the end of a turn. */
void cg_guard_close(struct cg_guard *guard);

#endif
