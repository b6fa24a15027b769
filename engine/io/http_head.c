/* SPDX-License-Identifier: Apache-2.0 */
#include "http_head.h"

#include <strings.h>

static const struct {
    const char *name;
    bool once;
} guarded[] = {
    { "host", true }, { "authorization", true }, { "content-length", true }, { "transfer-encoding", true }
};

static bool is_token(unsigned char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr(others, c));
}

static bool all_token(struct cogent_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_token((unsigned char)s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

static int refuse(int status, const char **why, const char *words)
{
    *why = words;
    return -status;
}

/* The next line without its CRLF; false when there is no whole one. A bare LF or CR makes *bad. */
static bool next_line(struct cogent_str bytes, size_t *at, struct cogent_str *line, bool *bad)
{
    for (size_t i = *at; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == '\n' || c == '\0') {
            *bad = true;
            return false;
        }
        if (c != '\r')
            continue;
        if (i + 1 == bytes.len)
            return false;
        if (bytes.ptr[i + 1] != '\n') {
            *bad = true;
            return false;
        }
        *line = (struct cogent_str){ bytes.ptr + *at, i - *at };
        *at = i + 2;
        return true;
    }
    return false;
}

/* origin-form, or absolute-form whose authority the Host header repeats. */
static bool read_target(struct cogent_str target, struct cg_http_head *head)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return false;
    }
    if (target.len > 7 && strncasecmp(target.ptr, "http://", 7) == 0) {
        const char *slash = memchr(target.ptr + 7, '/', target.len - 7);
        if (!slash || slash == target.ptr + 7)
            return false;
        target.len -= (size_t)(slash - target.ptr);
        target.ptr = slash;
    }
    if (target.len == 0 || target.ptr[0] != '/')
        return false;
    const char *q = memchr(target.ptr, '?', target.len);
    head->path = (struct cogent_str){ target.ptr, q ? (size_t)(q - target.ptr) : target.len };
    head->query = (struct cogent_str){ q ? q + 1 : "", q ? target.len - head->path.len - 1 : 0 };
    return true;
}

static int read_request_line(struct cogent_str line, struct cg_http_head *head, const char **why)
{
    const char *first = memchr(line.ptr, ' ', line.len);
    const char *last = first ? memchr(first + 1, ' ', line.len - (size_t)(first - line.ptr) - 1) : NULL;
    if (!last)
        return refuse(400, why, "The request line is not METHOD SP TARGET SP VERSION.");
    head->method = (struct cogent_str){ line.ptr, (size_t)(first - line.ptr) };
    struct cogent_str target = { first + 1, (size_t)(last - first - 1) };
    struct cogent_str version = { last + 1, line.len - (size_t)(last + 1 - line.ptr) };
    if (!all_token(head->method) || head->method.len > 20)
        return refuse(400, why, "The method is not a token.");
    if (!read_target(target, head))
        return refuse(400, why, "The request target is not a path.");
    if (cg_str_eq(version, "HTTP/1.1"))
        head->minor = 1;
    else if (cg_str_eq(version, "HTTP/1.0"))
        head->minor = 0;
    else if (version.len == 8 && memcmp(version.ptr, "HTTP/", 5) == 0)
        return refuse(505, why, "This server speaks HTTP/1.1.");
    else
        return refuse(400, why, "The version is not HTTP/1.1.");
    return 0;
}

static struct cogent_str trim(struct cogent_str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static int read_header(struct cogent_str line, struct cg_http_head *head, const char **why)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon || line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return refuse(400, why, "A header line is not NAME: VALUE.");
    struct cg_http_header h = { { line.ptr, (size_t)(colon - line.ptr) }, { NULL, 0 } };
    h.value = trim((struct cogent_str){ colon + 1, line.len - h.name.len - 1 });
    if (!all_token(h.name))
        return refuse(400, why, "A header's name is not a token.");
    for (size_t i = 0; i < h.value.len; i++) {
        unsigned char c = (unsigned char)h.value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return refuse(400, why, "A header's value holds a control character.");
    }
    for (size_t g = 0; g < sizeof guarded / sizeof guarded[0]; g++) {
        if (cg_str_caseeq(h.name, guarded[g].name) && cg_http_header_find(head, guarded[g].name).ptr)
            return refuse(400, why, "A header that may stand once stands twice.");
    }
    if (head->n_headers == CG_HTTP_HEADERS_MAX)
        return refuse(431, why, "Too many headers.");
    head->headers[head->n_headers++] = h;
    return 0;
}

static int read_length(struct cogent_str text, int64_t *out)
{
    int64_t n = 0;
    if (text.len == 0 || text.len > 18)
        return -400;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -400;
        n = n * 10 + (text.ptr[i] - '0');
    }
    *out = n;
    return 0;
}

/* Whether one of the words of the Connection headers, separated by commas, is this one. */
static bool connection_says(const struct cg_http_head *head, const char *word)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        struct cogent_str rest = head->headers[i].value;
        while (cg_str_caseeq(head->headers[i].name, "connection") && rest.len) {
            const char *comma = memchr(rest.ptr, ',', rest.len);
            size_t n = comma ? (size_t)(comma - rest.ptr) : rest.len;
            if (cg_str_caseeq(trim((struct cogent_str){ rest.ptr, n }), word))
                return true;
            n += comma != NULL;
            rest = (struct cogent_str){ rest.ptr + n, rest.len - n };
        }
    }
    return false;
}

static int read_framing(struct cg_http_head *head, const char **why)
{
    struct cogent_str host = cg_http_header_find(head, "host");
    struct cogent_str length = cg_http_header_find(head, "content-length");
    struct cogent_str coding = cg_http_header_find(head, "transfer-encoding");
    struct cogent_str expect = cg_http_header_find(head, "expect");
    if (head->minor == 1 && !host.ptr)
        return refuse(400, why, "The Host header is missing.");
    if (length.ptr && coding.ptr)
        return refuse(400, why, "Content-Length and Transfer-Encoding stand together.");
    if (length.ptr && read_length(length, &head->length) < 0)
        return refuse(400, why, "Content-Length is not a number.");
    if (coding.ptr && (head->minor == 0 || !cg_str_caseeq(coding, "chunked")))
        return refuse(400, why, "The transfer coding is not chunked.");
    if (expect.ptr && !cg_str_caseeq(expect, "100-continue"))
        return refuse(417, why, "Only 100-continue can be expected.");
    head->chunked = coding.ptr != NULL;
    head->expect = expect.ptr != NULL && head->minor == 1;
    head->keep_alive = head->minor == 1
                           ? !connection_says(head, "close")
                           : connection_says(head, "keep-alive") && !connection_says(head, "close");
    return 0;
}

int cg_http_head_read(struct cogent_str bytes, struct cg_http_head *head, const char **why)
{
    size_t at = 0;
    struct cogent_str line;
    bool bad = false, first = true;
    *head = (struct cg_http_head){ .length = -1 };
    /* One empty line before the request is forgiven (RFC 9112 2.2). */
    if (bytes.len >= 2 && memcmp(bytes.ptr, "\r\n", 2) == 0)
        at = 2;
    for (;;) {
        if (!next_line(bytes, &at, &line, &bad))
            break;
        if (line.len > CG_HTTP_LINE_MAX)
            return first ? refuse(414, why, "The request line is too long.")
                         : refuse(431, why, "A header is too long.");
        if (line.len == 0) {
            if (first)
                return refuse(400, why, "The request line is empty.");
            int rc = at > CG_HTTP_HEAD_MAX ? refuse(431, why, "The headers are too long.")
                                           : read_framing(head, why);
            return rc < 0 ? rc : (int)at;
        }
        int rc = first ? read_request_line(line, head, why) : read_header(line, head, why);
        if (rc < 0)
            return rc;
        first = false;
    }
    if (bad)
        return refuse(400, why, "A line does not end with CR LF, or holds NUL.");
    if (bytes.len - at > CG_HTTP_LINE_MAX)
        return first ? refuse(414, why, "The request line is too long.")
                     : refuse(431, why, "A header is too long.");
    return bytes.len > CG_HTTP_HEAD_MAX ? refuse(431, why, "The headers are too long.") : 0;
}

struct cogent_str cg_http_header_find(const struct cg_http_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (cg_str_caseeq(head->headers[i].name, name))
            return head->headers[i].value;
    }
    return (struct cogent_str){ NULL, 0 };
}

/* Chunked bodies. */

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, LAST_LF };
enum { CHUNK_LINE_MAX = 1024, TRAILERS_MAX = 8192 };

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* One byte outside of data. Returns the next state or -1. */
static int chunked_step(struct cg_chunked *c, char b)
{
    int digit = hex_digit(b);
    bool control = (unsigned char)b < 0x20 && b != '\t';
    switch (c->state) {
    case SIZE:
        if (digit >= 0) {
            if (c->left >> 56)
                return -1;
            c->left = c->left << 4 | (unsigned)digit;
            c->digits = true;
            return SIZE;
        }
        if (!c->digits)
            return -1;
        return b == ';' ? EXTENSION : b == '\r' ? SIZE_LF : -1;
    case EXTENSION:
        return b == '\r' ? SIZE_LF : control ? -1 : EXTENSION;
    case SIZE_LF:
        c->line = 0;
        c->digits = false;
        return b != '\n' ? -1 : c->left ? DATA : TRAILER;
    case DATA_CR:
        return b == '\r' ? DATA_LF : -1;
    case DATA_LF:
        return b == '\n' ? SIZE : -1;
    case TRAILER:
        return b == '\r' ? LAST_LF : is_token((unsigned char)b) ? TRAILER_LINE : -1;
    case TRAILER_LINE:
        return b == '\r' ? TRAILER_LF : control ? -1 : TRAILER_LINE;
    case TRAILER_LF:
        return b == '\n' ? TRAILER : -1;
    default:
        return -1;
    }
}

int64_t cg_chunked_read(struct cg_chunked *c, struct cogent_str bytes, struct cg_buf *out, size_t max,
                        bool *done)
{
    size_t i = 0;
    *done = false;
    while (i < bytes.len) {
        if (c->state == DATA) {
            size_t n = bytes.len - i < c->left ? bytes.len - i : (size_t)c->left;
            if (out->len + n > max)
                return -413;
            cg_buf_add(out, bytes.ptr + i, n);
            i += n;
            c->left -= n;
            if (c->left == 0)
                c->state = DATA_CR;
            continue;
        }
        char b = bytes.ptr[i++];
        if (c->state == LAST_LF) {
            *done = b == '\n';
            return *done ? (int64_t)i : -400;
        }
        if (++c->line > (c->state >= TRAILER ? TRAILERS_MAX : CHUNK_LINE_MAX))
            return -400;
        int next = chunked_step(c, b);
        if (next < 0)
            return -400;
        c->state = (unsigned)next;
    }
    return (int64_t)i;
}
