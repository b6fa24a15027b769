/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "amount.h"
#include "library.h"

#include "engine/base/clock.h"
#include "engine/base/utf8.h"

static const char type_name[] = "verdict";

static const struct cg_obligation obligations[] = {
    { "redact", CG_MERGE_UNION, false },  { "filter", CG_MERGE_UNION, false },
    { "hide", CG_MERGE_UNION, false },    { "require", CG_MERGE_UNION, false },
    { "cap", CG_MERGE_LOWEST, false },    { "steps", CG_MERGE_LOWEST, false },
    { "cost", CG_MERGE_LOWEST, false },   { "args", CG_MERGE_REWRITE, false },
    { "model", CG_MERGE_REWRITE, false }, { "expires", CG_MERGE_SOONEST, true },
    { "role", CG_MERGE_UNION, true },     { "user", CG_MERGE_UNION, true },
};

const struct cg_obligation *cg_obligation_find(const char *name)
{
    for (size_t i = 0; i < sizeof obligations / sizeof *obligations; i++)
        if (strcmp(obligations[i].name, name) == 0)
            return &obligations[i];
    return NULL;
}

/* --- constructors --- */

/* allow(), allow { cap = 5 }, deny "why", deny { reason = "why" } */
static int make(lua_State *L)
{
    int kind = (int)lua_tointeger(L, lua_upvalueindex(1));
    cg_box_charge(L, 2);
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
    } else if (lua_istable(L, 1)) {
        lua_pushvalue(L, 1);
    } else {
        if (!cg_push_word(L, 1))
            return luaL_argerror(L, 1, "a table or a reason");
        lua_createtable(L, 0, 1);
        lua_insert(L, -2);
        lua_setfield(L, -2, "reason");
    }
    int *p = lua_newuserdatauv(L, sizeof *p, 1);
    *p = kind;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, type_name);
    return 1;
}

void cg_helpers_verdict(lua_State *L)
{
    static const enum cg_verdict kinds[] = { CG_ALLOW, CG_ASK, CG_DENY, CG_DEFER };
    luaL_newmetatable(L, type_name);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        lua_pushinteger(L, kinds[i]);
        lua_pushcclosure(L, make, 1);
        lua_setfield(L, -2, cg_verdict_name(kinds[i]));
    }
}

bool cg_verdict_take(lua_State *L, int index, enum cg_verdict *kind, struct cg_take *take)
{
    const int *p = luaL_testudata(L, index, type_name);
    if (!p)
        return false;
    *kind = (enum cg_verdict) * p;
    lua_getiuservalue(L, index, 1);
    cg_value_take(L, -1, take);
    lua_pop(L, 1);
    return true;
}

/* --- obligations --- */

static bool is_amount(const json_t *value)
{
    struct cg_amount d;
    if (json_is_string(value))
        return cg_amount_parse(cogent_str(json_string_value(value)), &d);
    return json_is_number(value);
}

static bool lowest_fits(json_t *value)
{
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return is_amount(value);
    json_object_foreach (value, key, member)
        if (!is_amount(member))
            return false;
    return true;
}

static bool union_fits(const char *name, json_t *value)
{
    size_t i;
    json_t *item;
    if (strcmp(name, "filter") == 0)
        return true;
    json_array_foreach (value, i, item)
        if (!json_is_string(item))
            return false;
    return true;
}

static const char *problem(const struct cg_obligation *known, const char *name, json_t *value)
{
    switch (known->merge) {
    case CG_MERGE_UNION:
        if (json_array_size(value) > CG_OBLIGATION_ITEMS)
            return "is a list of at most 1000";
        return union_fits(name, value) ? NULL : "is a list of texts";
    case CG_MERGE_LOWEST:
        return lowest_fits(value) ? NULL : "is a number or a decimal text";
    case CG_MERGE_SOONEST:
        return json_is_string(value) && cg_duration_parse(cogent_str(json_string_value(value))) > 0
                   ? NULL
                   : "is a duration like \"24h\"";
    default:
        if (strcmp(name, "args") == 0)
            return json_is_object(value) ? NULL : "is a table of arguments";
        return json_is_string(value) ? NULL : "is a text";
    }
}

/* One line of valid UTF-8 that fits. */
static void copy_reason(const char *text, char *out, size_t size)
{
    struct cogent_str s = cogent_str(text);
    s.len = cg_utf8_cut(s, size - 1);
    cg_str_copy(out, size, s);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

/* A single text where a list belongs becomes one of one; an empty table an empty list; a filter's object an item. */
static void into_list(json_t *table, const char *name, json_t *value)
{
    if (json_is_array(value))
        return;
    bool empty = json_is_object(value) && json_object_size(value) == 0;
    json_t *list = json_array();
    if (!empty)
        json_array_append(list, value);
    json_object_set_new(table, name, list);
}

bool cg_obligations_check(enum cg_verdict kind, json_t *table, char *reason, size_t reason_size, char *why,
                          size_t size)
{
    const char *name, *verdict = cg_verdict_name(kind);
    json_t *value;
    void *next;
    reason[0] = '\0';
    if (json_is_array(table)) {
        snprintf(why, size, "%s: obligations have names", verdict);
        return false;
    }
    json_t *words = json_object_get(table, "reason");
    if (words) {
        if (!json_is_string(words)) {
            snprintf(why, size, "%s: reason is a text", verdict);
            return false;
        }
        copy_reason(json_string_value(words), reason, reason_size);
        json_object_del(table, "reason");
    }
    json_object_foreach_safe (table, next, name, value) {
        const struct cg_obligation *known = cg_obligation_find(name);
        if (!known) {
            snprintf(why, size, "%s: %.40s is no obligation", verdict, name);
            return false;
        }
        if (kind == CG_DENY || (known->ask_only && kind != CG_ASK)) {
            snprintf(why, size, "%s: %s has no place here", verdict, name);
            return false;
        }
        if (known->merge == CG_MERGE_UNION) {
            into_list(table, name, value);
            value = json_object_get(table, name);
        }
        const char *wrong = problem(known, name, value);
        if (wrong) {
            snprintf(why, size, "%s: %s %s", verdict, name, wrong);
            return false;
        }
    }
    return true;
}
