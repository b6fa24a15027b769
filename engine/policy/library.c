/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <lualib.h>

char cg_key_globals, cg_key_list, cg_key_null, cg_key_user;

static int refuse_set(lua_State *L)
{
    return luaL_error(L, "this table is read-only");
}

void cg_library_frozen(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_set);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

/* Copies named members of the table on top into the one below it and pops it. */
static void allow(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        CG_REQUIRE(lua_isfunction(L, -1) || lua_isnumber(L, -1));
        lua_setfield(L, -3, *names);
    }
    lua_pop(L, 1);
}

static void open_base(lua_State *L)
{
    static const char *const base[] = {
        "assert", "error", "ipairs", "next", "pairs", "select", "type", NULL
    };
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    allow(L, base);
    cg_helpers_base(L);
    /* What luaopen_base put into the state's own globals must not be found by a chunk before it has its own. */
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

static void open_math(lua_State *L)
{
    static const char *const math[] = { "abs",  "ceil",       "floor", "fmod",       "huge", "log",
                                        "max",  "maxinteger", "min",   "mininteger", "modf", "pi",
                                        "sqrt", "tointeger",  "type",  "ult",        NULL };
    lua_newtable(L);
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    allow(L, math);
    cg_library_frozen(L);
    lua_setfield(L, -2, "math");
}

static void open_string(lua_State *L)
{
    static const char *const string[] = { "len", "lower", "reverse", "sub", "upper", NULL };
    lua_newtable(L);
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    allow(L, string);
    cg_helpers_string(L);

    lua_pushliteral(L, "");
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2); /* for all strings, in place of the library's own */
    lua_pop(L, 1);

    cg_library_frozen(L);
    lua_setfield(L, -2, "string");
}

static void open_table(lua_State *L)
{
    lua_newtable(L);
    cg_helpers_table(L);
    cg_library_frozen(L);
    lua_setfield(L, -2, "table");
}

static void keep_metatable(lua_State *L, void *key)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void cg_library_open(lua_State *L)
{
    keep_metatable(L, &cg_key_list);
    lua_newtable(L); /* the base */
    open_base(L);
    open_math(L);
    open_string(L);
    open_table(L);
    cg_helpers_text(L);
    cg_helpers_list(L);
    cg_helpers_money(L);
    cg_helpers_date(L);
    if (cg_box_of(L)->limits->tenant)
        cg_helpers_verdict(L);
    else
        cg_helpers_files(L);

    lua_createtable(L, 0, 2);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &cg_key_globals);
}
