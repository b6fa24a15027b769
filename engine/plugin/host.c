/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "invoke.h"

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

static struct cogent_op host_send(struct cogent_op parent, const struct cogent_http_request *request,
                                  const struct cogent_http_events *events, void *arg)
{
    return cg_http_send(worker.http, parent, request, events, arg);
}

static struct cogent_op host_after(struct cogent_op parent, const char *label, uint32_t ms,
                                   void (*fn)(void *arg), void *arg)
{
    return cg_timer_after(worker.loop, parent, label, ms, fn, arg);
}

static struct cogent_op host_run(struct cogent_op parent, const char *plugin,
                                 const struct cogent_db_step *steps, size_t n, int reads,
                                 void (*done)(void *arg, const struct cogent_db_result *result), void *arg)
{
    const struct cogent_op none = { 0, 0 };
    size_t known = 0;
    const struct cogent_statement *table = cg_plugin_statements(worker.plugins, plugin, &known);
    const struct cg_tenant *tenant = cg_op_tenant(worker.loop, parent);
    struct cg_db_step *mine = calloc(n + 1, sizeof *mine);
    bool ok = worker.db && table && tenant && mine && n <= CG_DB_STEPS_MAX;
    for (size_t i = 0; ok && i < n; i++) {
        ok = steps[i].statement < known;
        if (ok)
            mine[i] = (struct cg_db_step){ &table[steps[i].statement], steps[i].values, steps[i].n };
    }
    struct cogent_op op =
        ok ? cg_db_run(worker.db, parent, tenant, reads ? CG_DB_READ : CG_DB_COMMIT, mine, n, done, arg)
           : none;
    if (!ok)
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
