/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void release(struct cp_buf *buf)
{
    if (buf->secret && buf->ptr)
        explicit_bzero(buf->ptr, buf->cap);
    free(buf->ptr);
}

void cp_buf_finish(struct cp_buf *buf)
{
    release(buf);
    memset(buf, 0, sizeof *buf);
}

void cp_buf_clear(struct cp_buf *buf)
{
    buf->len = 0;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static int reserve(struct cp_buf *buf, size_t more)
{
    if (buf->failed)
        return 0;
    if (more < buf->cap - buf->len)
        return 1;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap - buf->len <= more) {
        if (cap > SIZE_MAX / 2) {
            buf->failed = 1;
            return 0;
        }
        cap *= 2;
    }
    char *ptr = buf->secret ? malloc(cap) : realloc(buf->ptr, cap);
    if (!ptr) {
        buf->failed = 1;
        return 0;
    }
    if (buf->secret && buf->ptr) {
        memcpy(ptr, buf->ptr, buf->len + 1);
        release(buf);
    }
    buf->ptr = ptr;
    buf->cap = cap;
    return 1;
}

void cp_buf_add(struct cp_buf *buf, const char *ptr, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len)
        memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void cp_buf_text(struct cp_buf *buf, const char *text)
{
    cp_buf_add(buf, text, strlen(text));
}

void cp_buf_str(struct cp_buf *buf, struct cogent_str str)
{
    cp_buf_add(buf, str.ptr, str.len);
}

void cp_buf_byte(struct cp_buf *buf, char byte)
{
    cp_buf_add(buf, &byte, 1);
}

void cp_buf_format(struct cp_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        buf->failed = 1;
    if (len < 0 || !reserve(buf, (size_t)len))
        return;
    va_start(args, format);
    vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void cp_buf_point(struct cp_buf *buf, uint32_t point)
{
    char out[4];
    size_t n = 0;
    if (point < 0x80) {
        out[n++] = (char)point;
    } else if (point < 0x800) {
        out[n++] = (char)(0xc0 | point >> 6);
        out[n++] = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        out[n++] = (char)(0xe0 | point >> 12);
        out[n++] = (char)(0x80 | (point >> 6 & 0x3f));
        out[n++] = (char)(0x80 | (point & 0x3f));
    } else {
        out[n++] = (char)(0xf0 | point >> 18);
        out[n++] = (char)(0x80 | (point >> 12 & 0x3f));
        out[n++] = (char)(0x80 | (point >> 6 & 0x3f));
        out[n++] = (char)(0x80 | (point & 0x3f));
    }
    cp_buf_add(buf, out, n);
}

static int unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void cp_buf_percent(struct cp_buf *buf, struct cogent_str str, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < str.len; i++) {
        unsigned char c = (unsigned char)str.ptr[i];
        if (unreserved(c) || (c && strchr(also, c))) {
            cp_buf_byte(buf, (char)c);
        } else {
            char out[3] = { '%', hex[c >> 4], hex[c & 15] };
            cp_buf_add(buf, out, 3);
        }
    }
}

/* RFC 4648, with padding. */
void cp_buf_base64(struct cp_buf *buf, struct cogent_str str)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < str.len; i += 3) {
        size_t n = str.len - i < 3 ? str.len - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < n ? (unsigned char)str.ptr[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            cp_buf_byte(buf, j <= n ? digits[bits >> (18 - 6 * j) & 63] : '=');
    }
}

struct cogent_str cp_buf_peek(const struct cp_buf *buf)
{
    struct cogent_str str = { buf->ptr ? buf->ptr : "", buf->len };
    return str;
}

char *cp_buf_take(struct cp_buf *buf)
{
    cp_buf_add(buf, "", 0);
    char *ptr = buf->ptr;
    if (buf->failed) {
        release(buf);
        ptr = NULL;
    }
    memset(buf, 0, sizeof *buf);
    return ptr;
}
