/* SPDX-License-Identifier: Apache-2.0
 * How much of the loop a tenant's scripts take: 50 ms a second. A bucket that runs out at that rate. */
#ifndef CG_POLICY_METER_H
#define CG_POLICY_METER_H

#include <stdbool.h>
#include <stdint.h>

struct cg_meter {
    int64_t level; /* microseconds of CPU time not yet forgiven */
    int64_t at;    /* monotonic time of `level` */
};

/* Whether there is any left at `now`. */
static inline bool cg_meter_open(struct cg_meter *meter, int64_t now, int64_t allowance)
{
    int64_t passed = now - meter->at;
    int64_t forgiven = passed >= 1000000 ? allowance : passed * allowance / 1000000;
    if (forgiven > 0 || passed >= 1000000) {
        meter->level = meter->level > forgiven ? meter->level - forgiven : 0;
        meter->at = now;
    }
    return meter->level < allowance;
}

static inline void cg_meter_take(struct cg_meter *meter, int64_t us)
{
    meter->level += us;
}

#endif
