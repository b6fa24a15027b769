/* SPDX-License-Identifier: Apache-2.0
 * How long the UTF-8 sequence at ptr is; 0 when it is none (overlong, surrogate, cut).
 */
#ifndef COGENT_COMMON_UTF8_H
#define COGENT_COMMON_UTF8_H

#include <stddef.h>

static inline size_t cp_utf8_len(const char *ptr, size_t len)
{
    const unsigned char *s = (const unsigned char *)ptr;
    size_t n = len == 0      ? 0
               : s[0] < 0x80 ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    if (n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
        return 0;
    if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
        return 0;
    return n;
}

#endif
