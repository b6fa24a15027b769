/* SPDX-License-Identifier: Apache-2.0 */
#include "lua_rules.h"

#include <cogent/error.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

struct lua_State *lua_rules_open(void)
{
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_newtable(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, "functions");
    lua_pushstring(lua, "");
    lua_setfield(lua, LUA_REGISTRYINDEX, "reply");
    return lua;
}

void lua_rules_close(struct lua_State *lua)
{
    lua_close(lua);
}

static json_t *to_json(lua_State *lua, int at);

static json_t *function(lua_State *lua, int at)
{
    char reference[32];
    lua_getfield(lua, LUA_REGISTRYINDEX, "functions");
    lua_Integer n = (lua_Integer)lua_rawlen(lua, -1) + 1;
    lua_pushvalue(lua, at);
    lua_rawseti(lua, -2, n);
    lua_pop(lua, 1);
    snprintf(reference, sizeof reference, "%lld", (long long)n);
    return json_pack("{s:s}", "$fn", reference);
}

static json_t *table(lua_State *lua, int at)
{
    lua_Integer n = (lua_Integer)lua_rawlen(lua, at);
    json_t *out = n ? json_array() : json_object();
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(lua, at, i);
        json_array_append_new(out, to_json(lua, lua_gettop(lua)));
        lua_pop(lua, 1);
    }
    if (n)
        return out;
    for (lua_pushnil(lua); lua_next(lua, at); lua_pop(lua, 1))
        json_object_set_new(out, lua_tostring(lua, -2), to_json(lua, lua_gettop(lua)));
    return out;
}

static json_t *to_json(lua_State *lua, int at)
{
    switch (lua_type(lua, at)) {
    case LUA_TTABLE:
        return table(lua, at);
    case LUA_TFUNCTION:
        return function(lua, at);
    case LUA_TSTRING:
        return json_string(lua_tostring(lua, at));
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(lua, at));
    case LUA_TNUMBER:
        return lua_isinteger(lua, at) ? json_integer(lua_tointeger(lua, at))
                                      : json_real(lua_tonumber(lua, at));
    default:
        return json_null();
    }
}

static void push(lua_State *lua, json_t *value)
{
    const char *key;
    size_t i;
    json_t *member;
    luaL_checkstack(lua, 8, NULL);
    if (json_is_object(value)) {
        lua_newtable(lua);
        json_object_foreach (value, key, member) {
            push(lua, member);
            lua_setfield(lua, -2, key);
        }
    } else if (json_is_array(value)) {
        lua_newtable(lua);
        json_array_foreach (value, i, member) {
            push(lua, member);
            lua_rawseti(lua, -2, (lua_Integer)i + 1);
        }
    } else if (json_is_string(value)) {
        lua_pushstring(lua, json_string_value(value));
    } else if (json_is_integer(value)) {
        lua_pushinteger(lua, json_integer_value(value));
    } else if (json_is_real(value)) {
        lua_pushnumber(lua, json_real_value(value));
    } else if (json_is_boolean(value)) {
        lua_pushboolean(lua, json_is_true(value));
    } else {
        lua_pushnil(lua);
    }
}

json_t *lua_rules_load(struct lua_State *lua, const char *path)
{
    json_t *out = NULL;
    if (luaL_dofile(lua, path) == LUA_OK)
        out = to_json(lua, lua_gettop(lua));
    else
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    lua_settop(lua, 0);
    return out;
}

int lua_rules_call(struct lua_State *lua, const char *reference, struct cogent_str args,
                   struct cogent_str *out)
{
    json_t *list = json_loadb(args.ptr, args.len, 0, NULL), *value;
    size_t i;
    lua_getfield(lua, LUA_REGISTRYINDEX, "functions");
    lua_rawgeti(lua, -1, strtoll(reference, NULL, 10));
    json_array_foreach (list, i, value)
        push(lua, value);
    int n = (int)json_array_size(list), err = COGENT_INTERNAL;
    json_decref(list);
    if (lua_pcall(lua, n, 1, 0) == LUA_OK) {
        json_t *reply = to_json(lua, lua_gettop(lua));
        char *text = json_dumps(reply, JSON_ENCODE_ANY | JSON_COMPACT);
        lua_pushstring(lua, text);
        free(text);
        json_decref(reply);
        err = 0;
    }
    *out = cogent_str(lua_tostring(lua, -1)); /* kept alive by the registry */
    lua_setfield(lua, LUA_REGISTRYINDEX, "reply");
    lua_settop(lua, 0);
    return err;
}
