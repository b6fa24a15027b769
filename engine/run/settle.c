/* SPDX-License-Identifier: Apache-2.0
 * SETTLE: the end row, then the final event, when it is on disk. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"

static const char *words_for(const char *status)
{
    static const struct {
        const char *status, *words;
    } table[] = {
        { "cancelled", "This was cancelled." },
        { "limited", "I could not finish this within the limits for one question." },
        { "refused", "The model's provider refused to answer this." },
        { "failed", "Something went wrong on our side." },
        { "complete", "I have nothing to say to that." },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].status, status) == 0)
            return table[i].words;
    }
    return "";
}

static void on_written(struct cg_run *run, int err)
{
    const char *status = cg_json_str(cg_run_ending(run), "status", "failed");
    int64_t us = cg_mono_us() - run->began_us;
    if (err < 0)
        cg_log(CG_ERROR, "run.lost", CG_S("run", run->id), CG_S("status", status));
    cg_run_emit_row(run, run->n_rows - 1);
    if (run->due) {
        const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
        cg_due_drop(&due, "run", run->caller->tenant, run->id);
    }
    cg_metric_add(run->env->metrics, CG_M_RUNS, 1, status, NULL, NULL);
    cg_metric_time(run->env->metrics, CG_M_RUN_SECONDS, us, status, NULL);
    cg_log(CG_INFO, "run.end", CG_S("run", run->id), CG_S("tenant", cg_tenant_name(run->caller->tenant)),
           CG_S("status", status), CG_I("ms", us / 1000), CG_I("turns", run->n_turns),
           CG_I("calls", run->n_calls));
    cg_run_enter(run, CG_RUN_OVER, status);
    cg_run_destroy(run);
}

/* Whether a person is still asked about one of its calls, or has allowed one that is not sent any more. */
static bool asks(const struct cg_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        const struct cg_call *call = run->calls[i];
        if (call->state == CG_CALL_ASKING || (call->state == CG_CALL_PLANNED && call->in.ask))
            return true;
    }
    return false;
}

json_t *cg_run_cited(const struct cg_run *run)
{
    json_t *cited = json_array();
    for (size_t i = 0; i < json_array_size(run->shown); i++)
        json_array_append_new(cited, json_integer((json_int_t)i + 1));
    return cited;
}

/* Of a run that failed by no word of a provider. */
static json_t *fault_body(const struct cg_run *run)
{
    if (run->fault == COGENT_NO_MEMORY)
        return cg_error_body(COGENT_NO_MEMORY, "out_of_memory", "The server is out of memory; try again.",
                             NULL);
    if (run->fault == COGENT_UNAVAILABLE)
        return cg_error_body(COGENT_UNAVAILABLE, NULL, "The answer could not be written down; try again.",
                             NULL);
    return cg_error_body(COGENT_INTERNAL, NULL, words_for("failed"), NULL);
}

static json_t *end_body(const struct cg_run *run, const char *status, const char *content,
                        const json_t *error)
{
    json_t *body =
        json_pack("{s:s, s:s, s:o}", "status", status, "content", content, "citations", cg_run_cited(run));
    int rc = body ? 0 : -1;
    if (rc == 0 && error)
        rc = json_object_set(body, "error", (json_t *)error);
    if (rc == 0 && strcmp(status, "failed") == 0 && !error)
        rc = json_object_set_new(body, "error", fault_body(run));
    if (rc == 0)
        return body;
    json_decref(body);
    return NULL;
}

void cg_settle_start(struct cg_run *run, const char *status, const char *words, const json_t *error)
{
    if (run->state >= CG_RUN_SETTLE)
        return;
    cg_run_enter(run, CG_RUN_SETTLE, status);
    cg_run_work(run); /* whatever was under way is over */
    cg_plan_cancel(run);
    const char *content = words ? words : run->content.len ? run->content.ptr : words_for(status);
    json_t *body = end_body(run, status, content, error);
    if (!body) /* one more try: what has no end row is taken for running */
        body = end_body(run, status, content, error);
    if (cg_run_row(run, CG_ROW_END, body, true) < 0) {
        cg_log(CG_ERROR, "run.lost", CG_S("run", run->id), CG_S("status", status));
        cg_run_emit(run, CG_EV_ERROR, NULL, NULL); /* nobody waits in vain */
        cg_run_destroy(run);
        return;
    }
    const struct cogent_value id = cogent_text(cogent_str(run->id));
    struct cg_db_step steps[2] = { { &cg_store[CG_ST_APPROVAL_VOID], &id, 1 } };
    struct cg_session_write turn = { 0 };
    size_t n = asks(run) ? 1 : 0;
    if (cg_session_turn_step(run, status, cg_json_str(cg_run_ending(run), "content", ""), &turn))
        steps[n++] = turn.step;
    cg_run_write(run, CG_DB_COMMIT, steps, n, status, on_written);
    json_decref(turn.texts);
}
