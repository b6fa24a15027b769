/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t cg_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t cg_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cg_cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t cg_busy_us(int schedstat)
{
    char text[128];
    ssize_t n = schedstat >= 0 ? pread(schedstat, text, sizeof text - 1, 0) : -1;
    text[n > 0 ? n : 0] =
        '\0'; /* nanoseconds: run, which lags behind by a tick, and waited; then how often */
    const char *waited = strchr(text, ' ');
    return cg_cpu_us() + (waited ? strtoll(waited, NULL, 10) / 1000 : 0);
}

const char *cg_time_format(int64_t us, char out[CG_TIME_SIZE])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(out, CG_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return out;
}

int64_t cg_duration_parse(struct cogent_str text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 },      { "s", 1000 },     { "m", 60000 },
                  { "h", 3600000 }, { "d", 86400000 }, { "", 1000 } };
    size_t i = 0;
    int64_t n = 0;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && n < 10000000000)
        n = n * 10 + (text.ptr[i++] - '0');
    if (i == 0)
        return -1;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        if (text.len - i == strlen(units[u].unit) && memcmp(text.ptr + i, units[u].unit, text.len - i) == 0)
            return n * units[u].ms;
    }
    return -1;
}
