/* SPDX-License-Identifier: Apache-2.0
 * string.rep, format, byte and char with bounds. There are no Lua patterns: a pattern cannot be interrupted. */
#include "library.h"

#include <ctype.h>

enum { BYTES = 64 };

static int string_rep(lua_State *L)
{
    struct cogent_str text = cg_arg_text(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);
    size_t sep_len = 0, max = cg_box_of(L)->limits->text;
    const char *sep = luaL_optlstring(L, 3, "", &sep_len);
    size_t each = text.len + sep_len;
    luaL_Buffer out;
    if (n <= 0 || each == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((lua_Unsigned)n > max / each)
        return luaL_error(L, "string.rep: the result is longer than %d bytes", (int)max);
    cg_box_charge_bytes(L, each * (size_t)n);
    size_t size = each * (size_t)n;
    char *to = luaL_buffinitsize(L, &out, size);
    memcpy(to, sep, sep_len);
    memcpy(to + sep_len, text.ptr, text.len);
    for (size_t done = each; done < size; done *= 2)
        memcpy(to + done, to, done < size - done ? done : size - done);
    luaL_addsize(&out, size);
    luaL_pushresult(&out);
    if (sep_len) {
        /* It stands before each, so the first is cut off. */
        const char *whole = lua_tostring(L, -1);
        lua_pushlstring(L, whole + sep_len, size - sep_len);
    }
    return 1;
}

static int string_byte(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer from = luaL_optinteger(L, 2, 1);
    lua_Integer to = luaL_optinteger(L, 3, from), n = (lua_Integer)len;
    if (from < 0)
        from = from < -n ? 1 : n + from + 1;
    if (to < 0)
        to = to < -n ? 0 : n + to + 1;
    if (from < 1)
        from = 1;
    if (to > n)
        to = n;
    if (from > to)
        return 0;
    if (to - from >= BYTES)
        return luaL_error(L, "string.byte: at most %d at once", BYTES);
    luaL_checkstack(L, BYTES, NULL);
    for (lua_Integer i = from; i <= to; i++)
        lua_pushinteger(L, (unsigned char)text[i - 1]);
    return (int)(to - from + 1);
}

static int string_char(lua_State *L)
{
    char out[BYTES];
    int n = lua_gettop(L);
    if (n > BYTES)
        return luaL_error(L, "string.char: at most %d at once", BYTES);
    for (int i = 0; i < n; i++) {
        lua_Integer c = luaL_checkinteger(L, i + 1);
        luaL_argcheck(L, c >= 0 && c <= 255, i + 1, "0 to 255");
        out[i] = (char)c;
    }
    lua_pushlstring(L, out, (size_t)n);
    return 1;
}

/* A directive "%[-+ 0#][width][.precision]c": copied to `spec` with room for a length modifier. */
static const char *read_directive(lua_State *L, const char *at, const char *end, char spec[16])
{
    size_t n = 0, digits = 0;
    spec[n++] = '%';
    while (at < end && n < 4 && memchr("-+ 0#", *at, 5))
        spec[n++] = *at++;
    while (at < end && isdigit((unsigned char)*at) && digits++ < 2)
        spec[n++] = *at++;
    if (at < end && *at == '.') {
        spec[n++] = *at++;
        for (digits = 0; at < end && isdigit((unsigned char)*at) && digits < 2; digits++)
            spec[n++] = *at++;
    }
    if (at >= end || isdigit((unsigned char)*at))
        luaL_error(L, "string.format: a directive is not understood");
    spec[n] = '\0';
    return at;
}

/* The directive's conversion, checked, with `type` before it. spec is then a format that was built here. */
static void close_spec(char spec[16], const char *type, char conversion)
{
    size_t n = strlen(spec);
    n += (size_t)snprintf(spec + n, 16 - n, "%s%c", type, conversion);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_directive(lua_State *L, luaL_Buffer *out, char conversion, char spec[16], int arg)
{
    char text[512];
    struct cogent_str s;
    switch (conversion) {
    case 'd':
    case 'i':
    case 'x':
    case 'X':
        close_spec(spec, "ll", conversion);
        snprintf(text, sizeof text, spec, (long long)luaL_checkinteger(L, arg));
        luaL_addstring(out, text);
        break;
    case 'f':
    case 'e':
    case 'g':
        cg_box_charge(L, 40); /* hundreds of digits may have to be worked out */
        close_spec(spec, "", conversion);
        snprintf(text, sizeof text, spec, luaL_checknumber(L, arg));
        luaL_addstring(out, text);
        break;
    case 's':
        luaL_checkany(L, arg);
        cg_push_text(L, arg);
        s.ptr = lua_tolstring(L, -1, &s.len);
        if (spec[1] && s.len < 100) {
            close_spec(spec, "", 's');
            snprintf(text, sizeof text, spec, s.ptr);
            lua_pop(L, 1);
            luaL_addstring(out, text);
        } else {
            cg_box_charge_bytes(L, s.len);
            luaL_addvalue(out);
        }
        break;
    default:
        luaL_error(L, "string.format: %%%c is not understood; d i x X f e g s are", conversion);
    }
}
#pragma GCC diagnostic pop

static int string_format(lua_State *L)
{
    struct cogent_str format = cg_arg_text(L, 1);
    const char *at = format.ptr, *end = format.ptr + format.len;
    size_t max = cg_box_of(L)->limits->text;
    int arg = 1, args = lua_gettop(L);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    while (at < end) {
        char spec[16];
        if (*at != '%') {
            luaL_addchar(&out, *at++);
            continue;
        }
        if (++at < end && *at == '%') {
            luaL_addchar(&out, *at++);
            continue;
        }
        cg_box_charge(L, 4);
        at = read_directive(L, at, end, spec);
        if (++arg > args)
            return luaL_argerror(L, arg, "no value");
        add_directive(L, &out, *at++, spec, arg);
        if (luaL_bufflen(&out) > max)
            return luaL_error(L, "string.format: the result is longer than %d bytes", (int)max);
    }
    luaL_pushresult(&out);
    return 1;
}

void cg_helpers_string(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "rep", string_rep },       { "byte", string_byte }, { "char", string_char },
        { "format", string_format }, { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
