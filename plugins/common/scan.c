/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "utf8.h"

enum { MAX_DEPTH = 64, REPLACEMENT = 0xfffd };

struct cp_scan cp_scan_begin(struct cogent_str json)
{
    struct cp_scan scan = { json.ptr, json.ptr ? json.ptr + json.len : NULL, json.ptr == NULL, 0 };
    return scan;
}

static int fail(struct cp_scan *scan)
{
    scan->bad = 1;
    return 0;
}

static int left(const struct cp_scan *scan)
{
    return !scan->bad && scan->at < scan->end;
}

static void space(struct cp_scan *scan)
{
    while (left(scan) && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

static int digit(const struct cp_scan *scan)
{
    return left(scan) && *scan->at >= '0' && *scan->at <= '9';
}

int cp_scan_next(struct cp_scan *scan)
{
    space(scan);
    if (!left(scan))
        return 0;
    char c = *scan->at;
    if (c == '-' || digit(scan))
        return '0';
    return strchr("{[\"ntf", c) && c ? c : 0;
}

int cp_scan_open(struct cp_scan *scan, char bracket)
{
    if (cp_scan_next(scan) != bracket || ++scan->depth > MAX_DEPTH)
        return fail(scan);
    scan->at++;
    return 1;
}

/* Past the comma before the next entry; 0 at the end, or when something else stands there. */
static int entry(struct cp_scan *scan, int *first, char close)
{
    space(scan);
    if (!left(scan))
        return fail(scan);
    if (*scan->at == close) {
        scan->at++;
        scan->depth--;
        return 0;
    }
    if (!*first) {
        if (*scan->at != ',')
            return fail(scan);
        scan->at++;
        space(scan);
    }
    *first = 0;
    return 1;
}

int cp_scan_member(struct cp_scan *scan, int *first, struct cogent_str *key)
{
    if (!entry(scan, first, '}') || !cp_scan_string(scan, key))
        return 0;
    space(scan);
    if (!left(scan) || *scan->at != ':')
        return fail(scan);
    scan->at++;
    return 1;
}

int cp_scan_element(struct cp_scan *scan, int *first)
{
    return entry(scan, first, ']');
}

static int hex4(const char *at, const char *end, uint32_t *out)
{
    uint32_t value = 0;
    if (end - at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t d;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            d = (uint32_t)((c | 32) - 'a' + 10);
        else
            return 0;
        value = value << 4 | d;
    }
    *out = value;
    return 1;
}

/* Past the backslash: how many bytes the rest of the escape has, or 0. */
static size_t escape(const char *at, const char *end)
{
    uint32_t unit;
    if (at >= end)
        return 0;
    if (*at == 'u')
        return hex4(at + 1, end, &unit) ? 5 : 0;
    return *at && strchr("\"\\/bfnrt", *at) ? 1 : 0;
}

int cp_scan_string(struct cp_scan *scan, struct cogent_str *raw)
{
    if (cp_scan_next(scan) != '"')
        return fail(scan);
    const char *begin = ++scan->at;
    while (left(scan) && *scan->at != '"') {
        size_t n = 1;
        if ((unsigned char)*scan->at < 0x20)
            return fail(scan);
        if (*scan->at == '\\')
            n = escape(scan->at + 1, scan->end) ? escape(scan->at + 1, scan->end) + 1 : 0;
        else if ((unsigned char)*scan->at >= 0x80)
            n = cp_utf8_len(scan->at, (size_t)(scan->end - scan->at));
        if (!n)
            return fail(scan);
        scan->at += n;
    }
    if (!left(scan))
        return fail(scan);
    raw->ptr = begin;
    raw->len = (size_t)(scan->at++ - begin);
    return 1;
}

static int digits(struct cp_scan *scan)
{
    if (!digit(scan))
        return fail(scan);
    while (digit(scan))
        scan->at++;
    return 1;
}

static int number(struct cp_scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    if (left(scan) && *scan->at == '0')
        scan->at++;
    else if (!digits(scan))
        return 0;
    if (left(scan) && *scan->at == '.') {
        scan->at++;
        if (!digits(scan))
            return 0;
    }
    if (left(scan) && (*scan->at | 32) == 'e') {
        scan->at++;
        if (left(scan) && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        return digits(scan);
    }
    return 1;
}

int cp_scan_integer(struct cp_scan *scan, int64_t *out)
{
    if (cp_scan_next(scan) != '0')
        return fail(scan);
    const char *at = scan->at;
    int minus = *at == '-';
    if (!number(scan))
        return 0;
    int64_t value = 0;
    for (at += minus; at < scan->at; at++) {
        if (*at < '0' || *at > '9' || value > (INT64_MAX - 9) / 10)
            return fail(scan);
        value = value * 10 + (*at - '0');
    }
    *out = minus ? -value : value;
    return 1;
}

static int word(struct cp_scan *scan, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(scan->end - scan->at) < n || memcmp(scan->at, text, n) != 0)
        return fail(scan);
    scan->at += n;
    return 1;
}

static int skip(struct cp_scan *scan)
{
    struct cogent_str unused;
    int first;
    switch (cp_scan_next(scan)) {
    case '{':
        for (first = cp_scan_open(scan, '{'); cp_scan_member(scan, &first, &unused);)
            skip(scan);
        return !scan->bad;
    case '[':
        for (first = cp_scan_open(scan, '['); cp_scan_element(scan, &first);)
            skip(scan);
        return !scan->bad;
    case '"':
        return cp_scan_string(scan, &unused);
    case '0':
        return number(scan);
    case 'n':
        return word(scan, "null");
    case 't':
        return word(scan, "true");
    case 'f':
        return word(scan, "false");
    default:
        return fail(scan);
    }
}

int cp_scan_skip(struct cp_scan *scan, struct cogent_str *raw)
{
    cp_scan_next(scan);
    const char *begin = scan->at;
    if (!skip(scan))
        return 0;
    if (raw) {
        raw->ptr = begin;
        raw->len = (size_t)(scan->at - begin);
    }
    return 1;
}

int cp_scan_end(struct cp_scan *scan)
{
    space(scan);
    return !scan->bad && scan->at == scan->end;
}

int cp_scan_is(struct cogent_str raw, const char *text)
{
    return raw.len == strlen(text) && memcmp(raw.ptr, text, raw.len) == 0;
}

static void unit(struct cp_buf *out, uint32_t code, uint32_t *high)
{
    int low = code >= 0xdc00 && code < 0xe000;
    if (*high && low) {
        cp_buf_point(out, 0x10000 + ((*high - 0xd800) << 10) + (code - 0xdc00));
        *high = 0;
        return;
    }
    cp_unescape_end(out, high);
    if (code >= 0xd800 && code < 0xdc00)
        *high = code;
    else
        cp_buf_point(out, low || code == 0 ? REPLACEMENT : code);
}

void cp_unescape(struct cp_buf *out, struct cogent_str raw, uint32_t *high)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *end = raw.ptr + raw.len;
    for (const char *at = raw.ptr; at < end;) {
        uint32_t code;
        if (*at != '\\') {
            const char *run = memchr(at, '\\', (size_t)(end - at));
            if (!run)
                run = end;
            cp_unescape_end(out, high);
            cp_buf_add(out, at, (size_t)(run - at));
            at = run;
        } else if (end - at >= 6 && at[1] == 'u' && hex4(at + 2, end, &code)) {
            unit(out, code, high);
            at += 6;
        } else {
            const char *plain = end - at >= 2 ? strchr(from, at[1]) : NULL;
            cp_unescape_end(out, high);
            cp_buf_byte(out, plain && *plain ? to[plain - from] : end - at >= 2 ? at[1] : '\\');
            at += end - at >= 2 ? 2 : 1;
        }
    }
}

void cp_unescape_end(struct cp_buf *out, uint32_t *high)
{
    if (*high)
        cp_buf_point(out, REPLACEMENT);
    *high = 0;
}
