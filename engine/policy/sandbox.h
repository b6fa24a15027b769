/* SPDX-License-Identifier: Apache-2.0
 * A box: one Lua state that cannot hurt. Capped memory, counted steps, a deadline in CPU time, an allow list of
 * functions, and an end that no script can swallow.
 *
 * Steps are VM instructions and, beside them, work in C: 1 for 64 bytes allocated, and what the helpers charge for
 * the bytes they touch. When the budget is gone the hook is armed for every instruction and raises; pcall lets such
 * an end through, and the word about it is `end` here, never what the script returned. */
#ifndef CG_POLICY_SANDBOX_H
#define CG_POLICY_SANDBOX_H

#include "engine/base/json.h"

#include <lauxlib.h>
#include <lua.h>

enum cg_end { CG_END_FINE, CG_END_ERROR, CG_END_STEPS, CG_END_TIME, CG_END_MEMORY };

struct cg_box_limits {
    bool tenant;   /* verdicts, but no env and file */
    size_t memory; /* bytes of the whole state */
    size_t block;  /* bytes of one string or table part */
    size_t text;   /* bytes that one helper may make */
    size_t output; /* bytes of JSON that leave the box */
    size_t items;  /* of a list that a helper works on */
    size_t names;  /* of one table: a power of two */
    int64_t steps;
    int64_t us; /* CPU time of one run; ten times as much under sanitizers */
};

extern const struct cg_box_limits cg_box_tenant;
extern const struct cg_box_limits cg_box_operator;

enum { CG_BOX_PATTERNS = 8 };

struct cg_match;

struct cg_box {
    lua_State *lua;
    const struct cg_box_limits *limits;
    size_t used; /* bytes now */
    size_t peak; /* most bytes of this run */
    size_t idle; /* bytes after the last collection */
    unsigned refused;
    bool running;
    enum cg_end end; /* of the run at hand, or of the last one */
    bool broken;     /* it hit its cap: close it and make another */
    bool crowded;    /* the cap was that of names in one table */
    int64_t us; /* CPU time of the next runs: the limits', unless somebody who asks several has less left */
    int64_t steps;
    int64_t unchecked; /* steps charged since the clock was looked at */
    int64_t look;      /* monotonic time when the CPU clock is asked */
    int64_t began;     /* CPU time */
    int64_t took;      /* CPU time of the last run */
    int interval;      /* instructions between two hooks */
    /* What helpers know of the run at hand. */
    const json_t *permissions;
    struct cg_buf notes;
    const char *folder; /* while a file is loaded: what `file` is relative to */
    struct cg_match *patterns[CG_BOX_PATTERNS];
    char *pattern_texts[CG_BOX_PATTERNS];
    unsigned next_pattern;
};

int cg_box_create(const struct cg_box_limits *limits, struct cg_box **out);
void cg_box_destroy(struct cg_box *box);

struct cg_box *cg_box_of(lua_State *L);

/* Runs fn(L) protected, with `arg` as light userdata at index 1, under a fresh budget. `why` gets a sentence when
 * the end is not fine. Values that fn returns are dropped. */
enum cg_end cg_box_run(struct cg_box *box, lua_CFunction fn, void *arg, char *why, size_t size);
const char *cg_end_name(enum cg_end end);

/* For C functions in the box. charge raises when the budget is gone, spend says so instead. */
void cg_box_charge(lua_State *L, size_t steps);
void cg_box_charge_bytes(lua_State *L, size_t bytes);
bool cg_box_spend(struct cg_box *box, size_t steps);
_Noreturn void cg_box_kill(lua_State *L, enum cg_end end);

/* Compiles text (never bytecode) and leaves the function on the stack; raises "FILE:LINE: ...". */
void cg_box_compile(lua_State *L, struct cogent_str source, const char *file);
/* Gives the chunk at `index` a fresh environment over the frozen base. */
void cg_box_fresh(lua_State *L, int index);
/* Leaves the chunk's functions their globals, but nothing can be set in them any more. */
void cg_box_freeze(lua_State *L, int index);

#endif
