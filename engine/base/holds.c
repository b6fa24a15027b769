/* SPDX-License-Identifier: Apache-2.0 */
#include "holds.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_MS = 30000, LONGEST_MS = 3600000 };
static const int64_t WINDOW_US = 60000000; /* in which crashes count together */
static const int64_t GOOD_US = 600000000;  /* without one: its holds are forgotten */

static struct cg_board_plugin *find(struct cg_board *board, const char *plugin, bool make)
{
    for (size_t i = 0; i < CG_BOARD_PLUGINS; i++) {
        struct cg_board_plugin *p = &board->plugins[i];
        if (!p->name[0] && make)
            snprintf(p->name, sizeof p->name, "%s", plugin);
        if (!p->name[0])
            return NULL;
        if (strncmp(p->name, plugin, sizeof p->name - 1) == 0)
            return p;
    }
    return NULL;
}

const struct cg_board_plugin *cg_holds_of(const struct cg_board *board, const char *plugin)
{
    return find((struct cg_board *)board, plugin, false);
}

uint32_t cg_holds_crashed(struct cg_board *board, const char *plugin, uint32_t hold_ms, int64_t mono_us,
                          int64_t wall_us)
{
    struct cg_board_plugin *p = find(board, plugin, true);
    if (!p)
        return 0;
    uint32_t crashes = atomic_fetch_add(&p->crashes, 1) + 1;
    int64_t until = atomic_load(&p->held_until);
    atomic_store(&p->crashed_us, wall_us);
    if (until && mono_us - until > GOOD_US)
        p->holds = 0;
    bool often = crashes >= CG_HOLD_CRASHES && mono_us - p->recent[0] <= WINDOW_US;
    bool again = p->holds && mono_us - until <= WINDOW_US; /* it was tried again, and is no better */
    p->recent[0] = p->recent[1];
    p->recent[1] = mono_us;
    if (!often && !again)
        return 0;
    uint64_t ms = (uint64_t)(hold_ms ? hold_ms : FIRST_MS) << (p->holds < 16 ? p->holds : 16);
    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    p->holds++;
    atomic_store(&p->held_until, mono_us + (int64_t)ms * 1000);
    return (uint32_t)ms;
}

uint32_t cg_holds_left(const struct cg_board *board, const char *plugin, int64_t mono_us)
{
    const struct cg_board_plugin *p = cg_holds_of(board, plugin);
    int64_t left = p ? atomic_load(&p->held_until) - mono_us : 0;
    return left > 0 ? (uint32_t)((left + 999) / 1000) : 0;
}
