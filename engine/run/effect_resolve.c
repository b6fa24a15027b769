/* SPDX-License-Identifier: Apache-2.0
 * The end of a doubt: somebody, or the tool's find, says what became of an effect. One conditional update settles it. */
#include "effects.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/store.h"
#include "state.h"

#include <stdlib.h>

struct settling {
    const struct cg_run_env *env;
    struct cogent_op op;
    const struct cg_tenant *tenant;
    char *effect, *call, *state, *by, *note;
    json_t *result;
    void (*done)(void *arg, int err);
    void *arg;
};

static void settling_free(struct settling *s)
{
    cg_tenant_unref(s->tenant);
    free(s->effect);
    free(s->call);
    free(s->state);
    free(s->by);
    free(s->note);
    json_decref(s->result);
    free(s);
}

static void on_settling_ended(void *arg, int why)
{
    (void)why;
    settling_free(arg);
}

static void settled(struct settling *s, int err)
{
    cg_op_finish(s->env->loop, s->op);
    s->done(s->arg, err);
    settling_free(s);
}

/* The approval of the call, if a person had allowed it. */
static void on_approvals(void *arg, const struct cogent_db_result *result)
{
    struct settling *s = arg;
    for (size_t i = 0; result->err == 0 && i < result->rows(result, 0); i++) {
        struct cogent_row row = result->row(result, 0, i);
        if (!cg_str_eq(row.values[1].str, s->call))
            continue;
        struct cogent_value v[4];
        cg_auto_buf object = { 0 };
        cg_auto_free char *id = cg_str_dup(row.values[0].str);
        cg_auto_json approval = cg_json_reread(row.values[3].str);
        cg_effect_approval_object(approval, s->result, &object);
        const struct cg_db_step step = cg_effect_approval_step(id ? id : "", "unknown", s->state, &object, v);
        cg_db_run(s->env->db, (struct cogent_op){ 0, 0 }, s->tenant, CG_DB_COMMIT, &step, 1, NULL, NULL);
    }
    settled(s, 0);
}

static void on_resolved(void *arg, const struct cogent_db_result *result)
{
    struct settling *s = arg;
    if (result->err < 0 || result->rows(result, 0) == 0) {
        settled(s, result->err < 0 ? result->err : COGENT_CONFLICT);
        return;
    }
    cg_log(CG_INFO, "effect.resolved", CG_S("effect", s->effect), CG_S("state", s->state));
    const struct cogent_value run = result->row(result, 0, 0).values[0];
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_OF_RUN], &run, 1 };
    cg_db_run(s->env->db, s->op, s->tenant, CG_DB_READ, &step, 1, on_approvals, s);
}

static void on_effect(void *arg, const struct cogent_db_result *result)
{
    struct settling *s = arg;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n == 0) {
        settled(s, result->err < 0 ? result->err : COGENT_NOT_FOUND);
        return;
    }
    cg_auto_buf text = { 0 };
    s->call = cg_str_dup(row.values[2].str);
    if (s->result)
        cg_json_add(&text, s->result);
    const struct cogent_value v[6] = { cogent_text(cogent_str(s->effect)),
                                       cogent_text(cogent_str(s->state)),
                                       cogent_int(cg_now_us()),
                                       text.len ? cogent_text(cg_buf_view(&text)) : cogent_null(),
                                       cogent_text(cogent_str(s->by)),
                                       s->note ? cogent_text(cogent_str(s->note)) : cogent_null() };
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_RESOLVE], v, 6 };
    cg_db_run(s->env->db, s->op, s->tenant, CG_DB_FSYNC, &step, 1, on_resolved, s);
}

void cg_effect_resolve(const struct cg_run_env *env, struct cogent_op parent, const struct cg_tenant *tenant,
                       const struct cg_effect_word *word, void (*done)(void *arg, int err), void *arg)
{
    struct settling *s = calloc(1, sizeof *s);
    if (!s) {
        done(arg, COGENT_NO_MEMORY);
        return;
    }
    s->env = env;
    s->tenant = cg_tenant_ref(tenant);
    s->effect = cg_str_dup(cogent_str(word->effect));
    s->state = cg_str_dup(cogent_str(word->state));
    s->by = cg_str_dup(cogent_str(word->by));
    s->note = word->note ? cg_str_dup(cogent_str(word->note)) : NULL;
    s->result = json_incref((json_t *)word->result);
    s->done = done;
    s->arg = arg;
    s->op = cg_op_start(env->loop, parent, "effect.resolve", 0, on_settling_ended, s);
    const struct cogent_value id = cogent_text(cogent_str(s->effect));
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_GET], &id, 1 };
    cg_db_run(env->db, s->op, tenant, CG_DB_READ, &step, 1, on_effect, s);
}
