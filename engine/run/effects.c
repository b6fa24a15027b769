/* SPDX-License-Identifier: Apache-2.0 */
#include "effects.h"

#include "credential.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"
#include "runs.h"
#include "state.h"

#include <stdlib.h>

enum { RESULT_MAX = 16 * 1024 };

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

const struct cg_tool *cg_effect_finder(const struct cg_run_env *env, const struct cg_caller *caller,
                                       const struct cg_tool *tool)
{
    if (!tool || !COGENT_HAS(tool->api, find) || tool->api->once != COGENT_ONCE_FIND || !tool->api->find)
        return NULL;
    const struct cg_tool *finder = cg_tool_find(env->plugins, cogent_str(tool->api->find));
    return finder && finder->api->effect == COGENT_READ && cg_caller_may(caller, finder->api->permission)
               ? finder
               : NULL;
}

/* Writing down what became of one. */

static struct cogent_value text_or_null(const struct cg_buf *text)
{
    return text->len && !text->failed ? cogent_text(cg_buf_view(text)) : cogent_null();
}

static struct cg_db_step approval_step(const char *approval, const char *from, const char *state,
                                       const struct cg_buf *object, struct cogent_value values[4])
{
    values[0] = cogent_text(cogent_str(approval));
    values[1] = cogent_text(cogent_str(from));
    values[2] = cogent_text(cogent_str(state));
    values[3] = cogent_text(cg_buf_view(object));
    return (struct cg_db_step){ &cg_store[CG_ST_APPROVAL_STATE], values, 4 };
}

static void object_with(const json_t *approval, const json_t *result, struct cg_buf *out)
{
    cg_auto_json object = json_deep_copy(approval);
    if (result)
        json_object_set(object, "result", (json_t *)result);
    cg_json_add(out, object);
}

size_t cg_effect_note(const struct cg_call *call, const char *state, struct cg_effect_note *note)
{
    *note = (struct cg_effect_note){ 0 };
    const json_t *result = json_object_get(call->outcome, "result");
    if (result)
        cg_json_add(&note->result, result);
    if (note->result.len > RESULT_MAX)
        cg_buf_clear(&note->result);
    bool sought = cg_effect_finder(call->run->env, call->run->caller, call->tool) != NULL;
    struct cogent_value *v = note->effect;
    v[0] = cogent_text(cogent_str(call->effect));
    v[1] = cogent_text(cogent_str(state));
    v[2] = cogent_int(cg_now_us());
    v[3] = text_or_null(&note->result);
    v[4] = cogent_text(cogent_str(sought ? "unknown" : ""));
    note->steps[0] = (struct cg_db_step){ &cg_store[CG_ST_EFFECT_STATE], v, 5 };
    if (!call->approval)
        return 1;
    object_with(call->approval, result, &note->object);
    note->steps[1] = approval_step(cg_json_str(call->approval, "id", ""), "approved", state, &note->object,
                                   note->approval);
    return 2;
}

void cg_effect_note_finish(struct cg_effect_note *note)
{
    cg_buf_finish(&note->result);
    cg_buf_finish(&note->object);
}

void cg_effect_later(const struct cg_run *run, const char *effect)
{
    const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
    cg_due_put(&due, "effect", run->caller->tenant, effect, cg_now_us() + wait_us(0));
}

json_t *cg_effect_object(struct cogent_row row)
{
    char a[CG_TIME_SIZE], b[CG_TIME_SIZE];
    const struct cogent_value *v = row.values;
    static const char *const names[] = { "effect", "run", "call", "tool", "state" };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set_new(object, names[i], cg_json_strn(v[i].str));
    json_object_set_new(object, "created", json_string(cg_time_format(v[5].num, a)));
    json_object_set_new(object, "updated", json_string(cg_time_format(v[6].num, b)));
    json_object_set_new(object, "user", cg_json_strn(v[7].str));
    json_object_set_new(object, "looks", json_integer((json_int_t)v[8].num));
    if (v[9].type == COGENT_TEXT)
        json_object_set_new(object, "decided_by", cg_json_strn(v[9].str));
    if (v[10].type == COGENT_TEXT)
        json_object_set_new(object, "note", cg_json_strn(v[10].str));
    if (v[11].type == COGENT_TEXT)
        json_object_set_new(object, "result", cg_json_parse(v[11].str, NULL));
    return object;
}

/* Settling one that was in doubt: the approval that allowed it is found by run and call. */

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
        cg_auto_json approval = cg_json_parse(row.values[3].str, NULL);
        object_with(approval, s->result, &object);
        const struct cg_db_step step = approval_step(id ? id : "", "unknown", s->state, &object, v);
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
                                       text_or_null(&text),
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

/* Looking later, without a run: the asker is who asked then, with the credential that was kept for it. */

struct looking {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cogent_op op;
    struct cg_caller *caller;
    struct cogent_asker asker;
    char *effect, *fields;
    void (*done)(void *arg, int64_t later_us);
    void *arg;
};

static void looking_free(struct looking *l)
{
    cg_caller_unref(l->caller);
    free(l->effect);
    free(l->fields);
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

static struct looking *looking_of(const struct cogent_asker *asker)
{
    return (struct looking *)((char *)asker - offsetof(struct looking, asker));
}

static const char *field(const struct cogent_asker *asker, const char *name)
{
    return cg_json_str(looking_of(asker)->caller->fields, name, NULL);
}

static const char *secret(const struct cogent_asker *asker, const char *name)
{
    const struct looking *l = looking_of(asker);
    return cg_runs_secret(l->runs, cg_tenant_name(l->caller->tenant), name);
}

static const char *handed(const struct cogent_asker *asker, const char *service)
{
    return cg_json_str(looking_of(asker)->caller->handed, service, NULL);
}

static void ask(struct looking *l, const struct cg_tool *finder)
{
    const struct cg_caller *c = l->caller;
    cg_auto_buf args = { 0 };
    cg_buf_printf(&args, "{\"key\":\"%s\"}", l->effect);
    l->fields = cg_json_text(c->fields);
    l->asker = (struct cogent_asker){ .size = sizeof l->asker,
                                      .tenant = cg_tenant_name(c->tenant),
                                      .user = c->user,
                                      .name = c->name,
                                      .locale = c->locale,
                                      .language = "en",
                                      .time_zone = c->time_zone,
                                      .authorization = c->authorization,
                                      .tenant_field = field,
                                      .secret = secret,
                                      .tenant_fields = l->fields,
                                      .issuer = c->issuer,
                                      .audience = c->audience,
                                      .handed = handed };
    if (cogent_op_none(
            cg_invoke_tool(&l->env->invoke, l->op, finder, cg_buf_view(&args), &l->asker, "", on_found, l)))
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
