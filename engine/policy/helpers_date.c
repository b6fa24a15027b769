/* SPDX-License-Identifier: Apache-2.0
 * date: a day, or a moment in UTC, from ISO text. Compares, counts days, has parts. */
#include "library.h"

static const char type_name[] = "date";

struct date {
    int64_t seconds; /* since 1970 */
    bool has_time;
};

struct parts {
    int64_t year;
    int month, day;
};

/* Days since 1970 of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct parts parts_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct parts p = { yoe + era * 400, (int)(mp < 10 ? mp + 3 : mp - 9),
                       (int)(doy - (153 * mp + 2) / 5 + 1) };
    p.year += p.month <= 2;
    return p;
}

static int days_in(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static int64_t floor_days(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - 86399) / 86400;
}

/* n digits at *at; -1 when they are not there. */
static int digits(struct cogent_str s, size_t *at, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (*at >= s.len || s.ptr[*at] < '0' || s.ptr[*at] > '9')
            return -1;
        v = v * 10 + (s.ptr[*at] - '0');
    }
    return v;
}

static bool skip(struct cogent_str s, size_t *at, const char *any)
{
    if (*at >= s.len || !strchr(any, s.ptr[*at]))
        return false;
    (*at)++;
    return true;
}

/* "Z", "+02:00", or nothing: UTC. Seconds to subtract. */
static bool read_zone(struct cogent_str s, size_t *at, int64_t *offset)
{
    *offset = 0;
    if (*at == s.len || skip(s, at, "Zz"))
        return *at == s.len;
    int sign = s.ptr[*at] == '-' ? -1 : 1;
    if (!skip(s, at, "+-"))
        return false;
    int hours = digits(s, at, 2);
    if (!skip(s, at, ":"))
        return false;
    int minutes = digits(s, at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return *at == s.len;
}

static bool read_time(struct cogent_str s, size_t *at, int64_t *seconds)
{
    int64_t offset;
    int sec = 0;
    int hour = digits(s, at, 2);
    if (!skip(s, at, ":"))
        return false;
    int minute = digits(s, at, 2);
    if (skip(s, at, ":"))
        sec = digits(s, at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || sec < 0 || sec > 60)
        return false;
    if (skip(s, at, "."))
        while (*at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9')
            (*at)++;
    if (!read_zone(s, at, &offset))
        return false;
    *seconds = hour * 3600 + minute * 60 + sec - offset;
    return true;
}

static bool read_date(struct cogent_str s, struct date *out)
{
    size_t at = 0;
    int64_t time = 0;
    if (s.len > 40)
        return false;
    int year = digits(s, &at, 4);
    if (year < 1 || !skip(s, &at, "-"))
        return false;
    int month = digits(s, &at, 2);
    if (month < 1 || month > 12 || !skip(s, &at, "-"))
        return false;
    int day = digits(s, &at, 2);
    if (day < 1 || day > days_in(year, month))
        return false;
    out->has_time = at < s.len;
    if (out->has_time && (!skip(s, &at, "Tt ") || !read_time(s, &at, &time)))
        return false;
    out->seconds = days_of(year, month, day) * 86400 + time;
    return true;
}

static void push(lua_State *L, struct date d)
{
    static const int64_t first = -62135596800, last = 253402300799; /* years 1 to 9999 */
    if (d.seconds < first || d.seconds > last)
        luaL_error(L, "date: out of range");
    memcpy(lua_newuserdatauv(L, sizeof d, 0), &d, sizeof d);
    luaL_setmetatable(L, type_name);
}

static struct date check(lua_State *L, int index)
{
    struct date d = { 0 };
    struct cogent_str s = { 0 };
    const struct date *p = luaL_testudata(L, index, type_name);
    if (p)
        return *p;
    if (lua_type(L, index) == LUA_TSTRING)
        s.ptr = lua_tolstring(L, index, &s.len);
    if (!s.ptr || !read_date(s, &d))
        luaL_error(L, "date: a text like 2026-11-22 or 2026-11-22T07:30:04Z is wanted");
    return d;
}

static int date_new(lua_State *L)
{
    cg_box_charge(L, 3);
    push(L, check(L, 1));
    return 1;
}

/* A date and a number of days, in either order. */
static int date_add(lua_State *L)
{
    cg_box_charge(L, 2);
    int at = luaL_testudata(L, 1, type_name) ? 1 : 2;
    struct date d = check(L, at);
    lua_Integer days = luaL_checkinteger(L, 3 - at);
    luaL_argcheck(L, days > -4000000 && days < 4000000, 3 - at, "too many days");
    d.seconds += days * 86400;
    push(L, d);
    return 1;
}

/* date - days is a date; date - date is days, whole when both are days. */
static int date_sub(lua_State *L)
{
    cg_box_charge(L, 2);
    if (lua_type(L, 2) == LUA_TNUMBER) {
        lua_Integer days = luaL_checkinteger(L, 2);
        lua_settop(L, 1);
        lua_pushinteger(L, days > -4000000 && days < 4000000 ? -days : 4000000);
        return date_add(L);
    }
    struct date a = check(L, 1), b = check(L, 2);
    int64_t seconds = a.seconds - b.seconds;
    if (seconds % 86400 == 0)
        lua_pushinteger(L, seconds / 86400);
    else
        lua_pushnumber(L, (double)seconds / 86400);
    return 1;
}

static int compare(lua_State *L)
{
    cg_box_charge(L, 2);
    struct date a = check(L, 1), b = check(L, 2);
    return a.seconds < b.seconds ? -1 : a.seconds > b.seconds;
}

static int date_eq(lua_State *L)
{
    bool both = luaL_testudata(L, 1, type_name) && luaL_testudata(L, 2, type_name);
    lua_pushboolean(L, both && compare(L) == 0);
    return 1;
}

static int date_lt(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int date_le(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

/* d:months(n): the same day n months on, or the month's last when it has none. */
static int date_months(lua_State *L)
{
    struct date d = *(const struct date *)luaL_checkudata(L, 1, type_name);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n > -120000 && n < 120000, 2, "too many months");
    int64_t days = floor_days(d.seconds), time = d.seconds - days * 86400;
    struct parts p = parts_of(days);
    int64_t months = p.year * 12 + p.month - 1 + n;
    if (months < 12)
        return luaL_error(L, "date: out of range");
    p.year = months / 12;
    p.month = (int)(months % 12) + 1;
    if (p.day > days_in(p.year, p.month))
        p.day = days_in(p.year, p.month);
    d.seconds = days_of(p.year, p.month, p.day) * 86400 + time;
    push(L, d);
    return 1;
}

static int date_index(lua_State *L)
{
    struct date d = *(const struct date *)luaL_checkudata(L, 1, type_name);
    const char *key = luaL_checkstring(L, 2);
    int64_t days = floor_days(d.seconds), time = d.seconds - days * 86400;
    struct parts p = parts_of(days);
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        { "year", p.year },
        { "month", p.month },
        { "day", p.day },
        { "hour", time / 3600 },
        { "minute", time / 60 % 60 },
        { "second", time % 60 },
        { "weekday", (days + 3 + 7 * 1000000) % 7 + 1 }, /* 1 is Monday */
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            lua_pushinteger(L, numbers[i].value);
            return 1;
        }
    }
    if (strcmp(key, "date") == 0)
        push(L, (struct date){ days * 86400, false });
    else if (strcmp(key, "months") == 0)
        lua_pushcfunction(L, date_months);
    else
        lua_pushnil(L);
    return 1;
}

bool cg_date_text(lua_State *L, int index, char *out, size_t size)
{
    const struct date *d = luaL_testudata(L, index, type_name);
    if (!d)
        return false;
    int64_t days = floor_days(d->seconds), time = d->seconds - days * 86400;
    struct parts p = parts_of(days);
    int n = snprintf(out, size, "%04d-%02d-%02d", (int)p.year, p.month, p.day);
    if (d->has_time)
        snprintf(out + n, size - (size_t)n, "T%02d:%02d:%02dZ", (int)(time / 3600), (int)(time / 60 % 60),
                 (int)(time % 60));
    return true;
}

static int date_tostring(lua_State *L)
{
    cg_push_text(L, 1);
    return 1;
}

static int date_concat(lua_State *L)
{
    cg_push_text(L, 1);
    cg_push_text(L, 2);
    lua_concat(L, 2);
    return 1;
}

void cg_helpers_date(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__add", date_add },
        { "__sub", date_sub },
        { "__eq", date_eq },
        { "__lt", date_lt },
        { "__le", date_le },
        { "__concat", date_concat },
        { "__index", date_index },
        { "__tostring", date_tostring },
        { NULL, NULL },
    };
    luaL_newmetatable(L, type_name);
    luaL_setfuncs(L, meta, 0);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, date_new);
    lua_setfield(L, -2, "date");
}
