/* SPDX-License-Identifier: Apache-2.0
 * One box a tenant, the least recently used dropped; what is remembered of a tenant outlives its box. */
#ifndef CG_POLICY_STATES_H
#define CG_POLICY_STATES_H

#include "meter.h"
#include "sandbox.h"

enum { CG_STATES_BOXES = 64, CG_STATES_TENANTS = 4096, CG_STATES_KILLS = 3 };

struct cg_state {
    char tenant[64];
    struct cg_box *box; /* NULL when dropped */
    struct cg_meter meter;
    uint8_t *kills; /* one a decision; CG_STATES_KILLS and more: quarantined */
    uint64_t used;
};

struct cg_states;

int cg_states_create(size_t decisions, struct cg_states **out);
void cg_states_destroy(struct cg_states *states);

/* The tenant's state with a box that works; NULL without memory. Valid until the next call. */
struct cg_state *cg_states_get(struct cg_states *states, const char *tenant);
/* Closes a box that hit its cap, so that the next call makes another. */
void cg_states_mend(struct cg_states *states, struct cg_state *state);
size_t cg_states_boxes(const struct cg_states *states);

#endif
