/* SPDX-License-Identifier: Apache-2.0 */
#include "mentions.h"

#include <ctype.h>

static struct cogent_str lines_of(struct cogent_str source, int first, int last)
{
    const char *at = source.ptr, *end = source.ptr + source.len, *begin = source.ptr;
    for (int line = 1; at < end && line <= last; line++) {
        if (line == first)
            begin = at;
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    return (struct cogent_str){ begin, (size_t)(at - begin) };
}

static size_t name_length(const char *at, const char *end)
{
    size_t n = 0;
    while (at + n < end && (isalnum((unsigned char)at[n]) || at[n] == '_'))
        n++;
    return n;
}

/* What follows the word `secret`: .NAME, or ["NAME"]. */
static struct cogent_str named(const char *at, const char *end)
{
    struct cogent_str none = { NULL, 0 };
    while (at < end && isspace((unsigned char)*at))
        at++;
    if (at < end && *at == '.')
        return (struct cogent_str){ at + 1, name_length(at + 1, end) };
    if (at + 1 >= end || *at != '[' || (at[1] != '"' && at[1] != '\''))
        return none;
    const char *close = memchr(at + 2, at[1], (size_t)(end - at - 2));
    return close ? (struct cogent_str){ at + 2, (size_t)(close - at - 2) } : none;
}

static bool holds(const json_t *names, struct cogent_str name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (cg_str_eq(name, json_string_value(json_array_get(names, i))))
            return true;
    return false;
}

json_t *cg_mentioned_secrets(lua_State *L, int index, struct cogent_str source)
{
    static const char word[] = "secret";
    lua_Debug where;
    json_t *names = NULL;
    lua_pushvalue(L, index);
    if (!source.ptr || !lua_getinfo(L, ">S", &where) || where.linedefined < 1)
        return NULL;
    struct cogent_str text = lines_of(source, where.linedefined, where.lastlinedefined);
    const char *end = text.ptr + text.len, *at = text.ptr;
    while ((at = memmem(at, (size_t)(end - at), word, sizeof word - 1))) {
        at += sizeof word - 1;
        struct cogent_str name = named(at, end);
        if (!name.len || holds(names, name))
            continue;
        if (!names)
            names = json_array();
        json_array_append_new(names, json_stringn(name.ptr, name.len));
    }
    return names;
}
