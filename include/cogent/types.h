/* SPDX-License-Identifier: Apache-2.0
 * The small types that every header of the ABI uses, and the ABI's number.
 *
 * Rules of the whole ABI
 *   growth     structs that cross it begin with `size` and only grow at the end; a reader looks at a member only
 *              when `size` covers it (COGENT_HAS)
 *   strings    struct cogent_str is borrowed, not NUL-terminated, UTF-8, and valid until the function returns
 *              unless the member says otherwise; `const char *` is NUL-terminated
 *   threads    everything runs on the worker's loop thread; no function of the host may be called from another
 *   time       milliseconds in uint32_t for durations, microseconds since 1970 in int64_t for points
 */
#ifndef COGENT_TYPES_H
#define COGENT_TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The number grows with every incompatible change. 0: it may still change between releases. */
#define COGENT_ABI 0u

#if defined(__GNUC__)
#define COGENT_EXPORT             __attribute__((visibility("default")))
#define COGENT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define COGENT_EXPORT
#define COGENT_PRINTF(fmt, first)
#endif

/* Whether the other side's struct is long enough to hold `member`. */
#define COGENT_HAS(ptr, member)                                                                              \
    ((ptr)->size >= (size_t)((const char *)&(ptr)->member - (const char *)(ptr)) + sizeof(ptr)->member)

/* Text that somebody else owns. ptr may be NULL when len is 0. */
struct cogent_str {
    const char *ptr;
    size_t len;
};

static inline struct cogent_str cogent_str(const char *text)
{
    struct cogent_str s = { text, text ? strlen(text) : 0 };
    return s;
}

#endif
