/* SPDX-License-Identifier: Apache-2.0
 * Looking after an effect without its run: the asker is who asked then, with the credential that was kept for it. */
#include "effects.h"

#include "credential.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"
#include "runs.h"
#include "state.h"

#include <stdlib.h>

/* After how long it is looked for again. For the tests: a shorter while, in builds for developers only. */
static int64_t wait_us(size_t look)
{
    static const int64_t minutes[] = { 1, 5, 30 };
    int64_t unit = 60 * 1000000LL;
#ifdef CG_TESTING
    const char *ms = getenv("COGENT_TEST_LOOK_MS");
    unit = ms ? strtoll(ms, NULL, 10) * 1000 : unit;
#endif
    return look < sizeof minutes / sizeof minutes[0] ? minutes[look] * unit : 0;
}

void cg_effect_later(const struct cg_run *run, const char *effect)
{
    const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
    cg_due_put(&due, "effect", run->caller->tenant, effect, cg_now_us() + wait_us(0));
}

struct looking {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cogent_op op;
    struct cg_caller *caller;
    struct cg_asker asker;
    char *effect;
    void (*done)(void *arg, int64_t later_us);
    void *arg;
};

static void looking_free(struct looking *l)
{
    cg_caller_unref(l->caller);
    free(l->effect);
    cg_asker_finish(&l->asker);
    free(l);
}

static void looked(struct looking *l, int64_t later_us)
{
    cg_op_finish(l->env->loop, l->op);
    l->done(l->arg, later_us);
    looking_free(l);
}

static void on_counted(void *arg, const struct cogent_db_result *result)
{
    struct looking *l = arg;
    bool open = result->err == 0 && result->rows(result, 0) > 0;
    size_t looks = open ? (size_t)result->row(result, 0, 0).values[0].num : 0;
    looked(l, open ? wait_us(looks) : 0);
}

static void on_noted(void *arg, int err)
{
    looked(arg, err < 0 && err != COGENT_CONFLICT && err != COGENT_NOT_FOUND ? wait_us(0) : 0);
}

static void on_found(void *arg, int err, struct cogent_str text)
{
    struct looking *l = arg;
    cg_log(CG_INFO, "effect.looked", CG_S("effect", l->effect), CG_S("found", err == 0 ? "yes" : "no"));
    if (err == 0) {
        cg_auto_json result = cg_json_parse(text, NULL);
        const struct cg_effect_word word = { l->effect, "done", "once.find", NULL, result };
        cg_effect_resolve(l->env, l->op, l->caller->tenant, &word, on_noted, l);
        return;
    }
    const struct cogent_value v[2] = { cogent_text(cogent_str(l->effect)), cogent_int(cg_now_us()) };
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_LOOKED], v, 2 };
    cg_db_run(l->env->db, l->op, l->caller->tenant, CG_DB_COMMIT, &step, 1, on_counted, l);
}

static void ask(struct looking *l, const struct cg_tool *finder)
{
    cg_auto_buf args = { 0 };
    cg_buf_printf(&args, "{\"key\":\"%s\"}", l->effect);
    if (cg_asker_init(&l->asker, l->runs, l->caller) < 0 ||
        cogent_op_none(cg_invoke_tool(&l->env->invoke, l->op, finder, cg_buf_view(&args), &l->asker.abi, "",
                                      on_found, l)))
        looked(l, wait_us(0));
}

/* It was the asker's right then; whether it still is, the service says. */
static void on_doubt(void *arg, const struct cogent_db_result *result)
{
    struct looking *l = arg;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n == 0 || !cg_str_eq(row.values[4].str, "unknown")) {
        looked(l, result->err < 0 ? wait_us(0) : 0);
        return;
    }
    const struct cg_tool *tool = cg_tool_find(l->env->plugins, row.values[3].str);
    const char *name = tool && COGENT_HAS(tool->api, find) ? tool->api->find : NULL;
    const struct cg_tool *finder = name ? cg_tool_find(l->env->plugins, cogent_str(name)) : NULL;
    cg_auto_free char *user = cg_str_dup(row.values[7].str);
    cg_auto_free char *run = cg_str_dup(row.values[1].str);
    const struct cg_tenant *tenant = cg_op_tenant(l->env->loop, l->op);
    const struct cg_tenant_info *info = cg_tenants_find(l->env->tenants, cg_tenant_name(tenant));
    l->caller = info && user ? cg_caller_create(tenant, info->fields, user) : NULL;
    if (!finder || finder->api->effect != COGENT_READ || !l->caller || !run) {
        looked(l, 0);
        return;
    }
    if (row.values[12].type == COGENT_TEXT)
        cg_credential_open(l->env->keys, l->caller, run, row.values[12].str);
    ask(l, finder);
}

void cg_effect_look(struct cg_runs *runs, const struct cg_tenant *tenant, const char *effect,
                    void (*done)(void *arg, int64_t later_us), void *arg)
{
    struct looking *l = calloc(1, sizeof *l);
    if (!l) {
        done(arg, wait_us(0));
        return;
    }
    l->runs = runs;
    l->env = cg_runs_env(runs);
    l->effect = cg_str_dup(cogent_str(effect));
    l->done = done;
    l->arg = arg;
    l->op = cg_op_start(l->env->loop, (struct cogent_op){ 0, 0 }, "effect.look", 0, NULL, NULL);
    cg_op_bind(l->env->loop, l->op, tenant);
    const struct cogent_value id = cogent_text(cogent_str(l->effect));
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_GET], &id, 1 };
    cg_db_run(l->env->db, l->op, tenant, CG_DB_READ, &step, 1, on_doubt, l);
}
