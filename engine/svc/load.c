/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

enum {
    BUSY = 960, /* thousandths of the time: there is no room for what the questions at hand will still cost */
    CALM = 900,
    BUSY_LOOKS = 3, /* a burst is no state */
    LATE_MS = 80,   /* the loop came so late to the look: that long everything waits */
    LATE_LOOKS = 2,
    KEEP_FIRST = 800, /* thousandths of what was too much: those that came last have hardly begun to cost */
    KEEP = 950,
    GROW = 64, /* a sixty-fourth with each look */
    /* Whoever is turned away and asks again at once keeps the loop busy too. Questions make room for them, but not more than
     * half of the time: else it would be enough to ask often. */
    TURNED_AWAY_US = 50,
    QUESTIONS = 500
};

void cg_load_init(struct cg_load *load)
{
    *load = (struct cg_load){ .mark = CG_LOAD_NO_MARK };
}

static bool lower(struct cg_load *load)
{
    /* What is above the mark has been taken and must be answered: until it is, a lower mark would change nothing, and
     * what is seen is still the fault of the old one. Below the floor it is not the questions. */
    if (load->open > load->mark || load->open < CG_LOAD_FLOOR)
        return false;
    uint32_t before = load->mark, share = before == CG_LOAD_NO_MARK ? KEEP_FIRST : KEEP;
    uint32_t kept = (uint32_t)((uint64_t)load->open * share / 1000);
    load->mark = kept > CG_LOAD_FLOOR ? kept : CG_LOAD_FLOOR;
    return load->mark != before;
}

bool cg_load_look(struct cg_load *load, const struct cg_load_look *look)
{
    int64_t wall = look->wall_us > 0 ? look->wall_us : 1;
    int64_t busy = look->busy_us * 1000 / wall,
            away = (int64_t)load->turned_away * TURNED_AWAY_US * 1000 / wall;
    bool theirs = busy - away >= QUESTIONS, late = wall / 1000 - CG_LOAD_LOOK_MS >= LATE_MS;
    load->turned_away = 0;
    load->late = late && theirs ? load->late + 1 : 0;
    load->busy = busy >= BUSY && theirs ? load->busy + 1 : 0;
    if (load->busy >= BUSY_LOOKS || load->late >= LATE_LOOKS)
        return lower(load);
    bool pressed = load->mark != CG_LOAD_NO_MARK && load->open + load->open / 8 >= load->mark;
    if (pressed && busy < CALM && load->late == 0)
        load->mark += load->mark / GROW + 1;
    return false;
}
