/* SPDX-License-Identifier: Apache-2.0
 * SUSPEND: what needs nobody has run. The approvals are written with the journal in one group; then the stream ends
 * as `waiting` and the memory is freed. */
#include "approval.h"
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/utf8.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"

#include <stdio.h>

enum { ASKS_MAX = 16, TITLE_MAX = 400 };

static void add_words(const json_t *value, struct cg_buf *out)
{
    const char *key;
    size_t i;
    json_t *member;
    if (json_is_object(value)) {
        bool first = true;
        json_object_foreach ((json_t *)value, key, member) {
            cg_buf_printf(out, "%s%s ", first ? "" : ", ", key);
            add_words(member, out);
            first = false;
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, i, member) {
            if (i)
                cg_buf_text(out, "; ");
            add_words(member, out);
        }
    } else if (json_is_string(value)) {
        cg_buf_add(out, json_string_value(value), json_string_length(value));
    } else {
        cg_json_add(out, value);
    }
}

/* The tool's `ask` with its arguments, or its name and all of them. */
static json_t *title_of(const struct cg_call *call)
{
    cg_auto_buf out = { 0 };
    const char *ask = COGENT_HAS(call->tool->api, ask) ? call->tool->api->ask : NULL;
    if (!ask) {
        cg_buf_printf(&out, "%s: ", call->tool->api->name);
        add_words(cg_call_args(call), &out);
    }
    while (ask && *ask) {
        char name[65];
        size_t n = strcspn(ask, "{");
        cg_buf_add(&out, ask, n);
        ask += n;
        n = strcspn(ask, "}");
        if (*ask != '{' || ask[n] != '}')
            break;
        cg_str_copy(name, sizeof name, (struct cogent_str){ ask + 1, n - 1 });
        json_t *value = json_object_get(cg_call_args(call), name);
        if (value)
            add_words(value, &out);
        ask += n + 1;
    }
    struct cogent_str text = cg_buf_view(&out);
    text.len = cg_utf8_cut(text, TITLE_MAX);
    return cg_json_strn(text);
}

static void add_deciders(json_t *list, const char *key, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach (names, i, name)
        json_array_append_new(list, json_pack("{s:O}", key, name));
}

/* Whom the policies want: one, or a list when several must agree; the asking user when they name nobody. */
static json_t *decider_of(const struct cg_call *call)
{
    const json_t *conditions = json_object_get(cg_call_verdict(call), "conditions");
    json_t *list = json_array();
    add_deciders(list, "role", json_object_get(conditions, "role"));
    add_deciders(list, "user", json_object_get(conditions, "user"));
    if (json_array_size(list) == 0 || cg_json_bool(conditions, "self", false))
        json_array_append_new(list, json_pack("{s:s}", "user", call->run->caller->user));
    if (json_array_size(list) > 1)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(list);
    return one;
}

/* The configured time, or a policy's shorter one. */
static int64_t expiry_of(const struct cg_call *call, int64_t now)
{
    const char *said = cg_json_str(json_object_get(cg_call_verdict(call), "conditions"), "expires", NULL);
    int64_t most = call->run->env->limits.approval_ms, ms = said ? cg_duration_parse(cogent_str(said)) : most;
    return now + (ms > 0 && ms < most ? ms : most) * 1000;
}

static json_t *approval_of(const struct cg_call *call, int64_t now, int64_t expires)
{
    char id[CG_ID_SIZE], created_text[CG_TIME_SIZE], expires_text[CG_TIME_SIZE];
    const struct cg_run *run = call->run;
    return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:o, s:O, s:O, s:O, s:o, s:b, s:s, s:s}", "id",
                     cg_id_make("ap_", id), "run", run->id, "session", run->session[0] ? run->session : NULL,
                     "state", "waiting", "tool", call->tool->api->name, "title", title_of(call), "arguments",
                     cg_call_args(call), "sources", json_object_get(cg_call_verdict(call), "sources"),
                     "reason", json_object_get(cg_call_verdict(call), "reason"), "decider", decider_of(call),
                     "editable", 1, "created", cg_time_format(now, created_text), "expires",
                     cg_time_format(expires, expires_text));
}

enum { MAC_FIELDS = 8 };

/* The arguments are those that were proposed: what a decider changes is under a MAC of its own. */
static void mac_fields(const struct cg_run *run, const struct cg_call *call, struct cg_buf *args,
                       struct cogent_str fields[MAC_FIELDS])
{
    cg_json_canonical(args, json_object_get(cg_call_verdict(call), "args"));
    fields[0] = cogent_str(cg_json_str(cg_call_approval(call), "id", ""));
    fields[1] = cogent_str(cg_tenant_id(run->caller->tenant));
    fields[2] = cogent_str(run->caller->user);
    fields[3] = cogent_str(run->id);
    fields[4] = cogent_str(call->id);
    fields[5] = cogent_str(call->tool ? call->tool->api->name : "");
    fields[6] = cg_buf_view(args);
    fields[7] = cogent_str(cg_json_str(cg_run_opening(run), "policy", ""));
}

int cg_approval_mac(const struct cg_run *run, const struct cg_call *call, struct cg_buf *out)
{
    cg_auto_buf args = { 0 };
    struct cogent_str fields[MAC_FIELDS];
    mac_fields(run, call, &args, fields);
    return cg_keys_sign(run->env->keys, "approval", fields, MAC_FIELDS, out);
}

bool cg_approval_mac_ok(const struct cg_run *run, const struct cg_call *call, struct cogent_str mac)
{
    cg_auto_buf args = { 0 };
    struct cogent_str fields[MAC_FIELDS];
    mac_fields(run, call, &args, fields);
    return !args.failed && cg_keys_verify(run->env->keys, "approval", fields, MAC_FIELDS, mac) == 0;
}

static json_t *waiting_ids(const struct cg_run *run)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < run->n_calls; i++) {
        if (run->calls[i]->state == CG_CALL_ASKING)
            json_array_append(ids, json_object_get(cg_call_approval(run->calls[i]), "id"));
    }
    return ids;
}

/* The rows of this wait, and no earlier one's. */
static void say_waiting(struct cg_run *run)
{
    size_t first = run->n_rows - 1;
    while (first > 0 && run->rows[first - 1].kind == CG_ROW_ASK)
        first--;
    for (size_t i = first; i < run->n_rows; i++)
        cg_run_emit_row(run, i);
}

/* Who has to say yes, in words: "a finance manager" reads better than a list of ids. */
static json_t *waits_for(const struct cg_run *run)
{
    cg_auto_buf out = { 0 };
    const json_t *decider = NULL;
    for (size_t i = 0; i < run->n_calls; i++) {
        if (run->calls[i]->state == CG_CALL_ASKING)
            decider = json_object_get(cg_call_approval(run->calls[i]), "decider");
    }
    const char *role = cg_json_str(decider, "role", NULL), *user = cg_json_str(decider, "user", NULL);
    if (role)
        cg_buf_printf(&out, "This waits for somebody with the role %s.", role);
    else if (user && strcmp(user, run->caller->user) == 0)
        cg_buf_text(&out, "This waits for your approval.");
    else
        cg_buf_text(&out, "This waits for approval.");
    return cg_json_strn(cg_buf_view(&out));
}

static int wait_row(struct cg_run *run, const char *why, json_t *words)
{
    json_t *content = run->content.len ? cg_json_strn(cg_buf_view(&run->content)) : json_incref(words);
    json_decref(words);
    return cg_run_row(run, CG_ROW_WAIT,
                      json_pack("{s:s, s:s*, s:o, s:o, s:o}", "status", "waiting", "reason", why, "content",
                                content, "citations", cg_run_cited(run), "approvals", waiting_ids(run)),
                      true);
}

static void over(struct cg_run *run, const char *why)
{
    cg_metric_add(run->env->metrics, CG_M_RUNS, 1, "waiting", NULL, NULL);
    cg_log(CG_INFO, "run.waits", CG_S("run", run->id), CG_S("for", why));
    cg_run_enter(run, CG_RUN_OVER, "waiting");
    cg_run_destroy(run);
}

static void on_written(struct cg_run *run, int err)
{
    if (err < 0) {
        cg_auto_json body =
            cg_error_body(COGENT_UNAVAILABLE, NULL, "The approval could not be written down.", NULL);
        cg_settle_start(run, "failed", NULL, body);
        return;
    }
    if (run->stop) { /* cancelled meanwhile */
        cg_run_next(run);
        return;
    }
    say_waiting(run);
    cg_metric_add(run->env->metrics, CG_M_APPROVALS, 1, "waiting", NULL, NULL);
    over(run, "approval");
}

void cg_suspend_start(struct cg_run *run)
{
    struct cg_db_step steps[ASKS_MAX + 1];
    struct cogent_value values[ASKS_MAX * 8];
    struct cg_buf macs[ASKS_MAX] = { 0 }, bodies[ASKS_MAX] = { 0 };
    size_t n = 0;
    int64_t now = cg_now_us(), last = now;
    bool ok = true;
    for (size_t i = 0; ok && i < run->n_calls && n < ASKS_MAX; i++) {
        struct cg_call *call = run->calls[i];
        if (call->state != CG_CALL_ASKING || call->in.ask)
            continue;
        int64_t expires = expiry_of(call, now);
        last = expires > last ? expires : last;
        ok =
            cg_run_row(run, CG_ROW_ASK,
                       json_pack("{s:s, s:o}", "call", call->id, "approval", approval_of(call, now, expires)),
                       true) == 0 &&
            cg_approval_mac(run, call, &macs[n]) == 0;
        cg_json_add(&bodies[n], cg_call_approval(call));
        struct cogent_value *v = &values[n * 8];
        v[0] = cogent_text(cogent_str(cg_json_str(cg_call_approval(call), "id", "")));
        v[1] = cogent_text(cogent_str(run->id));
        v[2] = cogent_text(cogent_str(run->caller->user));
        v[3] = cogent_text(cogent_str(call->id));
        v[4] = cogent_text(cg_buf_view(&bodies[n]));
        v[5] = cogent_text(cg_buf_view(&macs[n]));
        v[6] = cogent_int(now);
        v[7] = cogent_int(expires);
        steps[n] = (struct cg_db_step){ &cg_store[CG_ST_APPROVAL_ADD], v, 8 };
        n++;
    }
    /* When nobody decides, the run is taken up to be ended, and its credential goes. */
    const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
    struct cg_session_write turn = { 0 };
    ok = ok && wait_row(run, NULL, waits_for(run)) == 0;
    if (ok) {
        cg_due_put(&due, "run", run->caller->tenant, run->id, last + 1000);
        const json_t *wait = cg_run_body(run, run->n_rows - 1);
        if (cg_session_turn_step(run, "waiting", cg_json_str(wait, "content", ""), &turn))
            steps[n++] = turn.step;
        cg_run_write(run, CG_DB_FSYNC, steps, n, "waiting", on_written);
    } else {
        cg_settle_start(run, "failed", NULL, NULL); /* nothing is under way whose end would be waited for */
    }
    json_decref(turn.texts);
    for (size_t i = 0; i < ASKS_MAX; i++) {
        cg_buf_finish(&macs[i]);
        cg_buf_finish(&bodies[i]);
    }
}

static void on_credential_wait(struct cg_run *run, int err)
{
    if (err < 0 || run->stop) {
        if (err < 0)
            cg_run_stop(run, "failed");
        cg_run_next(run);
        return;
    }
    struct cg_board_tenant *t = cg_board_tenant(run->env->board, cg_tenant_id(run->caller->tenant));
    if (t)
        atomic_fetch_add(&t->awaits, 1);
    cg_run_emit_row(run, run->n_rows - 1);
    over(run, "credential");
}

void cg_suspend_for_credential(struct cg_run *run)
{
    const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
    if (run->state == CG_RUN_SUSPEND)
        return;
    cg_run_enter(run, CG_RUN_SUSPEND, "credential");
    if (wait_row(run, "auth_required", json_string("This waits until you sign in again.")) < 0) {
        cg_settle_start(run, "failed", NULL, NULL);
        return;
    }
    cg_due_put(&due, "run", run->caller->tenant, run->id, cg_now_us() + run->env->limits.approval_ms * 1000);
    cg_run_write(run, CG_DB_FSYNC, NULL, 0, "auth_required", on_credential_wait);
}
