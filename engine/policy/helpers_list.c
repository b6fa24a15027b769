/* SPDX-License-Identifier: Apache-2.0
 * groups, join, sum: over lists. */
#include "library.h"

/* groups(list, n) -> a list of lists of at most n */
static int list_groups(lua_State *L)
{
    lua_Integer n = (lua_Integer)cg_arg_list(L, 1), size = luaL_checkinteger(L, 2);
    luaL_argcheck(L, size >= 1, 2, "at least 1");
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
    lua_setmetatable(L, -2);
    for (lua_Integer i = 0; i < n; i++) {
        cg_box_charge(L, 2);
        if (i % size == 0) {
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_rawseti(L, -3, i / size + 1);
        } else {
            lua_rawgeti(L, -1, i / size + 1);
        }
        lua_rawgeti(L, 1, i + 1);
        lua_rawseti(L, -2, i % size + 1);
        lua_pop(L, 1);
    }
    return 1;
}

/* What item i of the list at 1 gives by the function or member name at 2; the item itself when there is none. */
static void push_item(lua_State *L, lua_Integer i)
{
    cg_box_charge(L, 2);
    if (lua_isfunction(L, 2)) {
        lua_pushvalue(L, 2);
        lua_rawgeti(L, 1, i);
        lua_call(L, 1, 1);
        return;
    }
    lua_rawgeti(L, 1, i);
    if (lua_isnoneornil(L, 2))
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, "item %d is a %s, not a table", (int)i, luaL_typename(L, -1));
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

/* join(list, separator) or join(list, function, separator) */
static int list_join(lua_State *L)
{
    size_t n = cg_arg_list(L, 1);
    lua_settop(L, 3);
    if (!lua_isfunction(L, 2)) {
        lua_settop(L, 2);
        lua_pushnil(L);
        lua_insert(L, 2); /* list nil separator */
    }
    struct cogent_str between = { "", 0 };
    if (!lua_isnil(L, 3))
        between = cg_arg_text(L, 3);
    if (!lua_isfunction(L, 2)) {
        cg_push_joined(L, 1, n, between);
        return 1;
    }
    lua_createtable(L, (int)n, 0);
    for (size_t i = 1; i <= n; i++) {
        push_item(L, (lua_Integer)i);
        if (!cg_push_word(L, -1))
            return luaL_error(L, "join: item %d gave a %s, not a text", (int)i, luaL_typename(L, -1));
        lua_remove(L, -2);
        lua_rawseti(L, 4, (lua_Integer)i);
    }
    cg_push_joined(L, 4, n, between);
    return 1;
}

/* sum(list [, function or member name]): numbers, or money; a text counts as money. */
static int list_sum(lua_State *L)
{
    size_t n = cg_arg_list(L, 1);
    lua_settop(L, 2);
    if (n == 0) {
        lua_pushinteger(L, 0);
        return 1;
    }
    for (size_t i = 1; i <= n; i++) {
        push_item(L, (lua_Integer)i);
        if (lua_type(L, -1) == LUA_TSTRING) {
            cg_push_money(L, lua_tostring(L, -1));
            lua_remove(L, -2);
        }
        if (lua_type(L, -1) != LUA_TNUMBER && lua_type(L, -1) != LUA_TUSERDATA)
            return luaL_error(L, "sum: item %d is a %s", (int)i, luaL_typename(L, -1));
        if (i > 1)
            lua_arith(L, LUA_OPADD);
    }
    return 1;
}

void cg_helpers_list(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "groups", list_groups },
        { "join", list_join },
        { "sum", list_sum },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
