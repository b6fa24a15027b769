/* SPDX-License-Identifier: Apache-2.0 */
#include "http_chunked.h"

#include "http_head.h"

enum state {
    SIZE,
    NAME_BEGINS, /* of an extension */
    NAME,
    VALUE_BEGINS,
    VALUE,
    QUOTED,
    ESCAPED,
    UNQUOTED,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* from here on: behind the last chunk */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF
};

enum {
    LINE_MAX_BYTES = 1024,
    TRAILERS_MAX = 8192,
    EXCESS_MAX = 16 * 1024,
    CHUNK_WORTH = 16 /* bytes that a chunk's line may have for nothing; and two for each byte of data */
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool is_text(char b)
{
    return b == '\t' || ((unsigned char)b >= 0x20 && b != 0x7f);
}

static int size_step(struct cg_chunked *c, char b)
{
    int digit = hex_digit(b);
    if (digit < 0)
        return !c->digits ? -1 : b == ';' ? NAME_BEGINS : b == '\r' ? SIZE_LF : -1;
    if (c->left >> 56)
        return -1;
    c->left = c->left << 4 | (unsigned)digit;
    c->digits = true;
    return SIZE;
}

/* Behind an extension, or a part of one that may be the last. */
static int extension_end(char b)
{
    return b == ';' ? NAME_BEGINS : b == '\r' ? SIZE_LF : -1;
}

static int extension_step(enum state state, char b)
{
    bool token = cg_http_is_token((unsigned char)b);
    switch (state) {
    case NAME_BEGINS:
        return token ? NAME : -1;
    case NAME:
        return token ? NAME : b == '=' ? VALUE_BEGINS : extension_end(b);
    case VALUE_BEGINS:
        return token ? VALUE : b == '"' ? QUOTED : -1;
    case VALUE:
        return token ? VALUE : extension_end(b);
    case QUOTED:
        return b == '"' ? UNQUOTED : b == '\\' ? ESCAPED : is_text(b) ? QUOTED : -1;
    case ESCAPED:
        return is_text(b) ? QUOTED : -1;
    default:
        return extension_end(b);
    }
}

static int size_line_end(struct cg_chunked *c)
{
    uint64_t worth = CHUNK_WORTH + 2 * c->left;
    c->excess += c->line;
    c->excess -= c->excess < worth ? c->excess : worth;
    c->line = 0;
    c->digits = false;
    return c->excess > EXCESS_MAX ? -1 : c->left ? DATA : TRAILER;
}

static int trailer_name_step(struct cg_chunked *c, char b)
{
    if (b == ':') {
        bool guarded = cg_http_is_guarded((struct cogent_str){ c->name, c->name_len });
        c->name_len = 0;
        return guarded ? -1 : TRAILER_VALUE;
    }
    if (c->name_len < sizeof c->name)
        c->name[c->name_len++] = b;
    return cg_http_is_token((unsigned char)b) ? TRAILER_NAME : -1;
}

/* One byte outside of data. Returns the next state or -1. */
static int step(struct cg_chunked *c, char b)
{
    switch (c->state) {
    case SIZE:
        return size_step(c, b);
    case SIZE_LF:
        return b == '\n' ? size_line_end(c) : -1;
    case DATA_CR:
        return b == '\r' ? DATA_LF : -1;
    case DATA_LF:
        return b == '\n' ? SIZE : -1;
    case TRAILER:
        return b == '\r' ? LAST_LF : b == ':' ? -1 : trailer_name_step(c, b);
    case TRAILER_NAME:
        return trailer_name_step(c, b);
    case TRAILER_VALUE:
        return b == '\r' ? TRAILER_LF : is_text(b) ? TRAILER_VALUE : -1;
    case TRAILER_LF:
        return b == '\n' ? TRAILER : -1;
    default:
        return extension_step(c->state, b);
    }
}

static size_t take_data(struct cg_chunked *c, struct cogent_str bytes, struct cg_buf *out)
{
    size_t n = bytes.len < c->left ? bytes.len : (size_t)c->left;
    cg_buf_add(out, bytes.ptr, n);
    c->left -= n;
    if (c->left == 0)
        c->state = DATA_CR;
    return n;
}

int64_t cg_chunked_read(struct cg_chunked *c, struct cogent_str bytes, struct cg_buf *out, size_t max,
                        bool *done)
{
    size_t i = 0;
    *done = false;
    while (i < bytes.len) {
        if (c->state == DATA) {
            i += take_data(c, (struct cogent_str){ bytes.ptr + i, bytes.len - i }, out);
            continue;
        }
        char b = bytes.ptr[i++];
        if (c->state == LAST_LF) {
            *done = b == '\n';
            return *done ? (int64_t)i : -400;
        }
        if (++c->line > (c->state >= TRAILER ? TRAILERS_MAX : LINE_MAX_BYTES))
            return -400;
        int next = step(c, b);
        if (next < 0)
            return -400;
        if (next == DATA && c->left > max - (out->len < max ? out->len : max))
            return -413; /* before any of it is taken */
        c->state = (unsigned)next;
    }
    return (int64_t)i;
}
