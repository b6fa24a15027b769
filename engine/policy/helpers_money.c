/* SPDX-License-Identifier: Apache-2.0
 * money: an exact decimal, with a currency or without. Without goes with any; two different ones are an error. */
#include "amount.h"
#include "library.h"

static const char type_name[] = "money";

struct money {
    struct cg_amount amount;
    char currency[4];
};

/* __int128 wants 16 bytes of alignment, which userdata has only by luck: values are copied in and out. */
static struct money load(const void *p)
{
    struct money m;
    memcpy(&m, p, sizeof m);
    return m;
}

static void push(lua_State *L, const struct money *m)
{
    memcpy(lua_newuserdatauv(L, sizeof *m, 0), m, sizeof *m);
    luaL_setmetatable(L, type_name);
}

static bool read_currency(struct cogent_str s, char out[4])
{
    if (s.len != 3)
        return false;
    for (int i = 0; i < 3; i++) {
        if (s.ptr[i] < 'A' || s.ptr[i] > 'Z')
            return false;
        out[i] = s.ptr[i];
    }
    out[3] = '\0';
    return true;
}

static bool read_text(struct cogent_str s, struct money *m)
{
    const char *space = s.len ? memchr(s.ptr, ' ', s.len) : NULL;
    if (space) {
        struct cogent_str currency = { space + 1, s.len - (size_t)(space + 1 - s.ptr) };
        if (!read_currency(currency, m->currency))
            return false;
        s.len = (size_t)(space - s.ptr);
    }
    return cg_amount_parse(s, &m->amount);
}

static bool read_number(lua_State *L, int index, struct cg_amount *out)
{
    if (lua_isinteger(L, index))
        return cg_amount_from_int(lua_tointeger(L, index), out);
    return cg_amount_from_double(lua_tonumber(L, index), out);
}

/* A money value, a number or a decimal text. */
static struct money check(lua_State *L, int index)
{
    struct money m = { 0 };
    struct cogent_str text;
    const void *p = luaL_testudata(L, index, type_name);
    bool ok = false;
    if (p)
        return load(p);
    if (lua_type(L, index) == LUA_TNUMBER) {
        ok = read_number(L, index, &m.amount);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        text.ptr = lua_tolstring(L, index, &text.len);
        ok = read_text(text, &m);
    } else {
        luaL_error(L, "money: a decimal text or a number is wanted, not a %s", luaL_typename(L, index));
    }
    if (!ok)
        luaL_error(L, "money: this is no decimal number of at most %d places", CG_AMOUNT_PLACES);
    return m;
}

static void same_currency(lua_State *L, struct money *a, const struct money *b)
{
    if (!a->currency[0])
        memcpy(a->currency, b->currency, sizeof a->currency);
    else if (b->currency[0] && strcmp(a->currency, b->currency) != 0)
        luaL_error(L, "money: %s and %s do not go together", a->currency, b->currency);
}

static int money_new(lua_State *L)
{
    cg_box_charge(L, 2);
    luaL_checkany(L, 1);
    struct money m = check(L, 1);
    if (!lua_isnoneornil(L, 2)) {
        struct money wanted = { 0 };
        if (!read_currency(cg_arg_text(L, 2), wanted.currency))
            return luaL_error(L, "money: a currency is three capital letters");
        same_currency(L, &m, &wanted);
    }
    push(L, &m);
    return 1;
}

static int result(lua_State *L, struct money *m, bool ok)
{
    if (!ok)
        return luaL_error(L, "money: the result does not fit, or a division by zero");
    push(L, m);
    return 1;
}

static int money_add(lua_State *L)
{
    cg_box_charge(L, 2);
    struct money a = check(L, 1), b = check(L, 2);
    same_currency(L, &a, &b);
    return result(L, &a, cg_amount_add(a.amount, b.amount, &a.amount));
}

static int money_sub(lua_State *L)
{
    cg_box_charge(L, 2);
    struct money a = check(L, 1), b = check(L, 2);
    same_currency(L, &a, &b);
    return result(L, &a, cg_amount_sub(a.amount, b.amount, &a.amount));
}

static int money_mul(lua_State *L)
{
    cg_box_charge(L, 2);
    if (luaL_testudata(L, 1, type_name) && luaL_testudata(L, 2, type_name))
        return luaL_error(L, "money: money times money has no meaning");
    struct money a = check(L, 1), b = check(L, 2);
    same_currency(L, &a, &b);
    return result(L, &a, cg_amount_mul(a.amount, b.amount, &a.amount));
}

/* money / number is money; money / money is a number. */
static int money_div(lua_State *L)
{
    cg_box_charge(L, 2);
    struct money a = check(L, 1), b = check(L, 2);
    if (!luaL_testudata(L, 1, type_name))
        return luaL_error(L, "money: a number divided by money has no meaning");
    if (!luaL_testudata(L, 2, type_name))
        return result(L, &a, cg_amount_div(a.amount, b.amount, &a.amount));
    same_currency(L, &a, &b);
    if (b.amount.units == 0)
        return luaL_error(L, "money: a division by zero");
    lua_pushnumber(L, cg_amount_double(a.amount) / cg_amount_double(b.amount));
    return 1;
}

static int money_negate(lua_State *L)
{
    struct money a = check(L, 1);
    a.amount.units = -a.amount.units;
    push(L, &a);
    return 1;
}

static int compare(lua_State *L)
{
    cg_box_charge(L, 2);
    struct money a = check(L, 1), b = check(L, 2);
    same_currency(L, &a, &b);
    return cg_amount_compare(a.amount, b.amount);
}

static int money_eq(lua_State *L)
{
    if (!luaL_testudata(L, 1, type_name) || !luaL_testudata(L, 2, type_name))
        lua_pushboolean(L, false);
    else
        lua_pushboolean(L, compare(L) == 0);
    return 1;
}

static int money_lt(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int money_le(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static int money_concat(lua_State *L)
{
    cg_push_text(L, 1);
    cg_push_text(L, 2);
    lua_concat(L, 2);
    return 1;
}

static int money_round(lua_State *L)
{
    struct money a = load(luaL_checkudata(L, 1, type_name));
    lua_Integer places = luaL_optinteger(L, 2, 2);
    bool ok = places >= 0 && places <= CG_AMOUNT_PLACES;
    return result(L, &a, ok && cg_amount_round(a.amount, (int)places, &a.amount));
}

/* m.amount (text), m.currency (text or nil), m:round(places) */
static int money_index(lua_State *L)
{
    struct money m = load(luaL_checkudata(L, 1, type_name));
    char text[CG_AMOUNT_SIZE];
    const char *key = luaL_checkstring(L, 2);
    if (strcmp(key, "amount") == 0)
        lua_pushstring(L, cg_amount_format(m.amount, text));
    else if (strcmp(key, "currency") == 0 && m.currency[0])
        lua_pushstring(L, m.currency);
    else if (strcmp(key, "round") == 0)
        lua_pushcfunction(L, money_round);
    else
        lua_pushnil(L);
    return 1;
}

bool cg_money_text(lua_State *L, int index, bool currency, char *out, size_t size)
{
    char text[CG_AMOUNT_SIZE];
    const void *p = luaL_testudata(L, index, type_name);
    if (!p)
        return false;
    struct money m = load(p);
    cg_amount_format(m.amount, text);
    snprintf(out, size, "%s%s%s", text, currency && m.currency[0] ? " " : "", currency ? m.currency : "");
    return true;
}

void cg_push_money(lua_State *L, const char *text)
{
    struct money m = { 0 };
    if (!read_text(cogent_str(text), &m))
        luaL_error(L, "this is no decimal number");
    push(L, &m);
}

static int money_tostring(lua_State *L)
{
    cg_push_text(L, 1);
    return 1;
}

void cg_helpers_money(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__add", money_add },
        { "__sub", money_sub },
        { "__mul", money_mul },
        { "__div", money_div },
        { "__unm", money_negate },
        { "__eq", money_eq },
        { "__lt", money_lt },
        { "__le", money_le },
        { "__concat", money_concat },
        { "__index", money_index },
        { "__tostring", money_tostring },
        { NULL, NULL },
    };
    luaL_newmetatable(L, type_name);
    luaL_setfuncs(L, meta, 0);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, money_new);
    lua_setfield(L, -2, "money");
}
