/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "utf8.h"

#include <strings.h>

enum { LOOK_AT = 16 * 1024 };

static int begins(struct cogent_str text, size_t at, const char *what)
{
    size_t n = strlen(what);
    return text.len - at >= n && strncasecmp(text.ptr + at, what, n) == 0;
}

/* Where the program's own entrails begin: a reader has no use for them, and they tell of the inside. */
static size_t before_trace(struct cogent_str text)
{
    static const char *const marks[] = {
        "Traceback (most recent call last)", "\n  File \"", "\n\tat ", "\n    at ", "\nStack trace:", NULL
    };
    for (size_t i = 0; i < text.len; i++)
        for (const char *const *mark = marks; *mark; mark++)
            if (begins(text, i, *mark))
                return i;
    return text.len;
}

/* The length of the tag that begins at `at`, or 0 when the sign is just a sign ("2 < 3"). */
static size_t tag(struct cogent_str text, size_t at)
{
    if (at + 1 >= text.len)
        return 0;
    char c = text.ptr[at + 1];
    if (c != '/' && c != '!' && c != '?' && !((c | 32) >= 'a' && (c | 32) <= 'z'))
        return 0;
    const char *end = memchr(text.ptr + at, '>', text.len - at);
    return end ? (size_t)(end - text.ptr) - at + 1 : text.len - at;
}

void cp_words(struct cp_buf *out, struct cogent_str text, size_t max)
{
    size_t first = 0;
    size_t base = out->len;
    int gap = 0;
    while (first < text.len && (unsigned char)text.ptr[first] <= ' ')
        first++;
    if (begins(text, first, "<!doctype") || begins(text, first, "<html"))
        return;
    if (text.len > LOOK_AT)
        text.len = LOOK_AT;
    text.len = before_trace(text);
    for (size_t i = first; i < text.len;) {
        size_t n = text.ptr[i] == '<' ? tag(text, i) : 0;
        unsigned char c = (unsigned char)text.ptr[i];
        if (n || c <= ' ' || c == 0x7f) {
            gap = 1;
            i += n ? n : 1;
            continue;
        }
        n = cp_utf8_len(text.ptr + i, text.len - i);
        size_t need = (n ? n : 1) + (gap && out->len > base);
        if (out->len - base + need > max || out->failed)
            return;
        if (gap && out->len > base)
            cp_buf_byte(out, ' ');
        gap = 0;
        cp_buf_add(out, n ? text.ptr + i : "?", n ? n : 1);
        i += n ? n : 1;
    }
}

void cp_words_hide(struct cp_buf *words, const char *secret)
{
    size_t n = secret ? strlen(secret) : 0;
    if (n < 4 || !words->ptr) /* shorter ones would blacken ordinary words */
        return;
    struct cp_buf out = { 0 };
    const char *at = words->ptr;
    for (const char *hit; (hit = strstr(at, secret)); at = hit + n) {
        cp_buf_add(&out, at, (size_t)(hit - at));
        cp_buf_text(&out, "***");
    }
    cp_buf_text(&out, at);
    cp_buf_finish(words);
    *words = out;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

enum { NAME_MAX_LEN = 64 };

static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1];
    size_t n = strlen(b);
    if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t up = row[j];
            row[j] = least(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = up;
        }
    }
    return row[n];
}

const char *cp_near(const char *name, const char *const *names)
{
    const char *best = NULL;
    size_t limit = strlen(name) / 3 + 1;
    for (; *names; names++) {
        size_t d = distance(name, *names);
        if (d <= limit) {
            best = *names;
            limit = d ? d - 1 : 0;
            if (d == 0)
                break;
        }
    }
    return best;
}
