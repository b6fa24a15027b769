/* SPDX-License-Identifier: Apache-2.0
 * JSON to Lua and back, bounded in depth and size. Both run inside a box and raise. */
#ifndef CG_POLICY_VALUES_H
#define CG_POLICY_VALUES_H

#include "sandbox.h"

/* Pushes the value. null is the light userdata `null`; arrays are marked as lists. */
void cg_value_push(lua_State *L, const json_t *value);

/* How Lua values become JSON. The tree hangs on `root` from the first node on, so that whoever owns the struct can
 * drop it when the box raised midway. */
struct cg_take {
    json_t *root;             /* out; NULL when the value is nil */
    const char *what;         /* what messages begin with: a file or "result" */
    const char *prefix;       /* what references of functions begin with; NULL: functions are refused */
    bool keep;                /* keep the functions in the box under their references */
    struct cogent_str source; /* the file's text, where functions may stand */
    size_t left;              /* bytes of output that remain */
    char path[200];           /* where we are: "tools.get_invoice.args" */
    char reference[300];
};

/* The value at `index`: sets take->root. */
void cg_value_take(lua_State *L, int index, struct cg_take *take);

/* Pushes the function kept under a reference; false when there is none. */
bool cg_function_push(lua_State *L, const char *reference);
/* Forgets the functions whose reference begins with prefix and a slash. */
void cg_functions_drop(lua_State *L, const char *prefix);

#endif
