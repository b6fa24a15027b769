/* SPDX-License-Identifier: Apache-2.0
 * ACT: planned calls, all at once. A write is on disk (fsync) before it is sent; whatever its end, it is never sent
 * again by anything but its own promise. */
#include "credential.h"
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/svc/store.h"

enum { RESULT_MAX = 256 * 1024 };

static const char *status_of(int err)
{
    return err == 0 ? "done" : err == COGENT_UNKNOWN ? "unknown" : err == COGENT_DENIED ? "denied" : "failed";
}

/* What became of an effect. */
static void note_effect(struct cg_call *call, const char *status)
{
    struct cg_effect_note note;
    const char *state = strcmp(status, "denied") == 0 ? "failed" : status;
    size_t n = cg_effect_note(call, state, &note);
    cg_run_write(call->run, CG_DB_COMMIT, note.steps, n, NULL, NULL);
    cg_effect_note_finish(&note);
    if (strcmp(state, "unknown") == 0 && cg_effect_finder(call->run->env, call->run->caller, call->tool))
        cg_effect_later(call->run, call->effect);
}

/* The error as user and model see it. What a service said about its own insides stays in the log's count. */
static json_t *error_of(int err, struct cogent_str text)
{
    struct cogent_str words = text.len ? text : cogent_str(cogent_err_name(err));
    return json_pack("{s:s, s:s%}", "class", cogent_err_name(err), "message", words.ptr, words.len);
}

static void settle_call(struct cg_call *call, int err, struct cogent_str text)
{
    struct cg_run *run = call->run;
    int64_t us = cg_mono_us() - call->began_us;
    const char *status = status_of(err), *tool = cg_json_str(cg_call_use(call), "name", "");
    json_t *body = json_pack("{s:s, s:s, s:s, s:I}", "call", call->id, "tool", tool, "status", status, "ms",
                             (json_int_t)(us / 1000));
    if (err == 0) {
        json_t *result = text.len <= RESULT_MAX ? cg_json_parse(text, NULL)
                                                : json_pack("{s:s}", "error", "the result is too large");
        json_t *cites = cg_cite_result(run, call->tool, result);
        json_object_set_new(body, "result", result ? result : json_null());
        json_object_set_new(body, "cites", cites);
        json_object_set_new(body, "first_cite", json_integer((json_int_t)json_array_size(run->cites) + 1));
    } else {
        json_object_set_new(body, "error", error_of(err, text));
        json_object_set_new(body, "cites", json_array());
    }
    cg_metric_add(run->env->metrics, CG_M_TOOL_CALLS, 1, tool, status, NULL);
    cg_metric_time(run->env->metrics, CG_M_TOOL_SECONDS, us, tool, NULL);
    cg_log(err == 0 ? CG_INFO : CG_WARN, "tool.call", CG_S("run", run->id), CG_S("tool", tool),
           CG_S("status", status), CG_S("class", err ? cogent_err_name(err) : ""), CG_I("ms", us / 1000));
    call->running = false;
    cg_run_emit_step(run, "tool", "done", us / 1000, -1);
    bool half =
        cg_run_half(run); /* a model must not answer from it; that a write was done stands all the same */
    if (half)
        run->fault = COGENT_NO_MEMORY;
    if (half && !call->effect[0])
        json_decref(body);
    if ((half && !call->effect[0]) || cg_run_row(run, CG_ROW_OUTCOME, body, false) < 0 || half)
        cg_run_stop(run, "failed");
    if (call->effect[0])
        note_effect(call, status);
}

/* The record under the effect's key is there: it was done. Not there: it may still come, so it stays unknown. */
static void on_looked(void *arg, int err, struct cogent_str text)
{
    struct cg_call *call = arg;
    struct cg_run *run = call->run;
    cg_auto_free char *lost = call->lost;
    call->lost = NULL;
    cg_log(CG_INFO, "effect.looked", CG_S("run", run->id), CG_S("call", call->id),
           CG_S("found", err == 0 ? "yes" : "no"));
    settle_call(call, err == 0 ? 0 : COGENT_UNKNOWN, err == 0 ? text : cogent_str(lost));
    cg_run_next(run);
}

/* Its answer was lost: where the promise is a record that can be found, it is looked for at once. */
static bool look(struct cg_call *call, struct cogent_str lost)
{
    struct cg_run *run = call->run;
    const struct cg_tool *finder = cg_effect_finder(run->env, run->caller, call->tool);
    cg_auto_buf args = { 0 };
    if (!finder || !call->effect[0])
        return false;
    call->lost = cg_str_dup(lost);
    call->running = true;
    cg_buf_printf(&args, "{\"key\":\"%s\"}", call->effect);
    call->op = cg_invoke_tool(&run->env->invoke, run->work, finder, cg_buf_view(&args), &run->asker.abi, "",
                              on_looked, call);
    if (!cogent_op_none(call->op))
        return true;
    cg_free_ptr(&call->lost);
    call->lost = NULL;
    return false;
}

static bool acts_as_user(const struct cg_tool *tool)
{
    const char *as = COGENT_HAS(tool->api, as) && tool->api->as ? tool->api->as : "";
    return strcmp(as, "caller") == 0 || strcmp(as, "handed") == 0 || strcmp(as, "user") == 0;
}

/* Whether the call can be made with the credential there is. What the service itself takes for dead is dead. */
static bool has_credential(const struct cg_call *call)
{
    const struct cg_caller *c = call->run->caller;
    if (!acts_as_user(call->tool))
        return true;
    return strcmp(call->tool->api->as, "handed") == 0 ? call->run->fresh || c->handed : cg_caller_fresh(c);
}

/* The service refused a credential that had been kept: its user is asked to come again, and nothing was done. */
static bool refused_credential(struct cg_call *call, int err)
{
    struct cg_run *run = call->run;
    if (err != COGENT_AUTH || run->fresh || run->unsigned_in || !acts_as_user(call->tool))
        return false;
    json_decref(run->caller->handed); /* a caller of this run's own: nobody else has it */
    run->caller->handed = NULL;
    run->caller->expires_us = 0;
    call->running = false;
    return cg_run_row(run, CG_ROW_AGAIN, json_pack("{s:s}", "call", call->id), false) == 0;
}

static void on_done(void *arg, int err, struct cogent_str text)
{
    struct cg_call *call = arg;
    struct cg_run *run = call->run;
    if (err == COGENT_UNKNOWN && look(call, text))
        return;
    if (!refused_credential(call, err))
        settle_call(call, err, text);
    cg_run_next(run);
}

static void send(struct cg_call *call)
{
    struct cg_run *run = call->run;
    cg_auto_buf args = { 0 };
    cg_json_canonical(&args, cg_call_args(call));
    call->op = args.failed ? (struct cogent_op){ 0, 0 }
                           : cg_invoke_tool(&run->env->invoke, run->work, call->tool, cg_buf_view(&args),
                                            &run->asker.abi, call->effect, on_done, call);
    if (cogent_op_none(call->op))
        on_done(call, COGENT_NO_MEMORY, cogent_str("out of memory"));
}

/* The effect is on disk, or it is not sent. Only those of the write that has just ended: others may be under way. */
static void on_planned(struct cg_run *run, int err)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        struct cg_call *call = run->calls[i];
        if (!call->running || !call->effect[0] || !cogent_op_none(call->op) ||
            call->state != CG_CALL_DISPATCHED || !cg_run_wrote(run, call->write))
            continue;
        if (err < 0) {
            settle_call(call, COGENT_UNAVAILABLE,
                        cogent_str("it could not be written down, so it was not sent"));
            cg_run_next(run);
        } else {
            send(call);
        }
    }
}

static void args_hash(const struct cg_call *call, char out[2 * CG_SHA256_SIZE + 1])
{
    unsigned char sum[CG_SHA256_SIZE];
    cg_auto_buf args = { 0 };
    cg_json_canonical(&args, cg_call_args(call));
    cg_sha256(cg_buf_view(&args), sum);
    cg_hex(sum, sizeof sum, out);
}

static void dispatch(struct cg_call *call)
{
    struct cg_run *run = call->run;
    call->running = true;
    call->op = (struct cogent_op){ 0, 0 };
    call->began_us = cg_mono_us();
    cg_run_emit_step(run, "tool", "started", -1, -1);
    if (call->state == CG_CALL_PLANNED &&
        cg_run_row(run, CG_ROW_DISPATCH,
                   json_pack("{s:s, s:s}", "call", call->id, "tool", call->tool->api->name), false) < 0) {
        call->running = false; /* else its end would be waited for */
        cg_run_stop(run, "failed");
        return;
    }
    if (!call->effect[0]) {
        send(call);
        return;
    }
    char hash[2 * CG_SHA256_SIZE + 1];
    args_hash(call, hash);
    cg_auto_buf sealed = { 0 };
    if (COGENT_HAS(call->tool->api, once) && call->tool->api->once == COGENT_ONCE_FIND)
        cg_credential_seal(run->env->keys, run->caller, run->id, &sealed);
    if (cg_run_half(run)) {
        settle_call(call, COGENT_NO_MEMORY,
                    cogent_str("there was no memory to write it down, so it was not sent"));
        cg_run_next(run);
        return;
    }
    struct cogent_value v[8] = {
        cogent_text(cogent_str(call->effect)),
        cogent_text(cogent_str(run->id)),
        cogent_text(cogent_str(call->id)),
        cogent_text(cogent_str(call->tool->api->name)),
        cogent_text(cogent_str(hash)),
        cogent_int(cg_now_us()),
        cogent_text(cogent_str(run->caller->user)),
        sealed.len ? cogent_text(cg_buf_view(&sealed)) : cogent_null(),
    };
    cg_run_survives(run);
    const struct cg_db_step plan = { &cg_store[CG_ST_EFFECT_PLAN], v, 8 };
    cg_run_write(run, CG_DB_FSYNC, &plan, 1, NULL, on_planned);
    call->write = run->writes;
}

static const char lost_words[] =
    "it was sent and its answer was lost: it may or may not have happened; a person must look";

/* A call that was sent by a process that is gone, and is not sent again. */
static void settle_lost(struct cg_call *call)
{
    call->began_us = cg_mono_us();
    if (call->effect[0])
        settle_call(call, COGENT_UNKNOWN, cogent_str(lost_words));
    else
        settle_call(call, COGENT_INTERNAL, cogent_str("the server stopped while it ran"));
}

/* Whether a call may go now. Without a credential that holds it waits for its user, or fails when they did not come. */
static bool may_send(struct cg_call *call)
{
    if (has_credential(call))
        return true;
    if (call->run->unsigned_in) {
        call->began_us = cg_mono_us();
        settle_call(call, call->state == CG_CALL_DISPATCHED && call->effect[0] ? COGENT_UNKNOWN : COGENT_AUTH,
                    cogent_str("the asking user did not sign in again in time"));
        cg_run_next(call->run);
    }
    return false;
}

/* Only a read, or a write whose service keeps the key's promise, is asked again. The tool may be gone meanwhile: its
 * file is not in the configuration any more. */
static void take_up(struct cg_call *call)
{
    if (call->tool && (!call->effect[0] || call->tool->api->once == COGENT_ONCE_HEADER)) {
        if (may_send(call))
            dispatch(call);
        return;
    }
    call->began_us = cg_mono_us();
    if (look(call, cogent_str(lost_words)))
        return;
    settle_lost(call);
    cg_run_next(call->run);
}

void cg_act_abandon(struct cg_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        if (run->calls[i]->state == CG_CALL_DISPATCHED && !run->calls[i]->in.outcome)
            settle_lost(run->calls[i]);
    }
}

/* Why a planned call is not to be sent after all; NULL: it is. Much may have changed since it was planned: days may lie
 * between a question and a person's yes. */
static const char *objection(const struct cg_call *call, int *err, char *why, size_t size)
{
    *err = COGENT_DENIED;
    if (!call->tool) {
        *err = COGENT_NOT_FOUND;
        return "there is no tool of this name any more";
    }
    if (!cg_caller_may(call->run->caller, call->tool->api->permission))
        return "the asking user no longer has the right";
    return cg_gate_still(call, why, size) ? NULL : why;
}

static void start_planned(struct cg_call *call)
{
    char text[400];
    int err;
    const char *why = objection(call, &err, text, sizeof text);
    if (!why) {
        if (may_send(call))
            dispatch(call);
        return;
    }
    call->began_us = cg_mono_us();
    settle_call(call, err, cogent_str(why));
    cg_run_next(call->run);
}

/* Whether nothing is under way, and what is left cannot go without its user. */
static bool only_credential_missing(const struct cg_run *run)
{
    size_t left = 0;
    for (size_t i = 0; i < run->n_calls; i++) {
        const struct cg_call *call = run->calls[i];
        if (call->running)
            return false;
        left += !call->in.outcome && (call->state == CG_CALL_PLANNED || call->state == CG_CALL_DISPATCHED);
    }
    return left > 0;
}

void cg_act_start(struct cg_run *run)
{
    /* One of them may end at once and move the run on: look at the run's own list each time. */
    for (size_t i = 0; i < run->n_calls && run->state == CG_RUN_ACT; i++) {
        struct cg_call *call = run->calls[i];
        if (call->running || call->in.outcome)
            continue;
        if (call->state == CG_CALL_PLANNED)
            start_planned(call);
        else if (call->state == CG_CALL_DISPATCHED)
            take_up(call);
    }
    if (run->state == CG_RUN_ACT && !run->stop && only_credential_missing(run))
        cg_suspend_for_credential(run);
}
