/* SPDX-License-Identifier: Apache-2.0
 * The decision of an approval: one conditional update settles who decided; the loser is told how. */
#include "approval.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"
#include "runs.h"
#include "vote.h"

#include <stdlib.h>

struct deciding {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cogent_op op;
    struct cg_caller *caller;
    struct cg_sink sink;
    bool has_sink, approve, asker, settled;
    bool resuming, gone; /* the run is being taken up; meanwhile the client left */
    char id[CG_ID_SIZE], run_id[CG_ID_SIZE];
    json_t *object, *arguments;
    char *note;
    struct cg_buf votes_were, votes, edited;
    cg_decided_fn done;
    void *arg;
    uint32_t memory; /* cg_memory_failures when its row was read */
};

bool cg_approval_may(const struct cg_caller *caller, const json_t *approval)
{
    return cg_vote_open(caller, json_object_get(approval, "decider"), NULL);
}

bool cg_approval_wants(const struct cg_caller *caller, const json_t *approval)
{
    const json_t *decider = json_object_get(approval, "decider"), *votes = json_object_get(approval, "votes");
    return cg_vote_open(caller, decider, votes);
}

/* "MAC ARGUMENTS" */
int cg_edit_seal(const struct cg_keys *keys, const struct cg_tenant *tenant, const char *approval,
                 const json_t *args, struct cg_buf *out)
{
    cg_auto_buf text = { 0 };
    cg_json_canonical(&text, args);
    const struct cogent_str fields[] = { cogent_str(cg_tenant_id(tenant)), cogent_str(approval),
                                         cg_buf_view(&text) };
    int rc = cg_keys_sign(keys, "edit", fields, 3, out);
    cg_buf_char(out, ' ');
    cg_buf_str(out, cg_buf_view(&text));
    return rc < 0 || out->failed ? COGENT_NO_MEMORY : 0;
}

json_t *cg_edit_open(const struct cg_keys *keys, const struct cg_tenant *tenant, const char *approval,
                     struct cogent_str edited)
{
    const char *blank = memchr(edited.ptr, ' ', edited.len);
    if (!blank)
        return NULL;
    struct cogent_str mac = { edited.ptr, (size_t)(blank - edited.ptr) };
    struct cogent_str text = { blank + 1, edited.len - mac.len - 1 };
    const struct cogent_str fields[] = { cogent_str(cg_tenant_id(tenant)), cogent_str(approval), text };
    return cg_keys_verify(keys, "edit", fields, 3, mac) == 0 ? cg_json_reread(text) : NULL;
}

json_t *cg_approval_object(const struct cg_approval_row *row)
{
    json_t *object = cg_json_reread(row->body);
    if (!object)
        return NULL;
    bool expired = cg_str_eq(row->state, "waiting") && row->expires_us <= cg_now_us();
    json_object_set_new(object, "state", expired ? json_string("expired") : cg_json_strn(row->state));
    json_t *votes = row->votes.len ? cg_json_reread(row->votes) : NULL;
    if (json_array_size(votes))
        json_object_set(object, "votes", votes);
    json_decref(votes);
    const char *blank = row->edited.len ? memchr(row->edited.ptr, ' ', row->edited.len) : NULL;
    if (blank) {
        size_t skip = (size_t)(blank - row->edited.ptr) + 1;
        json_object_set_new(object, "arguments",
                            cg_json_parse((struct cogent_str){ blank + 1, row->edited.len - skip }, NULL));
        json_object_set_new(object, "edited", json_true());
    }
    return object;
}

static void deciding_free(struct deciding *d)
{
    json_decref(d->object);
    json_decref(d->arguments);
    cg_caller_unref(d->caller);
    cg_buf_finish(&d->votes_were);
    cg_buf_finish(&d->votes);
    cg_buf_finish(&d->edited);
    free(d->note);
    free(d);
}

static void finish(struct deciding *d, int err, const char *code, const char *why, struct cg_run *run)
{
    cg_op_finish(d->env->loop, d->op);
    d->done(d->arg, err, code, why, d->object, run);
    deciding_free(d);
}

/* The waiting client is gone: the decision, once made, goes on without it. */
static void on_gone(void *arg, int why)
{
    struct deciding *d = arg;
    (void)why;
    d->gone = true;
    if (!d->resuming)
        deciding_free(d);
}

static void on_resumed(void *arg, struct cg_run *run, int err, int64_t until)
{
    struct deciding *d = arg;
    (void)until;
    if (err < 0 && err != COGENT_CONFLICT && err != COGENT_NOT_FOUND)
        cg_log(CG_ERROR, "approval.resume", CG_S("run", d->run_id), CG_S("error", cogent_err_name(err)));
    if (d->gone) {
        deciding_free(d);
        return;
    }
    if (run && d->has_sink)
        cg_run_listen(run, &d->sink);
    finish(d, 0, NULL, NULL, d->asker ? run : NULL);
}

static void decide(struct deciding *d);

static void on_decided(void *arg, const struct cogent_db_result *result)
{
    struct deciding *d = arg;
    if (result->err < 0) {
        json_decref(d->object);
        d->object = NULL;
        finish(d, result->err, NULL, NULL, NULL);
        return;
    }
    if (result->rows(result, 0) == 0) { /* somebody was quicker: look again */
        json_decref(d->object);
        d->object = NULL;
        decide(d);
        return;
    }
    const char *state = !d->approve ? "denied" : d->settled ? "approved" : "waiting";
    json_object_set_new(d->object, "state", json_string(state));
    json_object_set_new(d->object, "votes", cg_json_parse(cg_buf_view(&d->votes), NULL));
    if (d->arguments) {
        json_object_set(d->object, "arguments", d->arguments);
        json_object_set_new(d->object, "edited", json_true());
    }
    cg_metric_add(d->env->metrics, CG_M_APPROVALS, 1, d->settled || !d->approve ? state : "joined", NULL,
                  NULL);
    cg_log(CG_INFO, "approval.decided", CG_S("approval", d->id), CG_S("state", state),
           CG_S("run", d->run_id));
    if (strcmp(state, "waiting") == 0) {
        finish(d, 0, NULL, NULL, NULL);
        return;
    }
    d->resuming = true;
    cg_run_resume(d->runs, d->caller->tenant, d->run_id, d->asker ? d->caller : NULL, on_resumed, d);
}

/* The caller's yes beside those of others; one that changes the arguments makes the others' void. */
static int count_votes(struct deciding *d)
{
    const json_t *decider = json_object_get(d->object, "decider");
    cg_auto_json votes = d->arguments ? json_array() : json_deep_copy(json_object_get(d->object, "votes"));
    if (!votes)
        votes = json_array();
    if (d->approve)
        json_array_append_new(votes, cg_vote_make(d->caller));
    d->settled = cg_vote_settled(decider, votes);
    cg_buf_clear(&d->votes);
    cg_buf_clear(&d->edited);
    cg_json_add(&d->votes, votes);
    return d->arguments ? cg_edit_seal(d->env->keys, d->caller->tenant, d->id, d->arguments, &d->edited) : 0;
}

static struct cogent_value text_or_null(const struct cg_buf *text)
{
    return text->len ? cogent_text(cg_buf_view(text)) : cogent_null();
}

static void write_decision(struct deciding *d)
{
    bool last = d->settled || !d->approve;
    const char *state = !d->approve ? "denied" : d->settled ? "approved" : "waiting";
    struct cogent_value v[9] = { cogent_text(cogent_str(d->id)),
                                 cogent_text(cogent_str(state)),
                                 last ? cogent_text(cogent_str(d->caller->user)) : cogent_null(),
                                 last ? cogent_text(cogent_str(d->approve ? "approve" : "deny"))
                                      : cogent_null(),
                                 cogent_int(cg_now_us()),
                                 cogent_text(cg_buf_view(&d->votes_were)),
                                 cogent_text(cg_buf_view(&d->votes)),
                                 text_or_null(&d->edited),
                                 d->note ? cogent_text(cogent_str(d->note)) : cogent_null() };
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_DECIDE], v, 9 };
    /* Before the decision is on disk: should this worker die between the two, another finds the run. */
    const struct cg_due due = { d->env->loop, d->env->db, d->env->keys, d->env->owner };
    if (last)
        cg_due_put(&due, "run", d->caller->tenant, d->run_id, cg_now_us() + 2000000);
    cg_db_run(d->env->db, d->op, d->caller->tenant, CG_DB_FSYNC, &step, 1, on_decided, d);
}

/* Changed arguments must be ones that the tool takes; the policies are asked when the run is taken up. */
static bool arguments_fit(struct deciding *d, char *why, size_t size)
{
    struct cg_err err;
    const char *name = cg_json_str(d->object, "tool", "");
    const struct cg_tool *tool = cg_tool_find(d->env->plugins, cogent_str(name));
    if (!d->arguments)
        return true;
    int rc = tool ? cg_schema_fill(tool->schema, d->arguments) : COGENT_NOT_FOUND;
    if (rc == 0)
        rc = cg_schema_check(tool->schema, d->arguments, &err);
    else
        cg_err_set(&err, rc, "there is no tool %s any more", name);
    cg_str_copy(why, size, cogent_str(rc < 0 ? err.message : ""));
    return rc == 0;
}

/* Whether the caller wants the call as it stands. */
static bool same_arguments(const struct deciding *d)
{
    return !d->arguments || json_equal(d->arguments, json_object_get(d->object, "arguments"));
}

static void decide_waiting(struct deciding *d)
{
    char why[400];
    if (!arguments_fit(d, why, sizeof why)) {
        finish(d, COGENT_INVALID, "arguments_invalid", why, NULL);
        return;
    }
    if (d->approve && same_arguments(d) &&
        cg_vote_has(json_object_get(d->object, "votes"), d->caller->user)) {
        finish(d, 0, NULL, NULL, NULL); /* said before */
        return;
    }
    /* What is compared with the row's votes must be whole, or the row would be looked at again and again. */
    if (count_votes(d) < 0 || d->memory != cg_memory_failures())
        finish(d, COGENT_NO_MEMORY, NULL, NULL, NULL);
    else
        write_decision(d);
}

static struct cogent_str text_at(struct cogent_row row, size_t i)
{
    return row.values[i].type == COGENT_TEXT ? row.values[i].str : (struct cogent_str){ NULL, 0 };
}

static void on_read(void *arg, const struct cogent_db_result *result)
{
    struct deciding *d = arg;
    d->memory = cg_memory_failures();
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n == 0) {
        finish(d, result->err < 0 ? result->err : COGENT_NOT_FOUND, NULL, NULL, NULL);
        return;
    }
    const struct cg_approval_row fields = { row.values[4].str, row.values[3].str, text_at(row, 10),
                                            text_at(row, 11), row.values[7].num };
    d->object = cg_approval_object(&fields);
    cg_buf_clear(&d->votes_were);
    cg_buf_str(&d->votes_were, fields.votes);
    cg_str_copy(d->run_id, sizeof d->run_id, row.values[0].str);
    d->asker = cg_str_eq(row.values[1].str, d->caller->user);
    if (!d->asker)
        d->has_sink = false; /* the answer is the asker's alone */
    if (!cg_approval_may(d->caller, d->object)) {
        json_decref(d->object);
        d->object = NULL;
        finish(d, COGENT_NOT_FOUND, NULL, NULL, NULL);
        return;
    }
    const char *state = cg_json_str(d->object, "state", "");
    if (strcmp(state, "waiting") == 0) {
        decide_waiting(d);
        return;
    }
    if (strcmp(state, "expired") == 0) {
        finish(d, COGENT_CONFLICT, "approval_expired", NULL, NULL);
        return;
    }
    bool mine = cg_str_eq(text_at(row, 8), d->caller->user) ||
                (d->approve && cg_vote_has(json_object_get(d->object, "votes"), d->caller->user));
    char why[400];
    bool same = cg_str_eq(text_at(row, 9), d->approve ? "approve" : "deny") &&
                arguments_fit(d, why, sizeof why) && same_arguments(d);
    finish(d, mine && same ? 0 : COGENT_CONFLICT, mine && same ? NULL : "approval_decided", NULL, NULL);
}

static void decide(struct deciding *d)
{
    const struct cogent_value id = cogent_text(cogent_str(d->id));
    const struct cg_db_step step = { &cg_store[CG_ST_APPROVAL_GET], &id, 1 };
    if (cogent_op_none(cg_db_run(d->env->db, d->op, d->caller->tenant, CG_DB_READ, &step, 1, on_read, d)))
        finish(d, COGENT_NO_MEMORY, NULL, NULL, NULL);
}

void cg_approval_decide(struct cg_runs *runs, struct cogent_op parent, const struct cg_decide *request,
                        cg_decided_fn done, void *arg)
{
    struct deciding *d = calloc(1, sizeof *d);
    if (!d) {
        done(arg, COGENT_NO_MEMORY, NULL, NULL, NULL, NULL);
        return;
    }
    d->runs = runs;
    d->env = cg_runs_env(runs);
    d->caller = cg_caller_ref(request->caller);
    d->approve = request->approve;
    d->arguments = request->arguments ? json_deep_copy(request->arguments) : NULL;
    d->note = request->note ? cg_str_dup(cogent_str(request->note)) : NULL;
    d->done = done;
    d->arg = arg;
    d->has_sink = request->sink != NULL;
    if (request->sink)
        d->sink = *request->sink;
    cg_str_copy(d->id, sizeof d->id, cogent_str(request->approval));
    d->op = cg_op_start(d->env->loop, parent, "approval", 0, on_gone, d);
    decide(d);
}
