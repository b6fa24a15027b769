/* SPDX-License-Identifier: Apache-2.0
 * Which secrets the text of a function names: `v.secret.NAME`, or `secret["NAME"]`. So a function in a service's auth can be given
 * those and no others; a name that it makes up at run time it does not get. */
#ifndef CG_POLICY_MENTIONS_H
#define CG_POLICY_MENTIONS_H

#include "sandbox.h"

/* Of the Lua function at `index`, whose file's text is `source`: an array of names, or NULL when it names none. */
json_t *cg_mentioned_secrets(lua_State *L, int index, struct cogent_str source);

#endif
