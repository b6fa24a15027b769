/* SPDX-License-Identifier: Apache-2.0
 * Answers from a text with {paths}: the first scope that holds the path gives the value. A value is data: braces in it
 * stay braces.
 */
#include "rules.h"

#include "common/json.h"

#include <stdlib.h>

static json_t *walk(json_t *value, const char *path)
{
    while (value && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        if (!n || n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        if (json_is_array(value))
            value = strspn(key, "0123456789") == n ? json_array_get(value, strtoul(key, NULL, 10)) : NULL;
        else
            value = json_object_get(value, key);
        path += n + (path[n] == '.');
    }
    return json_is_null(value) ? NULL : value;
}

json_t *template_value(const struct scope *scope, const char *path)
{
    for (size_t i = 0; i < scope->n; i++) {
        json_t *value = walk(scope->values[i], path);
        if (value)
            return value;
    }
    return NULL;
}

static void value_out(struct cp_buf *out, const struct scope *scope, const char *path)
{
    if (strcmp(path, "cite") == 0) {
        if (scope->cite)
            cp_buf_format(out, "[%u]", scope->cite);
        return;
    }
    json_t *value = template_value(scope, path);
    json_t *words = json_object_get(value, "words"); /* a period */
    if (!value) /* an optional slot that is empty says nothing; so does a field that the service left out */
        return;
    cp_json_text(out, words ? words : value);
}

void template_render(struct cp_buf *out, const char *text, const struct scope *scope)
{
    while (*text) {
        size_t plain = strcspn(text, "{");
        cp_buf_add(out, text, plain);
        text += plain;
        size_t n = *text ? strcspn(text + 1, "{} ") : 0;
        char path[128];
        if (*text && text[n + 1] == '}' && n && n < sizeof path) {
            memcpy(path, text + 1, n);
            path[n] = '\0';
            value_out(out, scope, path);
            text += n + 2;
        } else if (*text) {
            cp_buf_byte(out, *text++);
        }
    }
}

/* What an empty value leaves behind: two blanks, or one before a full stop. */
void template_tidy(struct cp_buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < out->len; i++) {
        char c = out->ptr[i], last = n ? out->ptr[n - 1] : '\n';
        if (c == ' ' && (last == ' ' || last == '\n'))
            continue;
        int ends = i + 1 >= out->len || out->ptr[i + 1] == ' ' || out->ptr[i + 1] == '\n';
        if (strchr(".,:;?!\n", c) && last == ' ' && (c == '\n' || ends))
            n--;
        out->ptr[n++] = c;
    }
    while (n && out->ptr[n - 1] == ' ')
        n--;
    if (out->ptr) {
        out->ptr[n] = '\0';
        out->len = n;
    }
}
