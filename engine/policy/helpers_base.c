/* SPDX-License-Identifier: Apache-2.0
 * pcall that lets the end of a run through, tostring without addresses, tonumber, list, null, note. */
#include "library.h"

#include "engine/base/utf8.h"

#include <inttypes.h>

enum { NOTES = 4096 };

struct cogent_str cg_arg_text(lua_State *L, int index)
{
    struct cogent_str s;
    s.ptr = luaL_checklstring(L, index, &s.len);
    cg_box_charge_bytes(L, s.len);
    return s;
}

bool cg_push_word(lua_State *L, int index)
{
    char text[64];
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        lua_tolstring(L, -1, NULL);
        return true;
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        return true;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        return true;
    case LUA_TUSERDATA:
        if (cg_money_text(L, index, true, text, sizeof text) || cg_date_text(L, index, text, sizeof text)) {
            lua_pushstring(L, text);
            return true;
        }
        return false;
    default:
        return false;
    }
}

void cg_push_text(lua_State *L, int index)
{
    if (cg_push_word(L, index))
        return;
    if (lua_touserdata(L, index) == &cg_key_null)
        lua_pushliteral(L, "null");
    else
        lua_pushstring(L, luaL_typename(L, index));
}

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    cg_push_text(L, 1);
    return 1;
}

static int base_tonumber(lua_State *L)
{
    size_t len;
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TNUMBER) {
        lua_settop(L, 1);
        return 1;
    }
    const char *text = lua_tolstring(L, 1, &len);
    if (!text || len > 64 || !lua_stringtonumber(L, text))
        lua_pushnil(L);
    return 1;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
    if (status == LUA_OK)
        return lua_gettop(L);
    struct cg_box *box = cg_box_of(L);
    if (status == LUA_ERRMEM)
        cg_box_kill(L, CG_END_MEMORY);
    if (box->end > CG_END_ERROR)
        cg_box_kill(L, box->end);
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
}

static int base_list(lua_State *L)
{
    cg_arg_list(L, 1);
    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
    lua_setmetatable(L, 1);
    return 1;
}

static int base_note(lua_State *L)
{
    struct cg_box *box = cg_box_of(L);
    luaL_checkany(L, 1);
    cg_push_text(L, 1);
    struct cogent_str text = cg_arg_text(L, -1);
    if (!cg_utf8_valid(text))
        text = cogent_str("(not UTF-8)");
    text.len = cg_utf8_cut(text, 500);
    if (box->notes.len + text.len < NOTES) {
        if (box->notes.len)
            cg_buf_text(&box->notes, "; ");
        cg_buf_str(&box->notes, text);
    }
    return 0;
}

static int base_base64(lua_State *L)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct cogent_str in = cg_arg_text(L, 1);
    luaL_Buffer out;
    if (in.len > cg_box_of(L)->limits->text)
        return luaL_error(L, "base64: the text is too long");
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < in.len; i += 3) {
        unsigned have = in.len - i < 3 ? (unsigned)(in.len - i) : 3;
        unsigned long v = (unsigned long)(unsigned char)in.ptr[i] << 16;
        if (have > 1)
            v |= (unsigned long)(unsigned char)in.ptr[i + 1] << 8;
        if (have > 2)
            v |= (unsigned char)in.ptr[i + 2];
        luaL_addchar(&out, digits[v >> 18]);
        luaL_addchar(&out, digits[v >> 12 & 63]);
        luaL_addchar(&out, have > 1 ? digits[v >> 6 & 63] : '=');
        luaL_addchar(&out, have > 2 ? digits[v & 63] : '=');
    }
    luaL_pushresult(&out);
    return 1;
}

void cg_helpers_base(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "pcall", base_pcall }, { "tostring", base_tostring }, { "tonumber", base_tonumber },
        { "list", base_list },   { "note", base_note },         { "base64", base_base64 },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, &cg_key_null);
    lua_setfield(L, -2, "null");
}
