/* SPDX-License-Identifier: Apache-2.0
 * What became of an effect, written down: beside its run's rows, and in the approval that allowed it. */
#include "effects.h"

#include "engine/base/clock.h"
#include "engine/svc/store.h"
#include "state.h"

enum { RESULT_MAX = 16 * 1024 };

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

struct cg_db_step cg_effect_approval_step(const char *approval, const char *from, const char *state,
                                          const struct cg_buf *object, struct cogent_value values[4])
{
    values[0] = cogent_text(cogent_str(approval));
    values[1] = cogent_text(cogent_str(from));
    values[2] = cogent_text(cogent_str(state));
    values[3] = cogent_text(cg_buf_view(object));
    return (struct cg_db_step){ &cg_store[CG_ST_APPROVAL_STATE], values, 4 };
}

void cg_effect_approval_object(const json_t *approval, const json_t *result, struct cg_buf *out)
{
    cg_auto_json object = json_deep_copy(approval);
    if (result)
        json_object_set(object, "result", (json_t *)result);
    cg_json_add(out, object);
}

size_t cg_effect_note(const struct cg_call *call, const char *state, struct cg_effect_note *note)
{
    *note = (struct cg_effect_note){ 0 };
    const json_t *result = json_object_get(cg_call_outcome(call), "result");
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
    if (!call->in.ask)
        return 1;
    cg_effect_approval_object(cg_call_approval(call), result, &note->object);
    note->steps[1] = cg_effect_approval_step(cg_json_str(cg_call_approval(call), "id", ""), "approved", state,
                                             &note->object, note->approval);
    return 2;
}

void cg_effect_note_finish(struct cg_effect_note *note)
{
    cg_buf_finish(&note->result);
    cg_buf_finish(&note->object);
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
        json_object_set_new(object, "result", cg_json_reread(v[11].str));
    return object;
}
