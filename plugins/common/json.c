/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

json_t *cp_json_load(struct cogent_str text)
{
    return json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

/* --- numbers that would not survive --- */

enum { DOUBLE_DIGITS = 15 };

/* Whether the number text[0..n) is more than a double or 64 bits hold. */
static int loses(const char *text, size_t n)
{
    char copy[32];
    size_t digits = 0;
    int real = 0;
    for (size_t i = 0; i < n && (text[i] | 32) != 'e'; i++) {
        real |= text[i] == '.';
        digits += (text[i] > '0' && text[i] <= '9') || (text[i] == '0' && digits);
    }
    if (real || memchr(text, 'e', n) || memchr(text, 'E', n))
        return digits > DOUBLE_DIGITS;
    if (n < 19 || n >= sizeof copy)
        return n >= sizeof copy;
    memcpy(copy, text, n);
    copy[n] = '\0';
    errno = 0;
    strtoll(copy, NULL, 10);
    return errno == ERANGE;
}

static size_t string_length(struct cogent_str text, size_t at)
{
    size_t n = 1;
    while (at + n < text.len && text.ptr[at + n] != '"')
        n += text.ptr[at + n] == '\\' ? 2 : 1;
    n++;
    return at + n < text.len ? n : text.len - at;
}

static size_t number_length(struct cogent_str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] && strchr("+-.0123456789eE", text.ptr[at + n]))
        n++;
    return n;
}

/* The text with such numbers in quotes; 0 when there are none. */
static int quote_long(struct cogent_str text, struct cp_buf *out)
{
    size_t kept = 0, n;
    for (size_t i = 0; i < text.len; i += n) {
        char c = text.ptr[i];
        n = c == '"'                             ? string_length(text, i)
            : c == '-' || (c >= '0' && c <= '9') ? number_length(text, i)
                                                 : 1;
        if (c == '"' || n <= DOUBLE_DIGITS || !loses(text.ptr + i, n))
            continue;
        cp_buf_add(out, text.ptr + kept, i - kept);
        cp_buf_byte(out, '"');
        cp_buf_add(out, text.ptr + i, n);
        cp_buf_byte(out, '"');
        kept = i + n;
    }
    if (kept)
        cp_buf_add(out, text.ptr + kept, text.len - kept);
    return kept > 0;
}

json_t *cp_json_load_exact(struct cogent_str text)
{
    struct cp_buf quoted = { .secret = 1 }; /* a login's answer comes this way, too */
    json_t *value = !quote_long(text, &quoted) ? cp_json_load(text)
                    : quoted.failed            ? NULL
                                               : cp_json_load(cp_buf_peek(&quoted));
    cp_buf_finish(&quoted);
    return value;
}

/* --- credentials --- */

void cp_json_drop(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    void *next;
    if (!value || value->refcount != 1) {
        json_decref(value);
        return;
    }
    if (json_is_string(value))
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_array_foreach (value, i, member) {
        json_incref(member);
        json_array_set_new(value, i, json_null());
        cp_json_drop(member);
    }
    json_object_foreach_safe (value, next, key, member) {
        json_incref(member);
        json_object_set_new(value, key, json_null());
        cp_json_drop(member);
    }
    json_decref(value);
}

void cp_json_quote(struct cp_buf *out, struct cogent_str text)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    cp_buf_byte(out, '"');
    size_t begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        cp_buf_add(out, text.ptr + begin, i - begin);
        begin = i + 1;
        const char *plain = c ? strchr(from, c) : NULL;
        if (plain)
            cp_buf_format(out, "\\%c", to[plain - from]);
        else
            cp_buf_format(out, "\\u%04x", c);
    }
    if (begin < text.len)
        cp_buf_add(out, text.ptr + begin, text.len - begin);
    cp_buf_byte(out, '"');
}

void cp_json_real(struct cp_buf *out, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *comma = strchr(text, ',');
    if (comma)
        *comma = '.'; /* a process with a German locale */
    cp_buf_text(out, text);
}

static void write_object(struct cp_buf *out, json_t *value)
{
    const char *key;
    json_t *member;
    const char *sep = "{";
    json_object_foreach (value, key, member) {
        cp_buf_text(out, sep);
        cp_json_quote(out, cogent_str(key));
        cp_buf_byte(out, ':');
        cp_json_write(out, member);
        sep = ",";
    }
    cp_buf_text(out, *sep == '{' ? "{}" : "}");
}

static void write_array(struct cp_buf *out, json_t *value)
{
    size_t i;
    json_t *element;
    cp_buf_byte(out, '[');
    json_array_foreach (value, i, element) {
        if (i)
            cp_buf_byte(out, ',');
        cp_json_write(out, element);
    }
    cp_buf_byte(out, ']');
}

void cp_json_write(struct cp_buf *out, json_t *value)
{
    if (json_is_object(value))
        write_object(out, value);
    else if (json_is_array(value))
        write_array(out, value);
    else if (json_is_string(value))
        cp_json_quote(out, (struct cogent_str){ json_string_value(value), json_string_length(value) });
    else if (json_is_integer(value))
        cp_buf_format(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        cp_json_real(out, json_real_value(value));
    else
        cp_buf_text(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}

void cp_json_text(struct cp_buf *out, json_t *value)
{
    if (json_is_string(value))
        cp_buf_add(out, json_string_value(value), json_string_length(value));
    else
        cp_json_write(out, value);
}

/* One reference token, unescaped, into key; past it. NULL when it does not fit or is wrongly escaped. */
static const char *token(const char *at, char *key, size_t size)
{
    size_t n = 0;
    for (; *at && *at != '/'; at++) {
        char c = *at;
        if (c == '~') {
            at++;
            if (*at != '0' && *at != '1')
                return NULL;
            c = *at == '0' ? '~' : '/';
        }
        if (n + 1 >= size)
            return NULL;
        key[n++] = c;
    }
    key[n] = '\0';
    return at;
}

static json_t *element(json_t *array, const char *key)
{
    char *end;
    if (*key < '0' || *key > '9' || (*key == '0' && key[1]))
        return NULL;
    unsigned long i = strtoul(key, &end, 10);
    return *end ? NULL : json_array_get(array, i);
}

json_t *cp_json_at(json_t *value, const char *pointer)
{
    char key[256];
    while (value && *pointer == '/') {
        pointer = token(pointer + 1, key, sizeof key);
        if (!pointer)
            return NULL;
        value = json_is_array(value) ? element(value, key) : json_object_get(value, key);
    }
    return *pointer || json_is_null(value) ? NULL : value;
}

int cp_pointer_valid(const char *pointer)
{
    char key[256];
    while (*pointer == '/') {
        pointer = token(pointer + 1, key, sizeof key);
        if (!pointer)
            return 0;
    }
    return *pointer == '\0';
}
