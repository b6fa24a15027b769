/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include "library.h"
#include "mentions.h"

#include <math.h>

static char key_functions; /* registry: reference -> function */

/* --- JSON to Lua --- */

static void push_value(lua_State *L, const json_t *value, int depth)
{
    const char *key;
    const json_t *member;
    void *at;
    if (depth > CG_JSON_DEPTH)
        luaL_error(L, "a value is nested deeper than %d levels", CG_JSON_DEPTH);
    luaL_checkstack(L, 6, NULL);
    cg_box_charge(L, 1);
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
        lua_pushlightuserdata(L, &cg_key_null);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(value));
        break;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(value));
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_array_size(value), 0);
        for (size_t i = 0; i < json_array_size(value); i++) {
            push_value(L, json_array_get(value, i), depth + 1);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
        lua_setmetatable(L, -2);
        break;
    case JSON_OBJECT:
        lua_createtable(L, 0, (int)json_object_size(value));
        /* jansson's iterators want a non-const object and leave it alone. */
        for (at = json_object_iter((json_t *)value); at; at = json_object_iter_next((json_t *)value, at)) {
            key = json_object_iter_key(at);
            member = json_object_iter_value(at);
            lua_pushstring(L, key);
            push_value(L, member, depth + 1);
            lua_rawset(L, -3);
        }
        break;
    }
}

void cg_value_push(lua_State *L, const json_t *value)
{
    push_value(L, value, 1);
}

/* --- Lua to JSON --- */

static void fail(lua_State *L, const struct cg_take *take, const char *what)
{
    luaL_error(L, "%s: %s%s%s", take->what, take->path, take->path[0] ? ": " : "", what);
}

static void use(lua_State *L, struct cg_take *take, size_t bytes)
{
    cg_box_charge(L, 1 + bytes / 32);
    if (bytes + 2 > take->left)
        fail(L, take, "the value is too large");
    take->left -= bytes + 2;
}

static bool is_list(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_list);
    bool yes = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return yes;
}

/* A table is an array when its keys are 1..n and no others, n > 0, or when it is marked. In a data file a table of
 * items and names, or with numbers for names ([409] = "conflict"), is an object whose numbers are spelled out; what a
 * script returns must be one or the other. */
static bool is_array(lua_State *L, int index, struct cg_take *take, size_t *n)
{
    size_t members = 0, items = 0;
    bool marked = is_list(L, index);
    *n = lua_rawlen(L, index);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        cg_box_charge(L, 1);
        bool item = lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && (size_t)lua_tointeger(L, -1) <= *n;
        if (item)
            items++;
        else if (lua_type(L, -1) != LUA_TSTRING && !(take->prefix && lua_isinteger(L, -1)))
            fail(L, take, lua_isinteger(L, -1) ? "a list with a gap" : "a key that is no text");
        else
            members++;
    }
    if (members && (marked || (items && !take->prefix)))
        fail(L, take, "list items and names stand in one table");
    if (members && items)
        return false;
    if (items != *n)
        fail(L, take, "a list with a gap");
    return marked || items;
}

static json_t *number(lua_State *L, int index, struct cg_take *take)
{
    if (lua_isinteger(L, index))
        return json_integer(lua_tointeger(L, index));
    double d = lua_tonumber(L, index);
    if (!isfinite(d))
        fail(L, take, "not a finite number");
    return json_real(d);
}

static json_t *text(lua_State *L, int index, struct cg_take *take)
{
    size_t len;
    const char *s = lua_tolstring(L, index, &len);
    use(L, take, len);
    json_t *out = json_stringn(s, len);
    if (!out)
        fail(L, take, "a text that is not UTF-8");
    else if (memchr(s, '\0', len)) {
        json_decref(out);
        fail(L, take, "a text that holds a NUL");
    }
    return out;
}

static json_t *function(lua_State *L, int index, struct cg_take *take)
{
    if (!take->prefix)
        fail(L, take, "a function has no place here");
    if (lua_iscfunction(L, index))
        fail(L, take, "a helper has no place here; wrap it in a function");
    if (strlen(take->reference) + 1 >= sizeof take->reference)
        fail(L, take, "a function whose path is too long");
    use(L, take, strlen(take->reference) + 8);
    if (take->keep) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &key_functions);
        if (!lua_istable(L, -1)) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &key_functions);
        }
        lua_pushvalue(L, index);
        lua_setfield(L, -2, take->reference);
        lua_pop(L, 1);
    }
    return json_pack("{s:s, s:o*}", "$fn", take->reference, "secrets",
                     cg_mentioned_secrets(L, index, take->source));
}

static json_t *scalar(lua_State *L, int index, struct cg_take *take)
{
    char word[64];
    use(L, take, 4);
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return number(L, index, take);
    case LUA_TSTRING:
        return text(L, index, take);
    case LUA_TFUNCTION:
        return function(L, index, take);
    case LUA_TLIGHTUSERDATA:
        return json_null();
    default:
        if (cg_money_text(L, index, false, word, sizeof word) || cg_date_text(L, index, word, sizeof word))
            return json_string(word);
        snprintf(word, sizeof word, "a %s has no place here", luaL_typename(L, index));
        fail(L, take, word);
        return NULL;
    }
}

/* Extends the path and the reference by a name or a number; gives back what to cut them to. */
struct mark {
    size_t path, reference;
};

static struct mark step_into(struct cg_take *take, const char *key, size_t i)
{
    struct mark mark = { strlen(take->path), strlen(take->reference) };
    char *path = take->path + mark.path, *reference = take->reference + mark.reference;
    size_t path_left = sizeof take->path - mark.path,
           reference_left = sizeof take->reference - mark.reference;
    if (key) {
        snprintf(path, path_left, "%s%s", mark.path ? "." : "", key);
        snprintf(reference, reference_left, "/%s", key);
    } else {
        snprintf(path, path_left, "[%zu]", i + 1);
        snprintf(reference, reference_left, "/%zu", i);
    }
    return mark;
}

static void step_out(struct cg_take *take, struct mark mark)
{
    take->path[mark.path] = '\0';
    take->reference[mark.reference] = '\0';
}

static void take_value(lua_State *L, int index, struct cg_take *take, json_t **slot, json_t *parent,
                       int depth);

static void take_table(lua_State *L, int index, struct cg_take *take, json_t **slot, json_t *parent,
                       int depth)
{
    size_t n;
    bool array = is_array(L, index, take, &n);
    use(L, take, 2); /* may raise: before there is anything to lose */
    json_t *value = array ? json_array() : json_object();
    if (parent)
        json_array_append_new(parent, value); /* only a carrier: see take_value */
    else
        *slot = value;
    for (size_t i = 0; array && i < n; i++) {
        struct mark mark = step_into(take, NULL, i);
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        take_value(L, lua_gettop(L), take, NULL, value, depth + 1);
        lua_pop(L, 1);
        step_out(take, mark);
    }
    if (array)
        return;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        char digits[24];
        bool named = lua_type(L, -2) == LUA_TSTRING;
        if (!named)
            snprintf(digits, sizeof digits, "%lld", (long long)lua_tointeger(L, -2));
        const char *key = named ? lua_tostring(L, -2) : digits;
        struct mark mark = step_into(take, key, 0);
        use(L, take, strlen(key));
        if (named && strlen(key) != lua_rawlen(L, -2))
            fail(L, take, "a name that holds a NUL");
        json_t *carrier = json_array();
        if (json_object_set_new(value, key, carrier))
            fail(L, take, "a name that is not UTF-8");
        take_value(L, lua_gettop(L), take, NULL, carrier, depth + 1);
        json_object_set(value, key, json_array_get(carrier, 0));
        lua_pop(L, 1);
        step_out(take, mark);
    }
}

/* The value goes to *slot, or is appended to `parent`: at once, so that nothing is lost when something raises. */
static void take_value(lua_State *L, int index, struct cg_take *take, json_t **slot, json_t *parent,
                       int depth)
{
    luaL_checkstack(L, 8, NULL);
    if (depth > CG_JSON_DEPTH)
        fail(L, take, "nested too deep");
    if (lua_istable(L, index)) {
        take_table(L, index, take, slot, parent, depth);
        return;
    }
    json_t *value = scalar(L, index, take);
    if (parent)
        json_array_append_new(parent, value);
    else
        *slot = value;
}

void cg_value_take(lua_State *L, int index, struct cg_take *take)
{
    index = lua_absindex(L, index);
    take->root = NULL;
    take->left = cg_box_of(L)->limits->output;
    take->path[0] = '\0';
    snprintf(take->reference, sizeof take->reference, "%s", take->prefix ? take->prefix : "");
    if (!lua_isnil(L, index))
        take_value(L, index, take, &take->root, NULL, 1);
}

/* --- functions that stay behind --- */

bool cg_function_push(lua_State *L, const char *reference)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_functions);
    if (lua_istable(L, -1)) {
        lua_pushstring(L, reference);
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    if (lua_isfunction(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

void cg_functions_drop(lua_State *L, const char *prefix)
{
    size_t len = strlen(prefix);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_functions);
    if (lua_istable(L, -1)) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            const char *key = lua_tostring(L, -2);
            lua_pop(L, 1);
            if (strncmp(key, prefix, len) == 0 && (key[len] == '/' || !key[len])) {
                lua_pushvalue(L, -1);
                lua_pushnil(L);
                lua_rawset(L, -4);
            }
        }
    }
    lua_pop(L, 1);
}
