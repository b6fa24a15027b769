/* SPDX-License-Identifier: Apache-2.0
 * What a script finds in its environment: an allow list of Lua's own functions, bounded ones in place of those that
 * are not, and the helpers. All are C functions; the tables that hold them are frozen. A file `helpers_*.c` each. */
#ifndef CG_POLICY_LIBRARY_H
#define CG_POLICY_LIBRARY_H

#include "sandbox.h"

/* Registry keys. */
extern char cg_key_globals; /* metatable of an environment */
extern char cg_key_list;    /* metatable of list {} */
extern char cg_key_null;    /* its address is null */
extern char cg_key_user;    /* metatable of ctx.user */

/* Fills the registry of a new state. */
void cg_library_open(lua_State *L);
/* Puts a read-only view of the table on top in its place. */
void cg_library_frozen(lua_State *L);

/* Each adds its functions to the table on top. */
void cg_helpers_base(lua_State *L);
void cg_helpers_string(lua_State *L);
void cg_helpers_table(lua_State *L);
void cg_helpers_text(lua_State *L);
void cg_helpers_list(lua_State *L);
void cg_helpers_money(lua_State *L);
void cg_helpers_date(lua_State *L);
void cg_helpers_verdict(lua_State *L);
void cg_helpers_files(lua_State *L);

/* Text of a string, number, boolean, null, money or date on top of the stack in its place; of anything else the name
 * of its type: no address is ever shown. */
void cg_push_text(lua_State *L, int index);
/* As cg_push_text, for what is text by nature; false for tables, functions, nil. */
bool cg_push_word(lua_State *L, int index);
/* Decimal text of a money value, ISO text of a date; false when it is neither. */
bool cg_money_text(lua_State *L, int index, bool currency, char *out, size_t size);
bool cg_date_text(lua_State *L, int index, char *out, size_t size);
/* Pushes money for a decimal text. */
void cg_push_money(lua_State *L, const char *text);

struct cogent_str cg_arg_text(lua_State *L, int index);
/* A table that a helper may read or change: plain or a list, never a library. Returns its length. */
size_t cg_arg_list(lua_State *L, int index);
/* The list of texts at `index` with `between` between them; at most the box's text. */
void cg_push_joined(lua_State *L, int index, size_t n, struct cogent_str between);

#endif
