/* SPDX-License-Identifier: Apache-2.0
 * Lua files as the engine hands them to a plugin: JSON in which a function is {"$fn": reference}, and the functions
 * behind the references.
 */
#ifndef COGENT_TEST_LUA_RULES_H
#define COGENT_TEST_LUA_RULES_H

#include <cogent/types.h>
#include <jansson.h>

struct lua_State;

struct lua_State *lua_rules_open(void);
void lua_rules_close(struct lua_State *lua);
/* The table that the file returns, a new reference; NULL with a line on stderr. */
json_t *lua_rules_load(struct lua_State *lua, const char *path);
/* Runs a function with the elements of a JSON array. out is valid until the next call. */
int lua_rules_call(struct lua_State *lua, const char *reference, struct cogent_str args,
                   struct cogent_str *out);

#endif
