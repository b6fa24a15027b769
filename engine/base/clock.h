/* SPDX-License-Identifier: Apache-2.0
 * Two clocks: wall time for what people and tokens see, monotonic time for deadlines. */
#ifndef CG_BASE_CLOCK_H
#define CG_BASE_CLOCK_H

#include <cogent/types.h>

enum { CG_TIME_SIZE = 32 };

int64_t cg_now_us(void);  /* microseconds since 1970 */
int64_t cg_mono_us(void); /* microseconds since some start */
int64_t cg_cpu_us(void);  /* that the calling thread has used */
/* The same and what it has waited for a processor: how long it had something to do. schedstat: its descriptor of
 * /proc/thread-self/schedstat; without one, or where the kernel does not count, as cg_cpu_us. */
int64_t cg_busy_us(int schedstat);

/* RFC 3339 in UTC, whole seconds: "2026-11-22T07:30:04Z". */
const char *cg_time_format(int64_t us, char out[CG_TIME_SIZE]);

/* "24h", "90s", "15m", "7d", "250ms", or plain seconds -> milliseconds; negative when it is none. */
int64_t cg_duration_parse(struct cogent_str text);

#endif
