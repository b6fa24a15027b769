/* SPDX-License-Identifier: Apache-2.0 */
#include "http_head.h"

#include <arpa/inet.h>
#include <strings.h>

enum { METHOD_MAX = 20, HOST_MAX = 255, LENGTH_DIGITS = 18 };

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(unsigned char c, const char *others)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(others, c));
}

bool cg_http_is_token(unsigned char c)
{
    return is_word(c, "!#$%&'*+-.^_`|~");
}

/* Headers that may stand once, and what is said of a second. */
static const char *twice(struct cogent_str name)
{
    static const struct {
        const char *name, *words;
    } once[] = {
        { "host", "The header Host stands twice." },
        { "authorization", "The header Authorization stands twice." },
        { "content-length", "The header Content-Length stands twice." },
        { "transfer-encoding", "The header Transfer-Encoding stands twice." },
    };
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (cg_str_caseeq(name, once[i].name))
            return once[i].words;
    }
    return NULL;
}

bool cg_http_is_guarded(struct cogent_str name)
{
    return twice(name);
}

static bool all_token(struct cogent_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!cg_http_is_token((unsigned char)s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

static int refuse(int status, const char **why, const char *words)
{
    *why = words;
    return -status;
}

/* The next line without its CRLF. 1: here it is; 0: there is no whole one yet; -400, or -431 when it is too long. */
static int next_line(struct cogent_str bytes, size_t *at, struct cogent_str *line)
{
    for (size_t i = *at; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == '\n' || c == '\0')
            return -400;
        if (c != '\r') {
            if (i - *at == CG_HTTP_LINE_MAX)
                return -431;
            continue;
        }
        if (i + 1 == bytes.len)
            return 0;
        if (bytes.ptr[i + 1] != '\n')
            return -400;
        *line = (struct cogent_str){ bytes.ptr + *at, i - *at };
        *at = i + 2;
        return 1;
    }
    return 0;
}

static bool is_hex(char c)
{
    return is_digit((unsigned char)c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* What RFC 3986 lets stand in a path and a query; the rest has to be percent-encoded. */
static bool is_address(struct cogent_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_word((unsigned char)s.ptr[i], "-._~!$&'()*+,;=:@/?"))
            continue;
        if (s.ptr[i] != '%' || i + 2 >= s.len || !is_hex(s.ptr[i + 1]) || !is_hex(s.ptr[i + 2]))
            return false;
        i += 2;
    }
    return true;
}

static bool is_ipv6(struct cogent_str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return cg_str_copy(text, sizeof text, s) && inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_port(struct cogent_str s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit((unsigned char)s.ptr[i]) || s.len > 5)
            return false;
        n = n * 10 + (unsigned)(s.ptr[i] - '0');
    }
    return n <= 65535;
}

/* A name or an address, perhaps a port. Narrower than RFC 3986, by which a name may be empty, and hold commas, quotes
 * and percent-encodings: no host is called so, and what is in front may read it otherwise. */
static bool is_host(struct cogent_str s)
{
    size_t n = 0;
    if (s.len > HOST_MAX)
        return false;
    if (s.len && s.ptr[0] == '[') {
        const char *end = memchr(s.ptr, ']', s.len);
        n = end ? (size_t)(end - s.ptr) + 1 : 0;
        if (!end || !is_ipv6((struct cogent_str){ s.ptr + 1, n - 2 }))
            return false;
    } else {
        while (n < s.len && is_word((unsigned char)s.ptr[n], "-._"))
            n++;
    }
    return n &&
           (n == s.len || (s.ptr[n] == ':' && is_port((struct cogent_str){ s.ptr + n + 1, s.len - n - 1 })));
}

/* origin-form, the * of OPTIONS, or absolute-form. */
static bool read_target(struct cogent_str target, struct cg_http_head *head)
{
    if (cg_str_eq(target, "*")) {
        head->path = target;
        return cg_str_eq(head->method, "OPTIONS");
    }
    if (target.len > 7 && strncasecmp(target.ptr, "http://", 7) == 0) {
        size_t n = 7;
        while (n < target.len && target.ptr[n] != '/' && target.ptr[n] != '?')
            n++;
        head->authority = (struct cogent_str){ target.ptr + 7, n - 7 };
        target = (struct cogent_str){ target.ptr + n, target.len - n };
    }
    if (!is_address(target) || (!head->authority.ptr && (target.len == 0 || target.ptr[0] != '/')))
        return false;
    const char *q = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    head->path = (struct cogent_str){ target.ptr, q ? (size_t)(q - target.ptr) : target.len };
    head->query = q ? (struct cogent_str){ q + 1, target.len - head->path.len - 1 } : cogent_str("");
    if (head->path.len == 0) /* http://host and http://host?query are what http://host/ is */
        head->path = cogent_str("/");
    return true;
}

static int read_version(struct cogent_str version, int *minor, const char **why)
{
    const char *v = version.ptr;
    if (version.len != 8 || memcmp(v, "HTTP/", 5) != 0 || !is_digit((unsigned char)v[5]) || v[6] != '.' ||
        !is_digit((unsigned char)v[7]))
        return refuse(400, why, "The request line is not METHOD SP TARGET SP HTTP/1.1.");
    if (v[5] != '1' || v[7] > '1')
        return refuse(505, why, "This server speaks HTTP/1.1.");
    *minor = v[7] - '0';
    return 0;
}

static int read_request_line(struct cogent_str line, struct cg_http_head *head, const char **why)
{
    const char *first = memchr(line.ptr, ' ', line.len);
    const char *last = first ? memchr(first + 1, ' ', line.len - (size_t)(first - line.ptr) - 1) : NULL;
    if (!last)
        return refuse(400, why, "The request line is not METHOD SP TARGET SP HTTP/1.1.");
    head->method = (struct cogent_str){ line.ptr, (size_t)(first - line.ptr) };
    struct cogent_str target = { first + 1, (size_t)(last - first - 1) };
    struct cogent_str version = { last + 1, line.len - (size_t)(last + 1 - line.ptr) };
    if (!all_token(head->method) || head->method.len > METHOD_MAX)
        return refuse(400, why, "The method is not a word of at most 20 letters.");
    int rc = read_version(version, &head->minor, why);
    if (rc < 0)
        return rc;
    if (!read_target(target, head))
        return refuse(400, why,
                      "The request target is not a path, or holds a character that must be percent-encoded.");
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
    const char *words = twice(h.name);
    for (size_t i = 0; words && i < head->n_headers; i++) {
        struct cogent_str other = cg_http_header(head, i).name;
        if (other.len == h.name.len && strncasecmp(other.ptr, h.name.ptr, h.name.len) == 0)
            return refuse(400, why, words);
    }
    if (head->n_headers == CG_HTTP_HEADERS_MAX)
        return refuse(431, why, "There are more than 64 headers.");
    head->places[head->n_headers++] =
        (struct cg_http_place){ (uint16_t)(h.name.ptr - head->bytes), (uint16_t)h.name.len,
                                (uint16_t)(h.value.ptr - head->bytes), (uint16_t)h.value.len };
    return 0;
}

static int read_length(struct cogent_str text, int64_t *out, const char **why)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit((unsigned char)text.ptr[i]))
            return refuse(400, why, "Content-Length is not a number.");
        if (i < LENGTH_DIGITS)
            n = n * 10 + (text.ptr[i] - '0');
    }
    if (text.len == 0)
        return refuse(400, why, "Content-Length is empty.");
    if (text.len > LENGTH_DIGITS)
        return refuse(400, why, "Content-Length has more than 18 digits: no body is as large.");
    *out = n;
    return 0;
}

/* Whether one of the words of the Connection headers, separated by commas, is this one. */
static bool connection_says(const struct cg_http_head *head, const char *word)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct cg_http_header h = cg_http_header(head, i);
        struct cogent_str rest = h.value;
        while (cg_str_caseeq(h.name, "connection") && rest.len) {
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

/* How many headers expect 100-continue; -1: one of them expects something else. HTTP/1.0 cannot expect anything. */
static int count_expects(const struct cg_http_head *head)
{
    int n = 0;
    for (size_t i = 0; head->minor == 1 && i < head->n_headers; i++) {
        const struct cg_http_header h = cg_http_header(head, i);
        if (!cg_str_caseeq(h.name, "expect"))
            continue;
        if (!cg_str_caseeq(h.value, "100-continue"))
            return -1;
        n++;
    }
    return n;
}

static int read_framing(struct cg_http_head *head, const char **why)
{
    struct cogent_str host = cg_http_header_find(head, "host");
    struct cogent_str length = cg_http_header_find(head, "content-length");
    struct cogent_str coding = cg_http_header_find(head, "transfer-encoding");
    if (head->minor == 1 && !host.ptr)
        return refuse(400, why, "The Host header is missing.");
    if (host.ptr && !is_host(host))
        return refuse(400, why, "The Host header is not a host, or a host and its port.");
    if (head->authority.ptr && !is_host(head->authority))
        return refuse(400, why, "The request target's host is none.");
    if (head->authority.ptr && host.ptr &&
        (host.len != head->authority.len || strncasecmp(host.ptr, head->authority.ptr, host.len) != 0))
        return refuse(400, why, "The request target and the Host header name different hosts.");
    if (length.ptr && coding.ptr)
        return refuse(400, why, "Content-Length and Transfer-Encoding stand together.");
    if (length.ptr && read_length(length, &head->length, why) < 0)
        return -400;
    if (coding.ptr && (head->minor == 0 || !cg_str_caseeq(coding, "chunked")))
        return refuse(400, why, "The transfer coding is not chunked.");
    int expects = count_expects(head);
    if (expects < 0)
        return refuse(417, why, "Only 100-continue can be expected.");
    head->chunked = coding.ptr != NULL;
    head->expect = expects > 0;
    head->keep_alive = head->minor == 1
                           ? !connection_says(head, "close")
                           : connection_says(head, "keep-alive") && !connection_says(head, "close");
    return 0;
}

/* The lines of what is there. 1: the head is whole; 0: more is needed. */
static int read_lines(struct cogent_str bytes, size_t *at, struct cg_http_head *head, const char **why)
{
    struct cogent_str line = { NULL, 0 };
    for (bool first = true;; first = false) {
        int rc = next_line(bytes, at, &line);
        if (rc == -431)
            return first ? refuse(414, why, "The request line is longer than 8 KiB.")
                         : refuse(431, why, "A header is longer than 8 KiB.");
        if (rc == -400)
            return refuse(400, why, "A line does not end with CR LF, or holds NUL.");
        if (rc == 0)
            return 0;
        if (line.len == 0)
            return first ? refuse(400, why, "The request line is empty.") : 1;
        rc = first ? read_request_line(line, head, why) : read_header(line, head, why);
        if (rc < 0)
            return rc;
    }
}

int cg_http_head_read(struct cogent_str bytes, struct cg_http_head *head, const char **why)
{
    size_t at = 0;
    struct cogent_str all = bytes;
    *head = (struct cg_http_head){ .bytes = bytes.ptr, .length = -1 };
    bytes.len = all.len > CG_HTTP_HEAD_MAX ? CG_HTTP_HEAD_MAX : all.len;
    /* One empty line before the request is forgiven (RFC 9112 2.2). */
    if (bytes.len >= 2 && memcmp(bytes.ptr, "\r\n", 2) == 0)
        at = 2;
    int rc = read_lines(bytes, &at, head, why);
    if (rc == 0 && all.len > CG_HTTP_HEAD_MAX)
        return refuse(431, why, "The head is longer than 32 KiB.");
    if (rc > 0)
        rc = read_framing(head, why);
    else
        return rc;
    return rc < 0 ? rc : (int)at;
}

struct cogent_str cg_http_header_find(const struct cg_http_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct cg_http_header h = cg_http_header(head, i);
        if (cg_str_caseeq(h.name, name))
            return h.value;
    }
    return (struct cogent_str){ NULL, 0 };
}
