/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "invoke.h"
#include "turn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The one worker of this process: see the header. */
static struct cg_host_env worker;

static void host_log(int level, const char *plugin, const char *format, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    cg_log(level < CG_ERROR || level > CG_DEBUG ? CG_INFO : (enum cg_level)level, "plugin.says",
           CG_S("plugin", plugin), CG_S("message", text));
}

/* Something that a plugin waits for. It knows whose it is, so that the board names the plugin while the callback runs,
 * too. It is a wait itself: when what lies above ends first, it is freed and the callback never comes. */
struct wait {
    struct cogent_op op;
    char plugin[CG_RUNNING_SIZE];
    void *arg;
    void (*fired)(void *arg);
    struct cogent_http_events events;
    void (*rows)(void *arg, const struct cogent_db_result *result);
};

static void wait_ended(void *arg, int why)
{
    struct wait *w = arg;
    void (*fired)(void *) = why == COGENT_TIMEOUT ? w->fired : NULL; /* a timer's end is its deadline */
    void *fired_arg = w->arg;
    struct cg_turn turn;
    cg_turn_begin(&turn, worker.running, w->plugin);
    free(w);
    if (fired)
        fired(fired_arg);
    cg_turn_end(&turn, worker.running);
}

static struct wait *wait_begin(struct cogent_op parent, const char *label, uint32_t ms, void *arg)
{
    struct wait *w = cg_calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->arg = arg;
    if (worker.running)
        cg_str_copy(w->plugin, sizeof w->plugin, cogent_str(worker.running));
    w->op = cg_op_start(worker.loop, parent, label, ms, wait_ended, w);
    if (!cogent_op_none(w->op))
        return w;
    free(w);
    return NULL;
}

/* It could not begin what it was to wait for. */
static struct cogent_op wait_void(struct wait *w)
{
    cg_op_finish(worker.loop, w->op);
    free(w);
    return (struct cogent_op){ 0, 0 };
}

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    struct wait *w = arg;
    struct cg_turn turn;
    cg_turn_begin(&turn, worker.running, w->plugin);
    w->events.event(w->arg, name, data); /* the wait may be gone now */
    cg_turn_end(&turn, worker.running);
}

static void on_sent(void *arg, const struct cogent_http_result *result)
{
    struct wait *w = arg;
    struct cg_turn turn;
    cg_turn_begin(&turn, worker.running, w->plugin);
    if (cg_op_finish(worker.loop, w->op))
        w->events.done(w->arg, result);
    free(w);
    cg_turn_end(&turn, worker.running);
}

static struct cogent_op host_send(struct cogent_op parent, const struct cogent_http_request *request,
                                  const struct cogent_http_events *events, void *arg)
{
    struct wait *w = wait_begin(parent, "plugin", 0, arg);
    if (!w)
        return (struct cogent_op){ 0, 0 };
    w->events = *events;
    const struct cogent_http_events ours = { sizeof ours, events->event ? on_event : NULL, on_sent };
    struct cogent_op op = w->op;
    return cogent_op_none(cg_http_send(worker.http, op, request, &ours, w)) ? wait_void(w) : op;
}

static struct cogent_op host_after(struct cogent_op parent, const char *label, uint32_t ms,
                                   void (*fn)(void *arg), void *arg)
{
    struct wait *w = wait_begin(parent, label, ms ? ms : 1, arg);
    if (!w)
        return (struct cogent_op){ 0, 0 };
    w->fired = fn;
    return w->op;
}

static void on_rows(void *arg, const struct cogent_db_result *result)
{
    struct wait *w = arg;
    struct cg_turn turn;
    cg_turn_begin(&turn, worker.running, w->plugin);
    if (cg_op_finish(worker.loop, w->op))
        w->rows(w->arg, result);
    free(w);
    cg_turn_end(&turn, worker.running);
}

static struct cogent_op run_below(struct cogent_op parent, const struct cg_tenant *tenant, int reads,
                                  const struct cg_db_step *steps, size_t n,
                                  void (*done)(void *arg, const struct cogent_db_result *result), void *arg)
{
    enum cg_durable durable = reads ? CG_DB_READ : CG_DB_COMMIT;
    if (!done)
        return cg_db_run(worker.db, parent, tenant, durable, steps, n, NULL, NULL);
    struct wait *w = wait_begin(parent, "plugin", 0, arg);
    if (!w)
        return (struct cogent_op){ 0, 0 };
    w->rows = done;
    struct cogent_op op = w->op;
    return cogent_op_none(cg_db_run(worker.db, op, tenant, durable, steps, n, on_rows, w)) ? wait_void(w)
                                                                                           : op;
}

static struct cogent_op host_run(struct cogent_op parent, const char *plugin,
                                 const struct cogent_db_step *steps, size_t n, int reads,
                                 void (*done)(void *arg, const struct cogent_db_result *result), void *arg)
{
    size_t known = 0;
    const struct cogent_statement *table = cg_plugin_statements(worker.plugins, plugin, &known);
    const struct cg_tenant *tenant = cg_op_tenant(worker.loop, parent);
    struct cg_db_step *mine = cg_calloc(n + 1, sizeof *mine);
    bool ok = worker.db && table && tenant && mine && n <= CG_DB_STEPS_MAX;
    for (size_t i = 0; ok && i < n; i++) {
        ok = steps[i].statement < known;
        if (ok)
            mine[i] = (struct cg_db_step){ &table[steps[i].statement], steps[i].values, steps[i].n };
    }
    struct cogent_op op = { 0, 0 };
    if (ok)
        op = run_below(parent, tenant, reads, mine, n, done, arg);
    else
        cg_log(CG_ERROR, "plugin.db", CG_S("plugin", plugin), CG_S("why", "no such statement, or no tenant"));
    free(mine);
    return op;
}

static int host_script(const char *reference, struct cogent_str args, struct cogent_str *out)
{
    *out = cogent_str("no scripts here");
    return worker.script ? worker.script(worker.script_self, reference, args, out) : COGENT_UNAVAILABLE;
}

static const struct cogent_log_api log_api = { sizeof log_api, host_log };
static const struct cogent_json_api json_api = { sizeof json_api, cg_read_string,  cg_read_integer,
                                                 cg_read_decimal, cg_read_boolean, cg_read_raw,
                                                 cg_read_each };
static const struct cogent_http_api http_api = { sizeof http_api, host_send };
static const struct cogent_timer_api timer_api = { sizeof timer_api, host_after, cg_now_us };
static const struct cogent_db_api db_api = { sizeof db_api, host_run };
static const struct cogent_script_api script_api = { sizeof script_api, host_script };

static const struct cogent_host table = {
    sizeof table, &log_api, &json_api, &http_api, &timer_api, &db_api, &script_api, &cg_invoke_complete, NULL,
};

const struct cogent_host *cg_host_table(void)
{
    return &table;
}

void cg_host_setup(const struct cg_host_env *env)
{
    worker = *env;
}
