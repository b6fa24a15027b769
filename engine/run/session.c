/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "engine/base/utf8.h"
#include "engine/svc/store.h"
#include "state.h"

#include <stdlib.h>

enum { TITLE_MAX = 80 };

/* What an answer rests on: the permissions of the records the model saw and of the tools whose results it saw, and
 * what the turns before it, which the model saw as well, rest on. */
static void add_need(json_t *needs, const char *permission)
{
    size_t i;
    json_t *have;
    json_array_foreach (needs, i, have) {
        if (strcmp(json_string_value(have), permission) == 0)
            return;
    }
    json_array_append_new(needs, json_string(permission));
}

static json_t *needs_of(const struct cg_run *run)
{
    size_t i;
    json_t *record;
    json_t *needs = json_array();
    json_array_extend(needs, json_object_get(cg_run_opening(run), "needs"));
    json_array_foreach (json_object_get(cg_run_context(run), "records"), i, record) {
        const struct cg_kind *kind = cg_kind_find(run->env->kinds, cg_json_str(record, "type", ""));
        if (kind)
            add_need(needs, kind->read);
    }
    for (i = 0; i < run->n_calls; i++) {
        const struct cg_call *call = run->calls[i];
        if (call->tool && json_object_get(cg_call_outcome(call), "result"))
            add_need(needs, call->tool->api->permission);
    }
    return needs;
}

/* The citations as the reader saw them: n counts from 1 in the order of their first marker. */
static json_t *citations_of(const struct cg_run *run)
{
    size_t i;
    json_t *n;
    json_t *list = json_array();
    json_array_foreach (run->shown, i, n) {
        json_t *cite = json_deep_copy(json_array_get(run->cites, (size_t)json_integer_value(n) - 1));
        if (cite && json_object_set_new(cite, "n", json_integer((json_int_t)i + 1)) == 0)
            json_array_append_new(list, cite);
    }
    return list;
}

static struct cogent_value keep(struct cg_session_write *w, char *text)
{
    json_t *kept = text ? json_string(text) : json_string("");
    free(text);
    json_array_append_new(w->texts, kept);
    return cogent_text((struct cogent_str){ json_string_value(kept), json_string_length(kept) });
}

void cg_session_open_step(const struct cg_run *run, struct cogent_value values[4], struct cg_db_step *out)
{
    const json_t *query = json_object_get(cg_run_opening(run), "query");
    struct cogent_str title = { json_string_value(query), json_string_length(query) };
    title.len = cg_utf8_cut(title, TITLE_MAX);
    values[0] = cogent_text(cogent_str(run->session));
    values[1] = cogent_text(cogent_str(run->caller->user));
    values[2] = cogent_text(title);
    values[3] = cogent_int(cg_now_us());
    *out = (struct cg_db_step){ &cg_store[CG_ST_SESSION_PUT], values, 4 };
}

size_t cg_session_turn_step(const struct cg_run *run, const char *status, const char *content,
                            struct cg_session_write *w)
{
    if (!run->keeps)
        return 0;
    uint32_t memory = cg_memory_failures();
    cg_auto_json needs = needs_of(run);
    if (memory != cg_memory_failures()) { /* one may be missing: then nobody reads it */
        json_decref(needs);
        needs = NULL;
    }
    cg_auto_json cites = citations_of(run);
    struct cogent_value *v = w->values;
    w->texts = json_array();
    v[0] = cogent_text(cogent_str(run->session));
    v[1] = cogent_text(cogent_str(run->id));
    v[2] = cogent_int(run->rows[0].at_us);
    v[3] = cogent_text(cogent_str(status));
    v[4] = cogent_text(cogent_str(cg_json_str(cg_run_opening(run), "query", "")));
    v[5] = cogent_text(cogent_str(content));
    v[6] = keep(w, cg_json_text(cites));
    v[7] = keep(w, cg_json_text(needs));
    w->step = (struct cg_db_step){ &cg_store[CG_ST_TURN_PUT], v, 8 };
    return 1;
}

/* Reading. */

struct loading {
    const struct cg_run_env *env;
    struct cogent_op op;
    struct cg_caller *caller;
    char session[CG_ID_SIZE + 32];
    cg_session_fn done;
    void *arg;
};

static void loading_free(struct loading *l)
{
    cg_caller_unref(l->caller);
    free(l);
}

static void on_ended(void *arg, int why)
{
    (void)why;
    loading_free(arg);
}

json_t *cg_session_object(struct cogent_str session, struct cogent_str title, int64_t created,
                          int64_t updated)
{
    char a[CG_TIME_SIZE], b[CG_TIME_SIZE];
    return json_pack("{s:s%, s:s%, s:s, s:s}", "session", session.ptr, session.len, "title", title.ptr,
                     title.len, "created", cg_time_format(created, a), "updated", cg_time_format(updated, b));
}

bool cg_session_may_read(const struct cg_caller *caller, const json_t *needs)
{
    size_t i;
    json_t *permission;
    json_array_foreach (needs, i, permission) {
        if (!cg_caller_may(caller, json_string_value(permission)))
            return false;
    }
    return true;
}

static json_t *turn_of(const struct loading *l, struct cogent_row row)
{
    char at[CG_TIME_SIZE];
    const struct cogent_value *v = row.values;
    cg_auto_json needs = cg_json_reread(v[6].str);
    bool shown = json_is_array(needs) && cg_session_may_read(l->caller, needs);
    json_t *cites = shown ? cg_json_reread(v[5].str) : json_array();
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:O*}", "run", cg_json_strn(v[0].str), "at",
                     cg_time_format(v[1].num, at), "status", cg_json_strn(v[2].str), "query",
                     cg_json_strn(v[3].str), "content",
                     shown ? cg_json_strn(v[4].str) : json_string(CG_HIDDEN_WORDS), "citations",
                     cites ? cites : json_array(), "needs", shown ? needs : NULL);
}

static void on_loaded(void *arg, const struct cogent_db_result *result)
{
    struct loading *l = arg;
    struct cogent_row head = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    cg_auto_json turns = json_array();
    cg_auto_json session = NULL;
    int err = result->err < 0 ? result->err : head.n == 0 ? COGENT_NOT_FOUND : 0;
    if (err == 0) {
        session = cg_session_object(cogent_str(l->session), head.values[0].str, head.values[1].num,
                                    head.values[2].num);
        for (size_t i = result->rows(result, 1); i-- > 0;) {
            json_t *turn = turn_of(l, result->row(result, 1, i));
            if (turn)
                json_array_append_new(turns, turn);
        }
    }
    cg_op_finish(l->env->loop, l->op);
    l->done(l->arg, err, session, turns);
    loading_free(l);
}

void cg_session_load(const struct cg_run_env *env, struct cogent_op parent, const struct cg_caller *caller,
                     const char *session, size_t turns, cg_session_fn done, void *arg)
{
    struct loading *l = calloc(1, sizeof *l);
    if (!l) {
        done(arg, COGENT_NO_MEMORY, NULL, NULL);
        return;
    }
    l->env = env;
    l->caller = cg_caller_ref((struct cg_caller *)caller);
    l->done = done;
    l->arg = arg;
    cg_str_copy(l->session, sizeof l->session, cogent_str(session));
    l->op = cg_op_start(env->loop, parent, "session", 0, on_ended, l);
    const struct cogent_value v[3] = { cogent_text(cogent_str(l->session)),
                                       cogent_text(cogent_str(caller->user)), cogent_int((int64_t)turns) };
    const struct cg_db_step steps[] = { { &cg_store[CG_ST_SESSION_GET], v, 2 },
                                        { &cg_store[CG_ST_TURN_LIST], v, 3 } };
    cg_db_run(env->db, l->op, caller->tenant, CG_DB_READ, steps, 2, on_loaded, l);
}

json_t *cg_session_history(const json_t *turns, json_t *needs)
{
    size_t i, n;
    json_t *turn, *permission;
    json_t *history = json_array();
    json_array_foreach (turns, i, turn) {
        const char *status = cg_json_str(turn, "status", "");
        if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0)
            continue;
        json_array_foreach (json_object_get(turn, "needs"), n, permission)
            add_need(needs, json_string_value(permission));
        json_array_append_new(
            history, json_pack("{s:s, s:O}", "role", "user", "content", json_object_get(turn, "query")));
        json_array_append_new(history, json_pack("{s:s, s:O}", "role", "assistant", "content",
                                                 json_object_get(turn, "content")));
    }
    return history;
}
