/* SPDX-License-Identifier: Apache-2.0
 * table.insert, remove, concat, sort and unpack: each charges what it moves. */
#include "library.h"

enum { UNPACK = 200 };

size_t cg_arg_list(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    if (lua_getmetatable(L, index)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
        bool is_list = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (!is_list)
            luaL_argerror(L, index, "this table is read-only");
    }
    size_t n = lua_rawlen(L, index);
    if (n > cg_box_of(L)->limits->items)
        luaL_argerror(L, index, "the list is too long");
    return n;
}

static int table_insert(lua_State *L)
{
    lua_Integer n = (lua_Integer)cg_arg_list(L, 1), at = n + 1;
    int args = lua_gettop(L);
    if (args != 2 && args != 3)
        return luaL_error(L, "table.insert: wrong number of arguments");
    if (args == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, at >= 1 && at <= n + 1, 2, "position out of bounds");
        cg_box_charge(L, (size_t)(n + 1 - at));
        for (lua_Integer i = n + 1; i > at; i--) {
            lua_rawgeti(L, 1, i - 1);
            lua_rawseti(L, 1, i);
        }
    }
    lua_pushvalue(L, args);
    lua_rawseti(L, 1, at);
    return 0;
}

static int table_remove(lua_State *L)
{
    lua_Integer n = (lua_Integer)cg_arg_list(L, 1);
    lua_Integer at = luaL_optinteger(L, 2, n);
    if (n == 0)
        return 0;
    luaL_argcheck(L, at >= 1 && at <= n + 1, 2, "position out of bounds");
    if (at > n)
        return 0;
    cg_box_charge(L, (size_t)(n - at));
    lua_rawgeti(L, 1, at);
    for (lua_Integer i = at; i < n; i++) {
        lua_rawgeti(L, 1, i + 1);
        lua_rawseti(L, 1, i);
    }
    lua_pushnil(L);
    lua_rawseti(L, 1, n);
    return 1;
}

void cg_push_joined(lua_State *L, int index, size_t n, struct cogent_str between)
{
    size_t max = cg_box_of(L)->limits->text;
    luaL_Buffer out;
    index = lua_absindex(L, index);
    luaL_buffinit(L, &out);
    for (size_t i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addlstring(&out, between.ptr, between.len);
        lua_rawgeti(L, index, (lua_Integer)i);
        if (!cg_push_word(L, -1))
            luaL_error(L, "item %d is a %s, not a text", (int)i, luaL_typename(L, -1));
        lua_remove(L, -2);
        cg_box_charge(L, 1 + (lua_rawlen(L, -1) + between.len) / 32);
        luaL_addvalue(&out);
        if (luaL_bufflen(&out) > max)
            luaL_error(L, "the joined text is longer than %d bytes", (int)max);
    }
    luaL_pushresult(&out);
}

static int table_concat(lua_State *L)
{
    size_t n = cg_arg_list(L, 1);
    struct cogent_str between = { "", 0 };
    if (!lua_isnoneornil(L, 2))
        between = cg_arg_text(L, 2);
    cg_push_joined(L, 1, n, between);
    return 1;
}

static int table_unpack(lua_State *L)
{
    lua_Integer n = (lua_Integer)cg_arg_list(L, 1);
    lua_Integer from = luaL_optinteger(L, 2, 1), to = luaL_optinteger(L, 3, n);
    if (from > to)
        return 0;
    if (from < 1 || to >= from + UNPACK || to > INT32_MAX)
        return luaL_error(L, "table.unpack: at most %d at once", UNPACK);
    luaL_checkstack(L, UNPACK, NULL);
    for (lua_Integer i = from; i <= to; i++)
        lua_rawgeti(L, 1, i);
    return (int)(to - from + 1);
}

/* Whether the value on top (b) goes before the one below (a); pops both. */
static bool before(lua_State *L, bool with_function)
{
    bool yes;
    if (with_function) {
        cg_box_charge(L, 2);
        lua_pushvalue(L, 2);
        lua_insert(L, -3);
        lua_insert(L, -2); /* fn b a: a stable sort asks whether b < a */
        lua_call(L, 2, 1);
        yes = lua_toboolean(L, -1);
        lua_pop(L, 1);
        return yes;
    }
    cg_box_charge(L, 2 + (lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1) / 16 : 0));
    yes = lua_compare(L, -1, -2, LUA_OPLT);
    lua_pop(L, 2);
    return yes;
}

/* Merges [from, mid) and [mid, to) of the list at `src` into the one at `dst`. 0-based. */
static void merge(lua_State *L, int src, int dst, size_t from, size_t mid, size_t to, bool with_function)
{
    size_t a = from, b = mid;
    for (size_t k = from; k < to; k++) {
        bool take_b = a >= mid;
        if (a < mid && b < to) {
            lua_rawgeti(L, src, (lua_Integer)a + 1);
            lua_rawgeti(L, src, (lua_Integer)b + 1);
            take_b = before(L, with_function);
        }
        lua_rawgeti(L, src, (lua_Integer)(take_b ? b++ : a++) + 1);
        lua_rawseti(L, dst, (lua_Integer)k + 1);
    }
}

/* Stable, and at home with a comparison that makes no sense. */
static int table_sort(lua_State *L)
{
    size_t n = cg_arg_list(L, 1);
    bool with_function = !lua_isnoneornil(L, 2);
    if (with_function)
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    cg_box_charge(L, n);
    lua_createtable(L, (int)n, 0);
    int src = 1, dst = 3;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            size_t mid = from + width < n ? from + width : n;
            size_t to = mid + width < n ? mid + width : n;
            merge(L, src, dst, from, mid, to, with_function);
        }
        int other = src;
        src = dst;
        dst = other;
    }
    for (size_t i = 1; src != 1 && i <= n; i++) {
        lua_rawgeti(L, src, (lua_Integer)i);
        lua_rawseti(L, 1, (lua_Integer)i);
    }
    return 0;
}

void cg_helpers_table(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "insert", table_insert }, { "remove", table_remove }, { "concat", table_concat },
        { "sort", table_sort },     { "unpack", table_unpack }, { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
