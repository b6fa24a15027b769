/* SPDX-License-Identifier: Apache-2.0
 * find (plain), split, trim, starts, ends, glob, match: text first, always. */
#include "library.h"

#include "engine/base/match.h"
#include "engine/base/utf8.h"

#include <stdlib.h>

enum { SEARCH = 16 * 1024 };

/* The place of `what` in `text`, NULL when it is not there. In pieces: memmem may begin again at every byte. */
static const char *search(lua_State *L, struct cogent_str text, struct cogent_str what)
{
    if (what.len == 0)
        return text.ptr;
    while (text.len >= what.len) {
        size_t n = text.len - what.len < SEARCH ? text.len : SEARCH + what.len;
        const char *at = memmem(text.ptr, n, what.ptr, what.len);
        cg_box_charge(L, 1 + (at ? (size_t)(at - text.ptr) : n) / 32);
        if (at || n == text.len)
            return at;
        text.ptr += SEARCH + 1;
        text.len -= SEARCH + 1;
    }
    return NULL;
}

/* find(text, what [, from]) -> first, last, or nil */
static int text_find(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), what = cg_arg_text(L, 2);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    if (from < 1 || (lua_Unsigned)from > text.len + 1) {
        lua_pushnil(L);
        return 1;
    }
    struct cogent_str rest = { text.ptr + from - 1, text.len - (size_t)(from - 1) };
    const char *at = search(L, rest, what);
    if (!at) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - text.ptr + 1);
    lua_pushinteger(L, at - text.ptr + (lua_Integer)what.len);
    return 2;
}

/* split(text, separator [, most]) -> list */
static int text_split(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), sep = cg_arg_text(L, 2);
    lua_Integer most = luaL_optinteger(L, 3, (lua_Integer)cg_box_of(L)->limits->items);
    luaL_argcheck(L, sep.len > 0, 2, "an empty separator");
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
    lua_setmetatable(L, -2);
    for (lua_Integer n = 1;; n++) {
        const char *at = n < most ? search(L, text, sep) : NULL;
        if (!at && n < most && n >= (lua_Integer)cg_box_of(L)->limits->items)
            return luaL_error(L, "split: too many pieces");
        size_t len = at ? (size_t)(at - text.ptr) : text.len;
        cg_box_charge(L, 2);
        lua_pushlstring(L, text.ptr, len);
        lua_rawseti(L, -2, n);
        if (!at)
            return 1;
        text.ptr += len + sep.len;
        text.len -= len + sep.len;
    }
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int text_trim(lua_State *L)
{
    struct cogent_str s = cg_arg_text(L, 1);
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    lua_pushlstring(L, s.ptr, s.len);
    return 1;
}

static int text_starts(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), what = cg_arg_text(L, 2);
    lua_pushboolean(L, text.len >= what.len && memcmp(text.ptr, what.ptr, what.len) == 0);
    return 1;
}

static int text_ends(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), what = cg_arg_text(L, 2);
    lua_pushboolean(L, text.len >= what.len &&
                           memcmp(text.ptr + (text.len - what.len), what.ptr, what.len) == 0);
    return 1;
}

static size_t next_char(struct cogent_str s, size_t i)
{
    for (i++; i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80; i++) {
    }
    return i;
}

/* glob(text, pattern): * is any text, ? one character. */
static int text_glob(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), pattern = cg_arg_text(L, 2);
    size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;
    luaL_argcheck(L, pattern.len <= 1000, 2, "a pattern of more than 1000 bytes");
    for (unsigned work = 1; t < text.len; work++) {
        if (work % 64 == 0)
            cg_box_charge(L, 8);
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == '?') {
            t = next_char(text, t);
            p++;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            t++;
            p++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            break;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    lua_pushboolean(L, t == text.len && p == pattern.len);
    return 1;
}

/* --- match --- */

/* One item of a pattern may go through the whole text, and a class of hundreds through itself at every character. */
enum { TEXT_TIMES_PATTERN = 16 << 20 };

struct tick {
    struct cg_box *box;
    size_t price; /* an item may look at the whole text */
};

static bool tick(void *arg)
{
    struct tick *t = arg;
    return cg_box_spend(t->box, t->price);
}

/* The compiled pattern, from the box's few that are kept. */
static const struct cg_match *pattern_of(lua_State *L, struct cogent_str text)
{
    struct cg_box *box = cg_box_of(L);
    struct cg_err err = { 0 };
    for (unsigned i = 0; i < CG_BOX_PATTERNS; i++)
        if (box->pattern_texts[i] && cg_str_eq(text, box->pattern_texts[i]))
            return box->patterns[i];
    luaL_argcheck(L, text.len <= CG_MATCH_PATTERN, 2, "the pattern is too long");
    cg_box_charge(L, 100 + text.len * 8);
    unsigned slot = box->next_pattern++ % CG_BOX_PATTERNS;
    cg_match_destroy(box->patterns[slot]);
    free(box->pattern_texts[slot]);
    box->patterns[slot] = NULL;
    box->pattern_texts[slot] = NULL;
    if (cg_match_compile(text, CG_MATCH_PERL, &box->patterns[slot], &err))
        luaL_error(L, "match: %s", err.message);
    if (!memchr(text.ptr, '\0', text.len))
        box->pattern_texts[slot] = cg_str_dup(text);
    return box->patterns[slot];
}

/* match(text, pattern) -> the groups, or the whole when there are none; nil when nothing matches */
static int text_match(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1), groups[CG_MATCH_GROUPS];
    struct cg_box *box = cg_box_of(L);
    luaL_argcheck(L, text.len <= box->limits->text, 1, "the text is too long");
    struct cogent_str words = cg_arg_text(L, 2);
    luaL_argcheck(L, text.len * words.len <= TEXT_TIMES_PATTERN, 1,
                  "the text is too long for so long a pattern");
    const struct cg_match *pattern = pattern_of(L, words);
    struct tick t = { box, 1 + text.len / 1024 };
    int found = cg_match_run(pattern, text, tick, &t, groups);
    cg_box_charge(L, 1); /* raises when the tick ended it */
    if (found == COGENT_INVALID)
        return luaL_error(L, "match: the text is not UTF-8");
    if (found < 0)
        return luaL_error(L, "match: the pattern tries too much");
    if (found == 0) {
        lua_pushnil(L);
        return 1;
    }
    luaL_checkstack(L, CG_MATCH_GROUPS, NULL);
    for (int i = found > 1; i < found; i++) {
        if (groups[i].ptr)
            lua_pushlstring(L, groups[i].ptr, groups[i].len);
        else
            lua_pushnil(L);
    }
    return found > 1 ? found - 1 : 1;
}

void cg_helpers_text(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "find", text_find }, { "split", text_split }, { "trim", text_trim },   { "starts", text_starts },
        { "ends", text_ends }, { "glob", text_glob },   { "match", text_match }, { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
