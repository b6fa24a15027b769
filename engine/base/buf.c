/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void cg_free_ptr(void *p)
{
    free(*(void **)p);
}

void cg_buf_finish(struct cg_buf *buf)
{
    if (!buf->lent)
        free(buf->ptr);
    *buf = (struct cg_buf){ 0 };
}

void cg_buf_clear(struct cg_buf *buf)
{
    buf->len = 0;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

static bool reserve(struct cg_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    size_t need = buf->len + more + 1;
    bool sane = more < SIZE_MAX / 4 && need < SIZE_MAX / 4;
    if (sane && need <= buf->cap)
        return true;
    size_t cap = buf->cap ? buf->cap : 64;
    while (sane && cap < need)
        cap *= 2;
    char *ptr = sane ? realloc(buf->lent ? NULL : buf->ptr, cap) : NULL;
    if (!ptr) {
        cg_memory_failed();
        buf->failed = true;
        return false;
    }
    if (buf->lent)
        memcpy(ptr, buf->ptr, buf->len + 1);
    buf->lent = false;
    buf->ptr = ptr;
    buf->cap = cap;
    return true;
}

void cg_buf_add(struct cg_buf *buf, const void *data, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len)
        memcpy(buf->ptr + buf->len, data, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void cg_buf_str(struct cg_buf *buf, struct cogent_str s)
{
    cg_buf_add(buf, s.ptr, s.len);
}

void cg_buf_text(struct cg_buf *buf, const char *text)
{
    cg_buf_add(buf, text, strlen(text));
}

void cg_buf_char(struct cg_buf *buf, char c)
{
    cg_buf_add(buf, &c, 1);
}

void cg_buf_printf(struct cg_buf *buf, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    size_t room = buf->failed ? 0 : buf->cap - buf->len;
    int n = vsnprintf(room ? buf->ptr + buf->len : NULL, room, format, ap);
    if (n >= 0 && (size_t)n < room) {
        buf->len += (size_t)n;
    } else if (n >= 0 && reserve(buf, (size_t)n)) { /* it did not fit */
        vsnprintf(buf->ptr + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    } else if (room) {
        buf->ptr[buf->len] = '\0';
    }
    va_end(again);
    va_end(ap);
}

static const char *json_escape(unsigned char c, char out[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        snprintf(out, 8, "\\u%04x", c);
        return out;
    }
}

void cg_buf_json(struct cg_buf *buf, struct cogent_str s)
{
    char tmp[8];
    size_t from = 0;
    cg_buf_char(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool separator = c == 0xe2 && i + 2 < s.len && (unsigned char)s.ptr[i + 1] == 0x80 &&
                         ((unsigned char)s.ptr[i + 2] & 0xfe) == 0xa8;
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && !separator)
            continue;
        cg_buf_add(buf, s.ptr + from, i - from);
        if (separator) {
            cg_buf_text(buf, (unsigned char)s.ptr[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
            i += 2;
        } else {
            cg_buf_text(buf, json_escape(c, tmp));
        }
        from = i + 1;
    }
    cg_buf_add(buf, s.ptr + from, s.len - from);
    cg_buf_char(buf, '"');
}

void cg_buf_percent(struct cg_buf *buf, struct cogent_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain)
            cg_buf_char(buf, (char)c);
        else
            cg_buf_printf(buf, "%%%02X", c);
    }
}

struct cogent_str cg_buf_view(const struct cg_buf *buf)
{
    struct cogent_str s = { buf->failed || !buf->ptr ? "" : buf->ptr, buf->failed ? 0 : buf->len };
    return s;
}

char *cg_buf_steal(struct cg_buf *buf)
{
    if (!buf->ptr)
        cg_buf_add(buf, "", 0);
    char *ptr = buf->lent ? cg_str_dup(cg_buf_view(buf)) : buf->ptr;
    if (buf->failed) {
        free(ptr);
        ptr = NULL;
    }
    *buf = (struct cg_buf){ 0 };
    return ptr;
}

char *cg_str_dup(struct cogent_str s)
{
    char *copy = malloc(s.len + 1);
    if (!copy) {
        cg_memory_failed();
        return NULL;
    }
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

bool cg_str_eq(struct cogent_str a, const char *b)
{
    return cg_str_same(a, cogent_str(b));
}

bool cg_str_same(struct cogent_str a, struct cogent_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool cg_str_caseeq(struct cogent_str a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || strncasecmp(a.ptr, b, a.len) == 0);
}

bool cg_str_copy(char *dst, size_t size, struct cogent_str s)
{
    size_t n = s.len < size ? s.len : size - 1;
    if (n)
        memcpy(dst, s.ptr, n);
    dst[n] = '\0';
    return n == s.len;
}
