/* SPDX-License-Identifier: Apache-2.0
 * State = fold(rows). One function a kind of row; nothing else may change what is folded. */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const call_states[] = { "proposed",   "denied", "asking", "planned",
                                           "dispatched", "done",   "failed", "unknown" };

const char *cg_call_state_name(enum cg_call_state state)
{
    return call_states[state];
}

static enum cg_call_state call_state_of(const char *name)
{
    for (int i = 0; i <= CG_CALL_UNKNOWN; i++) {
        if (strcmp(call_states[i], name) == 0)
            return (enum cg_call_state)i;
    }
    return CG_CALL_FAILED;
}

struct cg_call *cg_run_call(struct cg_run *run, const char *id)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        if (strcmp(run->calls[i]->id, id) == 0)
            return run->calls[i];
    }
    return NULL;
}

static struct cg_call *call_of_row(struct cg_run *run, const json_t *body)
{
    return cg_run_call(run, cg_json_str(body, "call", ""));
}

/* The row at hand: it is not counted yet. Never 0, which is the opening row. */
static unsigned folded(const struct cg_run *run)
{
    return (unsigned)run->n_rows;
}

static int fold_open(struct cg_run *run, json_t *body)
{
    run->detached = cg_json_bool(body, "detach", false);
    run->keeps = cg_json_bool(body, "keeps", false);
    cg_str_copy(run->session, sizeof run->session, cogent_str(cg_json_str(body, "session", "")));
    return cg_asker_speaks(&run->asker, cg_json_str(body, "locale", run->caller->locale),
                           cg_json_str(body, "time_zone", run->caller->time_zone));
}

static int fold_context(struct cg_run *run, json_t *body)
{
    run->in.context = folded(run);
    json_array_extend(run->cites, json_object_get(body, "cites"));
    return 0;
}

static int add_call(struct cg_run *run, unsigned at, const json_t *use)
{
    struct cg_call **calls = realloc(run->calls, (run->n_calls + 1) * sizeof *calls);
    struct cg_call *call = calloc(1, sizeof *call);
    if (calls)
        run->calls = calls;
    if (!calls || !call) {
        free(call);
        return COGENT_NO_MEMORY;
    }
    call->run = run;
    call->in.answer = folded(run);
    call->at = at;
    call->tool = cg_tool_find(run->env->plugins, cogent_str(cg_json_str(use, "name", "")));
    snprintf(call->id, sizeof call->id, "c%zu", run->n_calls + 1);
    run->calls[run->n_calls++] = call;
    return 0;
}

static int fold_answer(struct cg_run *run, json_t *body)
{
    size_t i;
    json_t *entry;
    struct cg_turn *turns = realloc(run->turns, (run->n_turns + 1) * sizeof *turns);
    if (!turns)
        return COGENT_NO_MEMORY;
    run->turns = turns;
    turns[run->n_turns] =
        (struct cg_turn){ folded(run), run->n_calls, json_array_size(json_object_get(body, "calls")) };
    json_array_foreach (json_object_get(body, "calls"), i, entry) {
        int rc = add_call(run, (unsigned)i, entry);
        if (rc < 0)
            return rc;
    }
    run->n_turns++;
    cg_buf_text(&run->content, cg_json_str(body, "text", ""));
    json_array_clear(run->shown);
    json_array_extend(run->shown, json_object_get(body, "shown"));
    const json_t *usage = json_object_get(body, "usage");
    run->input_tokens += cg_json_int(usage, "input_tokens", 0);
    run->cached_tokens += cg_json_int(usage, "cached_tokens", 0);
    run->output_tokens += cg_json_int(usage, "output_tokens", 0);
    return run->content.failed ? COGENT_NO_MEMORY : 0;
}

static int fold_verdict(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (!call)
        return 0;
    const char *verdict = cg_json_str(body, "verdict", "deny");
    call->in.verdict = call->in.args = folded(run);
    cg_str_copy(call->effect, sizeof call->effect, cogent_str(cg_json_str(body, "effect_id", "")));
    call->state = strcmp(verdict, "allow") == 0 ? CG_CALL_PLANNED
                  : strcmp(verdict, "ask") == 0 ? CG_CALL_ASKING
                                                : CG_CALL_DENIED;
    return 0;
}

static int fold_dispatch(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (!call)
        return 0;
    call->state = CG_CALL_DISPATCHED;
    if (call->effect[0])
        run->effects = true;
    return 0;
}

static int fold_again(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (call)
        call->state = CG_CALL_PLANNED;
    return 0;
}

static int fold_outcome(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (!call)
        return 0;
    call->in.outcome = folded(run);
    call->state = call_state_of(cg_json_str(body, "status", "failed"));
    json_array_extend(run->cites, json_object_get(body, "cites"));
    return 0;
}

static int fold_ask(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (call)
        call->in.ask = folded(run);
    return 0;
}

static int fold_decision(struct cg_run *run, json_t *body)
{
    struct cg_call *call = call_of_row(run, body);
    if (!call || call->state != CG_CALL_ASKING)
        return 0;
    call->in.votes = folded(run);
    call->state =
        strcmp(cg_json_str(body, "decision", ""), "approve") == 0 ? CG_CALL_PLANNED : CG_CALL_DENIED;
    if (json_object_get(body, "args")) { /* who decided has changed them */
        call->in.args = folded(run);
        call->edited = true;
    }
    return 0;
}

/* These tell the reader something, and change nothing. */
static int fold_nothing(struct cg_run *run, json_t *body)
{
    (void)run, (void)body;
    return 0;
}

static int fold_end(struct cg_run *run, json_t *body)
{
    (void)body;
    run->in.end = folded(run);
    return 0;
}

int cg_fold_row(struct cg_run *run, const struct cg_row *row)
{
    static int (*const folds[CG_ROW_KINDS])(struct cg_run * run, json_t * body) = {
        [CG_ROW_OPEN] = fold_open,       [CG_ROW_CONTEXT] = fold_context,   [CG_ROW_ANSWER] = fold_answer,
        [CG_ROW_VERDICT] = fold_verdict, [CG_ROW_DISPATCH] = fold_dispatch, [CG_ROW_OUTCOME] = fold_outcome,
        [CG_ROW_ASK] = fold_ask,         [CG_ROW_DECISION] = fold_decision, [CG_ROW_WAIT] = fold_nothing,
        [CG_ROW_RESTART] = fold_nothing, [CG_ROW_AGAIN] = fold_again,       [CG_ROW_END] = fold_end,
    };
    return folds[row->kind](run, row->body);
}

json_t *cg_run_opening(const struct cg_run *run)
{
    return cg_run_body(run, 0);
}

/* What a row after the opening one says. */
static json_t *said(const struct cg_run *run, unsigned row)
{
    return row ? cg_run_body(run, row) : NULL;
}

json_t *cg_run_context(const struct cg_run *run)
{
    return said(run, run->in.context);
}

json_t *cg_run_ending(const struct cg_run *run)
{
    return said(run, run->in.end);
}

json_t *cg_call_use(const struct cg_call *call)
{
    return json_array_get(json_object_get(said(call->run, call->in.answer), "calls"), call->at);
}

json_t *cg_call_args(const struct cg_call *call)
{
    return json_object_get(said(call->run, call->in.args), "args");
}

json_t *cg_call_verdict(const struct cg_call *call)
{
    return said(call->run, call->in.verdict);
}

json_t *cg_call_approval(const struct cg_call *call)
{
    return json_object_get(said(call->run, call->in.ask), "approval");
}

json_t *cg_call_votes(const struct cg_call *call)
{
    return json_object_get(said(call->run, call->in.votes), "votes");
}

json_t *cg_call_outcome(const struct cg_call *call)
{
    return said(call->run, call->in.outcome);
}
