/* SPDX-License-Identifier: Apache-2.0 */
#include "states.h"

#include <stdlib.h>

struct cg_states {
    struct cg_state *all[CG_STATES_TENANTS]; /* open addressing by tenant */
    size_t n, boxes, decisions;
    uint64_t clock;
};

int cg_states_create(size_t decisions, struct cg_states **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return COGENT_NO_MEMORY;
    (*out)->decisions = decisions;
    return 0;
}

static void drop(struct cg_states *states, struct cg_state *state)
{
    if (!state->box)
        return;
    cg_box_destroy(state->box);
    state->box = NULL;
    states->boxes--;
}

static void forget(struct cg_states *states, size_t slot)
{
    drop(states, states->all[slot]);
    free(states->all[slot]->kills);
    free(states->all[slot]);
    states->all[slot] = NULL;
    states->n--;
}

void cg_states_destroy(struct cg_states *states)
{
    if (!states)
        return;
    for (size_t i = 0; i < CG_STATES_TENANTS; i++)
        if (states->all[i])
            forget(states, i);
    free(states);
}

size_t cg_states_boxes(const struct cg_states *states)
{
    return states->boxes;
}

static size_t first_slot(const char *tenant)
{
    uint64_t h = 14695981039346656037u;
    for (; *tenant; tenant++)
        h = (h ^ (unsigned char)*tenant) * 1099511628211u;
    return (size_t)(h ^ h >> 32) % CG_STATES_TENANTS;
}

/* The tenant's slot, or a free one; the table is never full. */
static size_t find(const struct cg_states *states, const char *tenant)
{
    size_t i = first_slot(tenant);
    while (states->all[i] && strcmp(states->all[i]->tenant, tenant) != 0)
        i = (i + 1) % CG_STATES_TENANTS;
    return i;
}

/* At three quarters the older half of what is remembered goes; open addressing wants the rest put in again. */
static void thin_out(struct cg_states *states)
{
    struct cg_state **old = calloc(CG_STATES_TENANTS, sizeof *old);
    uint64_t border = states->clock - (states->clock > states->n ? states->n / 2 : 0);
    if (old)
        memcpy(old, states->all, sizeof states->all);
    for (size_t i = 0; i < CG_STATES_TENANTS; i++)
        if (states->all[i] && (!old || states->all[i]->used < border)) {
            forget(states, i);
            if (old)
                old[i] = NULL;
        }
    if (!old)
        return;
    memset(states->all, 0, sizeof states->all);
    for (size_t i = 0; i < CG_STATES_TENANTS; i++)
        if (old[i])
            states->all[find(states, old[i]->tenant)] = old[i];
    free(old);
}

static struct cg_state *remember(struct cg_states *states, const char *tenant)
{
    size_t slot = find(states, tenant);
    if (states->all[slot])
        return states->all[slot];
    if (states->n >= CG_STATES_TENANTS / 4 * 3) {
        thin_out(states);
        slot = find(states, tenant);
    }
    struct cg_state *state = calloc(1, sizeof *state);
    uint8_t *kills = calloc(states->decisions + 1, 1);
    if (!state || !kills) {
        free(state);
        free(kills);
        return NULL;
    }
    state->kills = kills;
    snprintf(state->tenant, sizeof state->tenant, "%s", tenant);
    states->all[slot] = state;
    states->n++;
    return state;
}

static void drop_oldest(struct cg_states *states)
{
    struct cg_state *oldest = NULL;
    for (size_t i = 0; i < CG_STATES_TENANTS; i++) {
        struct cg_state *s = states->all[i];
        if (s && s->box && (!oldest || s->used < oldest->used))
            oldest = s;
    }
    if (oldest)
        drop(states, oldest);
}

struct cg_state *cg_states_get(struct cg_states *states, const char *tenant)
{
    char name[64];
    snprintf(name, sizeof name, "%s", tenant ? tenant : "");
    struct cg_state *state = remember(states, name);
    if (!state)
        return NULL;
    state->used = ++states->clock;
    if (!state->box) {
        if (states->boxes >= CG_STATES_BOXES)
            drop_oldest(states);
        if (cg_box_create(&cg_box_tenant, &state->box))
            return NULL;
        states->boxes++;
    }
    return state;
}

void cg_states_mend(struct cg_states *states, struct cg_state *state)
{
    if (state->box && state->box->broken)
        drop(states, state);
}
