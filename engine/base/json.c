/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "utf8.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The largest that is still finite when it is written with 15 digits. */
#define REAL_MOST 1.79769313486231e308

void cg_json_unref_ptr(json_t **value)
{
    json_decref(*value);
}

/* What is seen of a text before jansson reads it. */
struct look {
    unsigned depth; /* levels at the deepest place */
    bool large; /* it may hold a number with an exponent or digits enough to be near the largest there is */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct look look_at(struct cogent_str text)
{
    struct look look = { 0 };
    unsigned depth = 0, digits = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        digits = is_digit(c) ? digits + 1 : 0;
        if (digits > DBL_MAX_10_EXP - 1 || ((c == 'e' || c == 'E') && i && is_digit(text.ptr[i - 1])))
            look.large = true;
        if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > look.depth)
                look.depth = depth;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return look;
}

/* With 15 digits such a number would be rounded up to one that nobody can read. */
static bool too_large(const json_t *value)
{
    const char *name;
    json_t *item;
    size_t i;
    bool found = json_is_real(value) && fabs(json_real_value(value)) > REAL_MOST;
    json_array_foreach (value, i, item)
        found = found || too_large(item);
    json_object_foreach ((json_t *)value, name, item)
        found = found || too_large(item);
    return found;
}

static json_t *read_text(struct cogent_str text, unsigned levels, struct cg_err *err)
{
    json_error_t why;
    const struct look look = look_at(text);
    if (look.depth > levels) { /* jansson's own limit is 2048: deep enough to hurt recursive readers */
        cg_err_set(err, COGENT_INVALID, "nested deeper than %u levels", levels);
        return NULL;
    }
    /* jansson takes a NUL for the end and looks no further. */
    const char *nul = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
    if (nul) {
        cg_err_set(err, COGENT_INVALID, "not valid JSON: a NUL byte, at byte %zu", (size_t)(nul - text.ptr));
        return NULL;
    }
    json_t *value =
        json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value) {
        /* jansson's words may quote the text; its code says enough. */
        enum json_error_code code = json_error_code(&why);
        const char *what = code == json_error_duplicate_key            ? "a key stands twice in one object"
                           : code == json_error_invalid_utf8           ? "a string is not valid UTF-8"
                           : code == json_error_premature_end_of_input ? "the text ends too early"
                           : code == json_error_numeric_overflow       ? "a number is too large"
                           : code == json_error_null_character         ? "a string holds U+0000"
                           : code == json_error_out_of_memory          ? "out of memory"
                                                                       : "a syntax error";
        cg_err_set(err, code == json_error_out_of_memory ? COGENT_NO_MEMORY : COGENT_INVALID,
                   "not valid JSON: %s, near byte %d", what, why.position);
    } else if (look.large && too_large(value)) {
        cg_err_set(err, COGENT_INVALID, "not valid JSON: a number is too large");
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *cg_json_parse(struct cogent_str text, struct cg_err *err)
{
    return read_text(text, CG_JSON_DEPTH, err);
}

json_t *cg_json_reread(struct cogent_str text)
{
    return read_text(text, 2 * CG_JSON_DEPTH, NULL);
}

size_t cg_json_values(struct cogent_str text)
{
    size_t n = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string)
            n += c == ',' || c == ':' || c == '[' || c == '{';
    }
    return n;
}

static int add_chunk(const char *data, size_t len, void *arg)
{
    cg_buf_add(arg, data, len);
    return 0;
}

enum { DUMP = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) };

void cg_json_add(struct cg_buf *out, const json_t *value)
{
    if (json_dump_callback(value, add_chunk, out, DUMP) != 0 && value)
        out->failed = true; /* half of it may stand there */
}

void cg_json_canonical(struct cg_buf *out, const json_t *value)
{
    if (json_dump_callback(value, add_chunk, out, DUMP | JSON_SORT_KEYS) != 0 && value)
        out->failed = true;
}

char *cg_json_text(const json_t *value)
{
    struct cg_buf out = { 0 };
    cg_json_add(&out, value);
    return cg_buf_steal(&out);
}

/* One reference token of a pointer, ~0 and ~1 undone. Returns what follows it, NULL when malformed or too long. */
static const char *next_token(const char *pointer, char *out, size_t size)
{
    size_t n = 0;
    if (*pointer++ != '/')
        return NULL;
    for (; *pointer && *pointer != '/'; pointer++) {
        char c = *pointer;
        if (c == '~') {
            pointer++;
            if (*pointer != '0' && *pointer != '1')
                return NULL;
            c = *pointer == '0' ? '~' : '/';
        }
        if (n + 1 >= size)
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return pointer;
}

static bool token_index(const char *token, size_t *out)
{
    char *end;
    if (token[0] < '0' || token[0] > '9' || (token[0] == '0' && token[1]))
        return false;
    unsigned long n = strtoul(token, &end, 10);
    *out = n;
    return *end == '\0';
}

json_t *cg_json_at(const json_t *value, const char *pointer)
{
    char token[128];
    const json_t *at = value;
    while (at && *pointer) {
        size_t i;
        pointer = next_token(pointer, token, sizeof token);
        if (!pointer)
            return NULL;
        if (json_is_array(at))
            at = token_index(token, &i) ? json_array_get(at, i) : NULL;
        else
            at = json_object_get(at, token);
    }
    return (json_t *)at;
}

const char *cg_json_str(const json_t *object, const char *key, const char *preset)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : preset;
}

int64_t cg_json_int(const json_t *object, const char *key, int64_t preset)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : preset;
}

bool cg_json_bool(const json_t *object, const char *key, bool preset)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : preset;
}

json_t *cg_json_strn(struct cogent_str s)
{
    return json_stringn(s.ptr ? s.ptr : "", s.len);
}

/* Readers over text. The text has been parsed once before, so they need not be strict, only bounded. */

static size_t skip_space(struct cogent_str t, size_t i)
{
    if (i > t.len)
        return t.len;
    while (i < t.len && (t.ptr[i] == ' ' || t.ptr[i] == '\t' || t.ptr[i] == '\n' || t.ptr[i] == '\r'))
        i++;
    return i;
}

static size_t skip_string(struct cogent_str t, size_t i)
{
    for (i++; i < t.len && t.ptr[i] != '"'; i++) {
        if (t.ptr[i] == '\\')
            i++;
    }
    return i < t.len ? i + 1 : t.len;
}

static size_t skip_value(struct cogent_str t, size_t i)
{
    unsigned depth = 0;
    do {
        i = skip_space(t, i);
        if (i >= t.len)
            return t.len;
        char c = t.ptr[i];
        if (c == '"') {
            i = skip_string(t, i);
        } else if (c == '{' || c == '[') {
            depth++;
            i++;
        } else if (c == '}' || c == ']') {
            if (depth)
                depth--;
            i++;
        } else if (c == ',' || c == ':') {
            i++;
        } else {
            do
                i++;
            while (i < t.len && !strchr(",:]} \t\r\n", t.ptr[i]));
        }
    } while (depth);
    return i;
}

static struct cogent_str slice(struct cogent_str t, size_t from, size_t to)
{
    struct cogent_str s = { t.ptr + from, from < to ? to - from : 0 };
    return s;
}

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v & 0xffff;
}

static size_t put_utf8(unsigned u, char out[4])
{
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 63));
        return 2;
    }
    if (u < 0x10000) {
        out[0] = (char)(0xe0 | u >> 12);
        out[1] = (char)(0x80 | (u >> 6 & 63));
        out[2] = (char)(0x80 | (u & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | u >> 18);
    out[1] = (char)(0x80 | (u >> 12 & 63));
    out[2] = (char)(0x80 | (u >> 6 & 63));
    out[3] = (char)(0x80 | (u & 63));
    return 4;
}

/* One escape of a string that begins behind the backslash at p. Returns bytes read. */
static size_t unescape(const char *p, size_t left, char out[4], size_t *n)
{
    static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
    *n = 0;
    if (left == 0)
        return 0;
    if (*p != 'u') {
        const char *at = strchr(from, *p);
        out[0] = at && *at ? to[at - from] : *p;
        *n = 1;
        return 1;
    }
    if (left < 5)
        return left;
    unsigned u = hex4(p + 1);
    size_t used = 5;
    if (u >= 0xd800 && u < 0xdc00 && left >= 11 && p[5] == '\\' && p[6] == 'u') {
        u = 0x10000 + ((u & 0x3ff) << 10) + (hex4(p + 7) & 0x3ff);
        used = 11;
    }
    *n = put_utf8(u, out);
    return used;
}

/* `quoted` with its quotes. Returns the length or COGENT_INVALID when it does not fit. */
static int unquote(struct cogent_str quoted, char *buf, size_t size)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < quoted.len;) {
        char tmp[4] = { quoted.ptr[i] };
        size_t got = 1, used = 1;
        if (quoted.ptr[i] == '\\')
            used = 1 + unescape(quoted.ptr + i + 1, quoted.len - i - 2, tmp, &got);
        if (n + got >= size)
            return COGENT_INVALID;
        memcpy(buf + n, tmp, got);
        n += got;
        i += used;
    }
    buf[n] = '\0';
    return (int)n;
}

typedef int (*each_fn)(void *arg, struct cogent_str key, struct cogent_str value);

static int each_in(struct cogent_str t, each_fn fn, void *arg)
{
    bool object = t.len && t.ptr[0] == '{';
    size_t i = skip_space(t, 1);
    while (i < t.len && t.ptr[i] != '}' && t.ptr[i] != ']') {
        struct cogent_str key = { "", 0 };
        if (object) {
            size_t end = skip_string(t, i);
            key = slice(t, i, end);
            i = skip_space(t, end);
            i = skip_space(t, i + 1); /* the colon */
        }
        size_t end = skip_value(t, i);
        int rc = fn(arg, key, slice(t, i, end));
        if (rc)
            return rc;
        i = skip_space(t, end);
        if (i < t.len && t.ptr[i] == ',')
            i = skip_space(t, i + 1);
    }
    return 0;
}

struct seek {
    const char *token;
    size_t index;
    bool by_index;
    size_t at;
    struct cogent_str found;
};

static int seek_one(void *arg, struct cogent_str key, struct cogent_str value)
{
    struct seek *s = arg;
    char name[128];
    bool hit = s->by_index ? s->at++ == s->index
                           : key.len && unquote(key, name, sizeof name) >= 0 && strcmp(name, s->token) == 0;
    if (hit)
        s->found = value;
    return hit;
}

int cg_read_raw(struct cogent_str json, const char *pointer, struct cogent_str *out)
{
    char token[128];
    size_t from = skip_space(json, 0);
    struct cogent_str at = slice(json, from, skip_value(json, from));
    while (*pointer) {
        pointer = next_token(pointer, token, sizeof token);
        if (!pointer || at.len == 0 || (at.ptr[0] != '{' && at.ptr[0] != '['))
            return COGENT_NOT_FOUND;
        struct seek s = { .token = token, .by_index = at.ptr[0] == '[' };
        if (s.by_index && !token_index(token, &s.index))
            return COGENT_NOT_FOUND;
        if (!each_in(at, seek_one, &s))
            return COGENT_NOT_FOUND;
        at = s.found;
    }
    if (at.len == 0 || cg_str_eq(at, "null"))
        return COGENT_NOT_FOUND;
    *out = at;
    return 0;
}

int cg_read_string(struct cogent_str json, const char *pointer, char *buf, size_t size)
{
    struct cogent_str raw;
    int rc = cg_read_raw(json, pointer, &raw);
    if (size)
        buf[0] = '\0';
    if (rc < 0)
        return rc;
    return raw.ptr[0] == '"' && size ? unquote(raw, buf, size) : COGENT_INVALID;
}

/* 6.0 and 1e2 are integers to a schema, so they are to a reader; doubles beyond 2^53 are not to be trusted. */
static bool whole_double(const char *text, int64_t *out)
{
    static const double most = 9007199254740992.0;
    char *end;
    double d = strtod(text, &end);
    if (end == text || *end || !(d >= -most && d <= most) || d != (double)(int64_t)d)
        return false;
    *out = (int64_t)d;
    return true;
}

int cg_read_integer(struct cogent_str json, const char *pointer, int64_t *out)
{
    struct cogent_str raw;
    char text[40], *end;
    int rc = cg_read_raw(json, pointer, &raw);
    if (rc < 0)
        return rc;
    bool number = raw.ptr[0] == '-' || (raw.ptr[0] >= '0' && raw.ptr[0] <= '9');
    if (!number || !cg_str_copy(text, sizeof text, raw))
        return COGENT_INVALID;
    if (strpbrk(text, ".eE"))
        return whole_double(text, out) ? 0 : COGENT_INVALID;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno == ERANGE)
        return COGENT_INVALID;
    *out = n;
    return 0;
}

int cg_read_decimal(struct cogent_str json, const char *pointer, char *buf, size_t size)
{
    struct cogent_str raw;
    int rc = cg_read_raw(json, pointer, &raw);
    if (size)
        buf[0] = '\0';
    if (rc < 0)
        return rc;
    if (raw.ptr[0] == '"')
        raw = slice(raw, 1, raw.len - 1);
    size_t digits = 0, dots = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (c == '.' && digits && i + 1 < raw.len)
            dots++;
        else if (c != '-' || i)
            return COGENT_INVALID;
    }
    return digits && dots <= 1 && size && cg_str_copy(buf, size, raw) ? (int)raw.len : COGENT_INVALID;
}

int cg_read_boolean(struct cogent_str json, const char *pointer, int *out)
{
    struct cogent_str raw;
    int rc = cg_read_raw(json, pointer, &raw);
    if (rc < 0)
        return rc;
    if (!cg_str_eq(raw, "true") && !cg_str_eq(raw, "false"))
        return COGENT_INVALID;
    *out = raw.ptr[0] == 't';
    return 0;
}

struct plain_keys {
    each_fn fn;
    void *arg;
};

/* Callers get the key as it stands between its quotes. */
static int without_quotes(void *arg, struct cogent_str key, struct cogent_str value)
{
    const struct plain_keys *k = arg;
    return k->fn(k->arg, key.len >= 2 ? slice(key, 1, key.len - 1) : key, value);
}

int cg_read_each(struct cogent_str json, const char *pointer, each_fn fn, void *arg)
{
    struct cogent_str raw;
    struct plain_keys k = { fn, arg };
    int rc = cg_read_raw(json, pointer, &raw);
    if (rc < 0)
        return rc;
    return raw.ptr[0] == '{' || raw.ptr[0] == '[' ? each_in(raw, without_quotes, &k) : COGENT_INVALID;
}
