/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include "engine/base/clock.h"
#include "engine/base/match.h"
#include "engine/base/utf8.h"
#include "library.h"

#include <stdlib.h>
#include <time.h>

#if defined(__has_feature) /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCALE 10
#else
#define SCALE 1
#endif

enum {
    INTERVAL = 32,           /* the hook's price does not depend on it */
    LONG_STRING = 16 * 1024, /* from here on comparing one takes long: look after every instruction */
    REFUSALS = 2,            /* one emergency collection may save a script, more would only cost time */
    BYTES_A_STEP = 64,       /* of memory */
    CHARGE_A_LOOK = 256,     /* steps of C work between two looks at the clock */
    GARBAGE = 1024 * 1024,   /* left behind by a run: collected after it */
    PIECE = 512,             /* bytes of a source between two looks at the clock */
    NODE = 24,               /* bytes of a name and its value in a table of Lua 5.4 */
};

const struct cg_box_limits cg_box_tenant = {
    .tenant = true,
    .memory = 4 << 20,
    .block = 512 << 10,
    .text = 64 << 10,
    .output = 64 << 10,
    .items = 10000,
    .names = 4096,
    .steps = 200000,
    .us = 5000 * SCALE,
};

const struct cg_box_limits cg_box_operator = {
    .memory = 64 << 20,
    .block = 16 << 20,
    .text = 4 << 20,
    .output = 16 << 20,
    .items = 200000,
    .names = 1 << 20,
    .steps = 5000000,
    .us = 500000 * SCALE,
};

static char kill_mark; /* its address is the error that ends a run */

const char *cg_end_name(enum cg_end end)
{
    static const char *const names[] = { "fine", "error", "steps", "time", "memory" };
    return names[end];
}

struct cg_box *cg_box_of(lua_State *L)
{
    struct cg_box *box;
    memcpy(&box, lua_getextraspace(L), sizeof box);
    return box;
}

/* --- budget --- */

static void hook(lua_State *L, lua_Debug *ar);

/* May be called while the machine runs: lua_sethook is safe at any moment. */
static void arm(struct cg_box *box, int interval)
{
    box->interval = interval;
    lua_sethook(box->lua, hook, LUA_MASKCOUNT, interval);
}

static void finish_as(struct cg_box *box, enum cg_end end)
{
    if (box->end == CG_END_FINE || box->end == CG_END_ERROR)
        box->end = end;
    if (end == CG_END_MEMORY)
        box->broken = true;
    arm(box, 1);
}

static bool ended(const struct cg_box *box)
{
    return box->end > CG_END_ERROR;
}

/* A deadline of CPU time: a machine that is busy with others denies nobody. The cheap clock says when it is worth
 * asking the dear one. */
static void look_at_clock(struct cg_box *box)
{
    int64_t now = cg_mono_us();
    box->unchecked = 0;
    if (now < box->look)
        return;
    int64_t left = box->us - (cg_cpu_us() - box->began);
    if (left <= 0)
        finish_as(box, CG_END_TIME);
    else
        box->look = now + left;
}

bool cg_box_spend(struct cg_box *box, size_t steps)
{
    if (!box->running)
        return true;
    int64_t n = steps > INT32_MAX ? INT32_MAX : (int64_t)steps;
    box->steps += n;
    box->unchecked += n;
    if (box->steps > box->limits->steps)
        finish_as(box, CG_END_STEPS);
    else if (box->unchecked >= CHARGE_A_LOOK)
        look_at_clock(box);
    return !ended(box);
}

_Noreturn void cg_box_kill(lua_State *L, enum cg_end end)
{
    finish_as(cg_box_of(L), end);
    lua_pushlightuserdata(L, &kill_mark);
    lua_error(L);
    cg_require_failed("lua_error does not return", __FILE__, __LINE__);
}

void cg_box_charge(lua_State *L, size_t steps)
{
    struct cg_box *box = cg_box_of(L);
    if (!cg_box_spend(box, steps))
        cg_box_kill(L, box->end);
}

void cg_box_charge_bytes(lua_State *L, size_t bytes)
{
    cg_box_charge(L, 1 + bytes / 64);
}

static void hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct cg_box *box = cg_box_of(L);
    box->steps += box->interval;
    if (!ended(box)) {
        if (box->steps > box->limits->steps)
            finish_as(box, CG_END_STEPS);
        else
            look_at_clock(box);
    }
    if (ended(box))
        cg_box_kill(L, box->end);
}

/* --- memory --- */

static void *refuse(struct cg_box *box)
{
    if (box->running && ++box->refused > REFUSALS)
        finish_as(box, CG_END_MEMORY);
    return NULL;
}

static void charge_memory(struct cg_box *box, bool is_string, size_t size)
{
    box->steps += (int64_t)(size / BYTES_A_STEP);
    if (box->steps > box->limits->steps && !ended(box))
        finish_as(box, CG_END_STEPS);
    else if (is_string && size > LONG_STRING && box->interval > 1)
        arm(box, 1);
}

/* Names that a script chose so that they collide are put into a grown table one behind the other, in time that goes
 * with the square of their number, and within one instruction. What holds names has its size in nodes, a power of two. */
static bool too_many_names(const struct cg_box *box, size_t size)
{
    size_t nodes = size / NODE;
    return nodes > box->limits->names && size % NODE == 0 && (nodes & (nodes - 1)) == 0;
}

static void *refuse_names(struct cg_box *box)
{
    box->crowded = true;
    finish_as(box, CG_END_MEMORY);
    return NULL;
}

/* Not for lua_Alloc's caller to see: a new block has its type where an old one has its size. */
static void *allocate(void *arg, void *old, size_t old_size, size_t size)
{
    struct cg_box *box = arg;
    bool is_string = !old && old_size == LUA_TSTRING;
    bool is_part = !old && !is_string; /* of a table, or another that is made whole */
    if (!old)
        old_size = 0;
    if (size == 0) {
        free(old);
        box->used -= old_size;
        return NULL;
    }
    if (size > old_size) {
        if (size > box->limits->block || box->used + (size - old_size) > box->limits->memory ||
            (box->running && box->end == CG_END_MEMORY))
            return refuse(box);
        if (is_part && box->running && too_many_names(box, size))
            return refuse_names(box);
        if (box->running)
            charge_memory(box, is_string, size - old_size);
    }
    void *p = realloc(old, size);
    if (!p)
        return size > old_size ? refuse(box) : old; /* Lua relies on shrinking */
    box->used += size - old_size;
    if (box->used > box->peak)
        box->peak = box->used;
    return p;
}

/* --- running --- */

static void begin(struct cg_box *box)
{
    box->running = true;
    box->end = CG_END_FINE;
    box->steps = 0;
    box->unchecked = 0;
    box->refused = 0;
    box->crowded = false;
    box->peak = box->used;
    box->began = cg_cpu_us();
    box->look = cg_mono_us() + box->us;
    cg_buf_clear(&box->notes);
    arm(box, INTERVAL);
}

static void describe(struct cg_box *box, char *why, size_t size)
{
    const struct cg_box_limits *limits = box->limits;
    struct cogent_str text = { 0 };
    switch (box->end) {
    case CG_END_STEPS:
        snprintf(why, size, "the script used up its %lld steps", (long long)limits->steps);
        break;
    case CG_END_TIME:
        snprintf(why, size, "the script used up its %lld ms", (long long)limits->us / 1000);
        break;
    case CG_END_MEMORY:
        if (box->crowded)
            snprintf(why, size, "a table of the script has more than %zu names", limits->names);
        else
            snprintf(why, size, "the script used up its %zu MiB of memory", limits->memory >> 20);
        break;
    default:
        if (lua_type(box->lua, -1) == LUA_TSTRING)
            text.ptr = lua_tolstring(box->lua, -1, &text.len);
        if (!text.len)
            text = cogent_str("the script failed without saying why");
        text.len = cg_utf8_cut(text, size - 1);
        cg_str_copy(why, size, text);
        bool valid = cg_utf8_valid(cogent_str(why));
        for (char *c = why; *c && !valid; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    }
}

static void end_run(struct cg_box *box)
{
    lua_sethook(box->lua, NULL, 0, 0);
    lua_settop(box->lua, 0);
    if (box->used > box->idle + GARBAGE && !box->broken) {
        lua_gc(box->lua, LUA_GCCOLLECT);
        box->idle = box->used;
    }
    box->running = false;
    box->took = cg_cpu_us() - box->began;
}

/* What a helper raises from within has no place: the line of the script that called it is put before. */
static int place(lua_State *L)
{
    lua_Debug at;
    size_t len;
    if (lua_type(L, 1) != LUA_TSTRING)
        return 1;
    const char *said = lua_tolstring(L, 1, &len);
    for (int level = 0; lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline <= 0)
            continue;
        if (len <= strlen(at.short_src) || strncmp(said, at.short_src, strlen(at.short_src)) != 0) {
            lua_pushfstring(L, "%s:%d: ", at.short_src, at.currentline);
            lua_insert(L, 1);
            lua_concat(L, 2);
        }
        break;
    }
    return 1;
}

enum cg_end cg_box_run(struct cg_box *box, lua_CFunction fn, void *arg, char *why, size_t size)
{
    CG_REQUIRE(!box->running && !box->broken);
    begin(box);
    lua_pushcfunction(box->lua, place);
    lua_pushcfunction(box->lua, fn);
    lua_pushlightuserdata(box->lua, arg);
    int status = lua_pcall(box->lua, 1, 0, 1);
    if (status == LUA_ERRMEM)
        finish_as(box, CG_END_MEMORY);
    else if (status != LUA_OK && box->end == CG_END_FINE)
        box->end = CG_END_ERROR;
    if (box->end != CG_END_FINE)
        describe(box, why, size);
    end_run(box);
    return box->end;
}

/* --- chunks and their environment --- */

/* The compiler runs no instructions, so it is fed in pieces: labels or constants without end cost it more and more. */
static const char *next_piece(lua_State *L, void *arg, size_t *size)
{
    struct cogent_str *rest = arg;
    const char *piece = rest->ptr;
    struct cg_box *box = cg_box_of(L);
    *size = rest->len < PIECE ? rest->len : PIECE;
    rest->ptr += *size;
    rest->len -= *size;
    cg_box_charge_bytes(L, *size);
    if (box->running)
        look_at_clock(box);
    if (ended(box))
        cg_box_kill(L, box->end);
    return *size ? piece : NULL;
}

void cg_box_compile(lua_State *L, struct cogent_str source, const char *file)
{
    char name[64];
    size_t len = strlen(file), max = 56;
    snprintf(name, sizeof name, "=%s", len > max ? file + (len - max) : file);
    if (source.len && source.ptr[0] == LUA_SIGNATURE[0])
        luaL_error(L, "%s:1: this is bytecode; only text is read", name + 1);
    if (lua_load(L, next_piece, &source, name, "t") != LUA_OK)
        lua_error(L);
}

void cg_box_fresh(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_globals);
    lua_setmetatable(L, -2);
    lua_setupvalue(L, index, 1);
}

void cg_box_freeze(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_getupvalue(L, index, 1);
    cg_library_frozen(L);
    lua_setupvalue(L, index, 1);
}

static int set_up(lua_State *L)
{
    cg_library_open(L);
    return 0;
}

int cg_box_create(const struct cg_box_limits *limits, struct cg_box **out)
{
    struct cg_box *box = calloc(1, sizeof *box);
    *out = NULL;
    if (!box)
        return COGENT_NO_MEMORY;
    box->limits = limits;
    box->us = limits->us;
    box->lua = lua_newstate(allocate, box);
    if (box->lua) {
        memcpy(lua_getextraspace(box->lua), &box, sizeof box);
        lua_pushcfunction(box->lua, set_up);
        if (lua_pcall(box->lua, 0, 0, 0) == LUA_OK) {
            lua_settop(box->lua, 0);
            box->idle = box->used;
            *out = box;
            return 0;
        }
    }
    cg_box_destroy(box);
    return COGENT_NO_MEMORY;
}

void cg_box_destroy(struct cg_box *box)
{
    if (!box)
        return;
    if (box->lua)
        lua_close(box->lua);
    for (unsigned i = 0; i < CG_BOX_PATTERNS; i++) {
        cg_match_destroy(box->patterns[i]);
        free(box->pattern_texts[i]);
    }
    cg_buf_finish(&box->notes);
    free(box);
}
