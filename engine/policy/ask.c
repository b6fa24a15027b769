/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include "library.h"
#include "verdict.h"

#include "engine/svc/rbac.h"

#include <stdlib.h>

static char key_chunks; /* registry: number of a decision -> its compiled chunk */

struct job {
    const struct cg_script *script;
    size_t number;
    enum cg_point point;
    const json_t *subject, *ctx;
    bool giving; /* these two are being put into a box that has room left */
    enum cg_verdict verdict;
    struct cg_take take;
};

/* Compiles the chunk once a box, outside of the decision's own budget. */
static int compile(lua_State *L)
{
    const struct job *job = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_chunks);
    if (!lua_istable(L, -1)) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_chunks);
    }
    cg_box_compile(L, (struct cogent_str){ job->script->source, job->script->len }, job->script->file);
    lua_rawseti(L, -2, (lua_Integer)job->number + 1);
    return 0;
}

static bool push_chunk(lua_State *L, size_t number)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_chunks);
    if (!lua_istable(L, -1))
        return false;
    lua_rawgeti(L, -1, (lua_Integer)number + 1);
    return lua_isfunction(L, -1);
}

static bool is_compiled(struct cg_box *box, size_t number)
{
    bool yes = push_chunk(box->lua, number);
    lua_settop(box->lua, 0);
    return yes;
}

/* ctx.user:can "finance.read". It looks at what the engine said, not at the script's copy. */
static int user_can(lua_State *L)
{
    struct cogent_str permission = cg_arg_text(L, 2);
    const json_t *held = cg_box_of(L)->permissions;
    cg_box_charge(L, 1 + json_array_size(held));
    lua_pushboolean(L, cg_rbac_allows(held, permission.ptr));
    return 1;
}

static void push_user_metatable(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cg_key_user);
    if (lua_istable(L, -1))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcfunction(L, user_can);
    lua_setfield(L, -2, "can");
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &cg_key_user);
}

static void push_object(lua_State *L, const json_t *value)
{
    if (json_is_object(value))
        cg_value_push(L, value);
    else
        lua_newtable(L);
}

static void push_ctx(lua_State *L, const json_t *ctx, enum cg_point point)
{
    push_object(L, ctx);
    lua_pushstring(L, cg_point_name(point));
    lua_setfield(L, -2, "point");
    lua_getfield(L, -1, "user");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "user");
    }
    push_user_metatable(L);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static int decide(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    push_chunk(L, job->number);
    cg_box_fresh(L, -1);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "%s: the file returns no table", job->script->file);
    lua_pushliteral(L, "decide");
    lua_rawget(L, -2);
    if (!lua_isfunction(L, -1))
        return luaL_error(L, "%s: decide is no function", job->script->file);
    const struct cg_box *box = cg_box_of(L);
    job->giving = box->steps < box->limits->steps / 2 && box->used < box->limits->memory / 2;
    push_object(L, job->subject);
    push_ctx(L, job->ctx, job->point);
    job->giving = false;
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1))
        return 0;
    if (!cg_verdict_take(L, lua_gettop(L), &job->verdict, &job->take))
        return luaL_error(L, "%s: decide gave a %s; only allow, deny, ask and defer make a verdict",
                          job->script->file, luaL_typename(L, -1));
    return 0;
}

static void denied(struct cg_answer *out)
{
    out->verdict = CG_DENY;
    json_decref(out->table);
    out->table = NULL;
}

static void read_answer(struct cg_box *box, const struct job *job, struct cg_answer *out)
{
    char why[140];
    out->verdict = job->verdict;
    if (job->take.root && !cg_obligations_check(job->verdict, job->take.root, out->reason, sizeof out->reason,
                                                why, sizeof why)) {
        denied(out);
        out->end = CG_END_ERROR;
        out->misspelt = true;
        snprintf(out->reason, sizeof out->reason, "%s: %s", job->script->file, why);
    }
    if (box->notes.len)
        out->note = cg_str_dup(cg_buf_view(&box->notes));
}

void cg_ask(struct cg_box *box, const struct cg_bundle *bundle, size_t i, enum cg_point point,
            const json_t *subject, const json_t *ctx, struct cg_answer *out)
{
    struct job job = { .script = &bundle->decisions[i],
                       .number = i,
                       .point = point,
                       .subject = subject,
                       .ctx = ctx,
                       .verdict = CG_DEFER,
                       .take = { .what = bundle->decisions[i].file } };
    *out = (struct cg_answer){ .verdict = CG_DENY };
    if (!is_compiled(box, i)) {
        out->end = cg_box_run(box, compile, &job, out->reason, sizeof out->reason);
        out->us = box->took;
    }
    if (out->end == CG_END_FINE) {
        box->permissions = json_object_get(json_object_get(ctx, "user"), "permissions");
        out->end = cg_box_run(box, decide, &job, out->reason, sizeof out->reason);
        box->permissions = NULL;
        out->us += box->took;
    }
    out->unfit = job.giving && out->end > CG_END_ERROR;
    if (out->unfit)
        snprintf(out->reason, sizeof out->reason,
                 "subject and ctx, what the policy is asked about, are too large for its %s",
                 out->end == CG_END_MEMORY ? "memory" : cg_end_name(out->end));
    out->steps = box->steps;
    out->peak = box->peak;
    out->table = job.take.root;
    if (out->end == CG_END_FINE)
        read_answer(box, &job, out);
    else
        denied(out);
}

bool cg_answer_unkept(const struct cg_answer *answer, enum cg_point point, const char *decision, char *out,
                      size_t size)
{
    const char *name = NULL;
    if (cg_point_asked(point) && answer->verdict != CG_DENY)
        name = cg_obligations_unkept(point, answer->table);
    if (!name && answer->verdict == CG_ASK && cg_point_asked(point) && !cg_point_keeps(point, "self"))
        name = "self"; /* an ask needs no obligation */
    if (name)
        cg_obligation_unkept_words(point, decision, name, out, size);
    return name;
}

void cg_answer_finish(struct cg_answer *answer)
{
    json_decref(answer->table);
    free(answer->note);
    answer->table = NULL;
    answer->note = NULL;
}
