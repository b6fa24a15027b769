/* SPDX-License-Identifier: Apache-2.0
 * Which characters make words, and their lower case: ASCII, Latin, Greek and Cyrillic. What is no letter, digit or
 * mark parts words.
 */
#include "terms.h"

#include "common/utf8.h"

struct range {
    uint32_t first, last;
};

/* Punctuation, symbols and spaces beyond ASCII. */
static const struct range parting[] = {
    { 0x80, 0xa9 },     { 0xab, 0xb4 },     { 0xb6, 0xb9 },     { 0xbb, 0xbf },       { 0xd7, 0xd7 },
    { 0xf7, 0xf7 },     { 0x2c2, 0x2df },   { 0x37e, 0x37e },   { 0x387, 0x387 },     { 0x60c, 0x60d },
    { 0x61b, 0x61f },   { 0x66a, 0x66d },   { 0x964, 0x965 },   { 0x2000, 0x206f },   { 0x20a0, 0x20cf },
    { 0x2100, 0x214f }, { 0x2190, 0x2bff }, { 0x2e00, 0x2e7f }, { 0x3000, 0x3004 },   { 0x3008, 0x303f },
    { 0xe000, 0xf8ff }, { 0xfe10, 0xfe1f }, { 0xfe30, 0xfe6f }, { 0xfeff, 0xff0f },   { 0xff1a, 0xff20 },
    { 0xff3b, 0xff40 }, { 0xff5b, 0xff65 }, { 0xffe0, 0xffff }, { 0x1f000, 0x1faff },
};

/* Written without spaces. */
static const struct range single[] = {
    { 0x3040, 0x30ff }, { 0x3400, 0x9fff }, { 0xac00, 0xd7af }, { 0xf900, 0xfaff }, { 0x20000, 0x3ffff },
};

static int within(const struct range *ranges, size_t n, uint32_t point)
{
    for (size_t i = 0; i < n && ranges[i].first <= point; i++)
        if (point <= ranges[i].last)
            return 1;
    return 0;
}

static uint32_t decode(const unsigned char *s, size_t n)
{
    if (n == 2)
        return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
    if (n == 3)
        return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
    return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 | (uint32_t)(s[2] & 0x3f) << 6 |
           (s[3] & 0x3f);
}

static uint32_t lower(uint32_t p)
{
    if ((p >= 0xc0 && p <= 0xde) || (p >= 0x391 && p <= 0x3a9) || (p >= 0x410 && p <= 0x42f))
        return p + 32;
    if (p >= 0x400 && p <= 0x40f)
        return p + 80;
    if ((p >= 0x139 && p <= 0x148) || (p >= 0x179 && p <= 0x17e))
        return p + (p & 1);
    if (p == 0x178)
        return 0xff;
    if ((p >= 0x100 && p <= 0x177) || (p >= 0x460 && p <= 0x4ff))
        return p | 1;
    return p;
}

size_t records_letter(struct cogent_str text, uint32_t *out, int *kind)
{
    if (!text.len)
        return 0;
    unsigned char c = (unsigned char)text.ptr[0];
    if (c < 0x80) {
        int upper = c >= 'A' && c <= 'Z';
        *out = upper ? c + 32u : c;
        *kind = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        return 1;
    }
    size_t n = cp_utf8_len(text.ptr, text.len);
    *kind = 0;
    *out = ' ';
    if (!n)
        return 1;
    uint32_t point = decode((const unsigned char *)text.ptr, n);
    if (!within(parting, sizeof parting / sizeof *parting, point)) {
        *kind = within(single, sizeof single / sizeof *single, point) ? 2 : 1;
        *out = lower(point);
    }
    return n;
}
