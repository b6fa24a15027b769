/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/svc/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { IN_FLIGHT = 64, IDS_MAX = 100000, SECRET_MAX = 8192, FEED_MS = 300000 };

struct polling {
    const struct cg_feed_env *env;
    const struct cg_tenant *tenant;
    const struct cg_tenant_info *info;
    const struct cg_kind *kind;
    struct cogent_op op;
    struct cogent_asker asker;
    char *fields;
    char secret[SECRET_MAX];
    char missing[64]; /* the first secret that could not be read, and why */
    int missing_err;
    char *position;
    int64_t swept_us;
    json_t *records;
    size_t next, under_way, refused;
    json_t *ids;  /* of a sweep: {"<id>": true} in the ERP */
    json_t *gone; /* ids to drop */
    char *after;
    void (*done)(void *arg, int err, bool more);
    void *arg;
    bool more;
    /* Records are being handed over: what is refused at once must not begin the next round below us. */
    bool putting;
    int broken; /* the error that ends the poll */
};

static void polling_free(struct polling *p)
{
    cg_tenant_unref(p->tenant);
    free(p->fields);
    free(p->position);
    free(p->after);
    json_decref(p->records);
    json_decref(p->ids);
    json_decref(p->gone);
    free(p);
}

static void on_gone(void *arg, int why)
{
    struct polling *p = arg;
    if (why == COGENT_TIMEOUT)
        p->done(p->arg, COGENT_TIMEOUT, false);
    polling_free(p);
}

/* Not the service's own words: they may quote a record. */
static const char *words_of(int err)
{
    static const struct {
        int err;
        const char *words;
    } all[] = {
        { COGENT_INVALID, "the service did not accept the request" },
        { COGENT_DENIED, "the service does not let the account read these records" },
        { COGENT_NOT_FOUND, "the feed's tool is not there or is no read, or the service has no such route" },
        { COGENT_AUTH, "the service refused the account: is its secret right, and not expired?" },
        { COGENT_LIMIT, "the service wants fewer requests, or its answer is too large" },
        { COGENT_TIMEOUT, "the service did not answer in time" },
        { COGENT_UNAVAILABLE, "the service or the database cannot be reached, or the plugin is held back" },
        { COGENT_UPSTREAM, "the service's answer is not understood: it must be a list of records" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].err == err)
            return all[i].words;
    }
    return cogent_err_name(err);
}

static void tell_failure(const struct polling *p, int err)
{
    cg_auto_buf why = { 0 };
    if (err == COGENT_AUTH && p->missing[0])
        cg_tenants_secret_wrong(p->env->tenants, cg_tenant_name(p->tenant), p->missing, p->missing_err, &why);
    else
        cg_buf_text(&why, words_of(err));
    cg_log(CG_WARN, "feed.failed", CG_S("tenant", cg_tenant_name(p->tenant)), CG_S("kind", p->kind->name),
           CG_S("error", cogent_err_name(err)), CG_S("why", why.ptr));
}

static void finish(struct polling *p, int err)
{
    void (*done)(void *, int, bool) = p->done;
    void *arg = p->arg;
    bool more = p->more && err == 0;
    cg_metric_add(p->env->metrics, CG_M_FEED, 1, p->kind->name,
                  err < 0 ? "failed"
                  : more  ? "more"
                          : "idle",
                  NULL);
    if (err < 0)
        tell_failure(p, err);
    cg_op_finish(p->env->loop, p->op);
    polling_free(p);
    done(arg, err, more);
}

/* The service's own account asks: no user, no bearer token. */

static struct polling *polling_of(const struct cogent_asker *asker)
{
    return (struct polling *)((char *)asker - offsetof(struct polling, asker));
}

static const char *asker_field(const struct cogent_asker *asker, const char *name)
{
    return cg_json_str(polling_of(asker)->info->fields, name, NULL);
}

static const char *asker_secret(const struct cogent_asker *asker, const char *name)
{
    struct polling *p = polling_of(asker);
    int n = cg_tenants_secret(p->env->tenants, cg_tenant_name(p->tenant), name, p->secret, sizeof p->secret);
    if (n < 0 && !p->missing[0]) {
        cg_str_copy(p->missing, sizeof p->missing, cogent_str(name));
        p->missing_err = n;
    }
    return n >= 0 ? p->secret : NULL;
}

static const struct cg_tool *read_tool(const struct polling *p, const char *member)
{
    const char *name = cg_json_str(p->kind->feed, member, NULL);
    const struct cg_tool *tool = name ? cg_tool_find(p->env->plugins, cogent_str(name)) : NULL;
    if (name && !tool)
        cg_log(CG_ERROR, "feed.tool", CG_S("kind", p->kind->name),
               CG_S("why", "the feed names a tool that is not there"), CG_S("tool", name));
    return tool && tool->api->effect == COGENT_READ ? tool : NULL;
}

static const json_t *rows_of(const json_t *result)
{
    return json_is_array(result) ? result : json_object_get(result, "items");
}

/* Position and times, then the next step. */

static void save(struct polling *p, cg_db_done_fn done)
{
    const struct cogent_value v[4] = { cogent_text(cogent_str(p->kind->name)),
                                       cogent_text(cogent_str(p->position)), cogent_int(cg_now_us()),
                                       cogent_int(p->swept_us) };
    const struct cg_db_step step = { &cg_store[CG_ST_FEED_PUT], v, 4 };
    cg_db_run(p->env->db, p->op, p->tenant, CG_DB_COMMIT, &step, 1, done, p);
}

static void on_saved(void *arg, const struct cogent_db_result *result)
{
    finish(arg, result->err);
}

/* The sweep: what the ERP no longer has. */

static void drop_next(struct polling *p);

static void on_dropped(void *arg, int err, const char *message)
{
    struct polling *p = arg;
    (void)message;
    if (err < 0) {
        finish(p, err);
        return;
    }
    drop_next(p);
}

static void drop_next(struct polling *p)
{
    if (p->next == json_array_size(p->gone)) {
        p->swept_us = cg_now_us();
        cg_log(CG_INFO, "feed.swept", CG_S("tenant", cg_tenant_name(p->tenant)), CG_S("kind", p->kind->name),
               CG_I("dropped", p->next));
        save(p, on_saved);
        return;
    }
    const char *id = json_string_value(json_array_get(p->gone, p->next++));
    cg_ingest_drop(p->env->ingest, p->op, p->kind->name, id, on_dropped, p);
}

static void read_own_ids(struct polling *p);

static void on_own_id(void *arg, const struct cogent_found *f)
{
    struct polling *p = arg;
    free(p->after);
    p->after = cg_str_dup(f->id);
    p->under_way++;
    if (p->after && !json_object_get(p->ids, p->after))
        json_array_append_new(p->gone, json_string(p->after));
}

static void on_own_ids(void *arg, int err, const char *why)
{
    struct polling *p = arg;
    (void)why;
    if (err < 0) {
        finish(p, err);
        return;
    }
    if (p->under_way > 0) {
        read_own_ids(p);
        return;
    }
    p->next = 0;
    drop_next(p);
}

static void read_own_ids(struct polling *p)
{
    const struct cogent_search search = { .what = COGENT_IDS,
                                          .type = cogent_str(p->kind->name),
                                          .after = cogent_str(p->after ? p->after : ""),
                                          .limit = 5000 };
    p->under_way = 0;
    cg_invoke_search(p->env->invoke, p->op, cg_retriever_get(p->env->plugins), &search, 0, on_own_id,
                     on_own_ids, p);
}

static void on_ids(void *arg, int err, struct cogent_str text)
{
    struct polling *p = arg;
    size_t i;
    json_t *id;
    cg_auto_json result = err == 0 ? cg_json_parse(text, NULL) : NULL;
    const json_t *rows = rows_of(result);
    /* A list that is not whole would delete what is still there. */
    if (!json_is_array(rows) || cg_json_bool(result, "more", false)) {
        finish(p, err < 0 ? err : COGENT_UPSTREAM);
        return;
    }
    p->ids = json_object();
    p->gone = json_array();
    json_array_foreach (rows, i, id) {
        if (json_is_string(id))
            json_object_set_new(p->ids, json_string_value(id), json_true());
    }
    read_own_ids(p);
}

static bool sweep_due(const struct polling *p)
{
    int64_t every = cg_duration_parse(cogent_str(cg_json_str(p->kind->feed, "sweep", "24h")));
    return cg_now_us() - p->swept_us >= (every > 0 ? every : 86400000) * 1000;
}

static void after_records(void *arg, const struct cogent_db_result *result)
{
    struct polling *p = arg;
    const struct cg_tool *tool = read_tool(p, "ids");
    if (result->err < 0 || p->more || !tool || !sweep_due(p)) {
        finish(p, result->err);
        return;
    }
    cg_invoke_tool(p->env->invoke, p->op, tool, cogent_str("{}"), &p->asker, "", on_ids, p);
}

/* The records: some in flight at a time, so that the database writes them in batches. */

static void put_more(struct polling *p);

static void on_put(void *arg, int err, const char *message)
{
    struct polling *p = arg;
    (void)message; /* it may quote the record */
    p->under_way--;
    if (err < 0) {
        /* A record that its entity file cannot read costs that record, and is said once a batch. */
        if (!p->refused++)
            cg_log(CG_WARN, "feed.refused", CG_S("tenant", cg_tenant_name(p->tenant)),
                   CG_S("kind", p->kind->name), CG_S("error", cogent_err_name(err)));
        if (err == COGENT_UNAVAILABLE || err == COGENT_NO_MEMORY)
            p->broken = err;
    }
    if (!p->putting)
        put_more(p);
}

static char *id_of(const json_t *record)
{
    const json_t *id = json_object_get(record, "id");
    return json_is_string(id)    ? cg_str_dup(cogent_str(json_string_value(id)))
           : json_is_integer(id) ? cg_json_text(id)
                                 : NULL;
}

static void put_more(struct polling *p)
{
    p->putting = true;
    while (!p->broken && p->under_way < IN_FLIGHT && p->next < json_array_size(p->records)) {
        const json_t *record = json_array_get(p->records, p->next++);
        cg_auto_free char *id = id_of(record);
        p->under_way++;
        if (id)
            cg_ingest_put(p->env->ingest, p->op, p->info->fields, p->kind->name, id, record, on_put, p);
        else
            p->under_way--;
    }
    p->putting = false;
    if (p->broken) {
        finish(p, p->broken);
        return;
    }
    if (p->under_way == 0 && p->next == json_array_size(p->records)) {
        const json_t *last = json_array_get(p->records, json_array_size(p->records) - 1);
        const json_t *stamp = last ? cg_kind_path(last, p->kind->stamp ? p->kind->stamp : "") : NULL;
        if (json_is_string(stamp)) {
            free(p->position);
            p->position = cg_str_dup(cogent_str(json_string_value(stamp)));
        }
        if (p->position)
            save(p, after_records);
        else
            finish(p, COGENT_NO_MEMORY);
    }
}

static void on_changed(void *arg, int err, struct cogent_str text)
{
    struct polling *p = arg;
    cg_auto_json result = err == 0 ? cg_json_parse(text, NULL) : NULL;
    const json_t *rows = rows_of(result);
    if (!json_is_array(rows)) {
        finish(p, err < 0 ? err : COGENT_UPSTREAM);
        return;
    }
    p->records = json_incref((json_t *)rows);
    p->more = json_array_size(rows) > 0 && cg_json_bool(result, "more", false);
    put_more(p);
}

static void on_position(void *arg, const struct cogent_db_result *result)
{
    struct polling *p = arg;
    const struct cg_tool *tool = read_tool(p, "tool");
    const char *since = cg_json_str(p->kind->feed, "since", "since");
    if (result->err < 0 || !tool) {
        finish(p, result->err < 0 ? result->err : COGENT_NOT_FOUND);
        return;
    }
    struct cogent_row row = result->row(result, 0, 0);
    p->position = cg_str_dup(row.n ? row.values[0].str : cogent_str(""));
    p->swept_us =
        row.n ? row.values[2].num : cg_now_us(); /* what is read for the first time needs no sweep */
    cg_auto_json args = json_object();
    if (p->position && *p->position)
        json_object_set_new(args, since, json_string(p->position));
    cg_auto_free char *json = cg_json_text(args);
    cg_invoke_tool(p->env->invoke, p->op, tool, cogent_str(json ? json : "{}"), &p->asker, "", on_changed, p);
}

void cg_feed_poll(const struct cg_feed_env *env, struct cogent_op parent, const struct cg_tenant *tenant,
                  const struct cg_kind *kind, void (*done)(void *arg, int err, bool more), void *arg)
{
    const struct cg_tenant_info *info = cg_tenants_find(env->tenants, cg_tenant_name(tenant));
    struct polling *p = info ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        done(arg, COGENT_NOT_FOUND, false);
        return;
    }
    p->env = env;
    p->tenant = cg_tenant_ref(tenant);
    p->info = info;
    p->kind = kind;
    p->done = done;
    p->arg = arg;
    p->fields = cg_json_text(info->fields);
    p->asker = (struct cogent_asker){ .size = sizeof p->asker,
                                      .tenant = cg_tenant_name(tenant),
                                      .user = "svc:cogent",
                                      .name = "",
                                      .locale = "en",
                                      .language = "en",
                                      .time_zone = "UTC",
                                      .tenant_field = asker_field,
                                      .secret = asker_secret,
                                      .tenant_fields = p->fields };
    p->op = cg_op_start(env->loop, parent, "feed", FEED_MS, on_gone, p);
    const struct cogent_value name = cogent_text(cogent_str(kind->name));
    const struct cg_db_step step = { &cg_store[CG_ST_FEED_GET], &name, 1 };
    if (cogent_op_none(cg_db_run(env->db, p->op, tenant, CG_DB_READ, &step, 1, on_position, p)))
        finish(p, COGENT_NO_MEMORY);
}

int64_t cg_feed_every_ms(const struct cg_kind *kind)
{
    const json_t *every = json_object_get(kind->feed, "every");
    int64_t ms = json_is_number(every)
                     ? (int64_t)(json_number_value(every) * 1000)
                     : cg_duration_parse(cogent_str(cg_json_str(kind->feed, "every", "60s")));
    return ms < 1000 ? 1000 : ms;
}
