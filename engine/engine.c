/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "engine/api/api.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/io/signals.h"
#include "engine/plugin/host.h"
#include "engine/svc/schema.h"
#include "engine/work/ingest.h"
#include "jobs.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    DRAIN_MS = 30000,
    FRESH_MS = 2000,
    LAST_WORDS_MS = 25000,
    MAIL_MAX = 512,
    LETTERS_MAX = 64,
    ALONE_TAKES = 16 /* connections at a wake-up, while no other worker wants them */
};

struct letter {
    unsigned to;
    char text[256];
};

struct cg_engine {
    struct cg_inherit in;
    struct cg_files *files;
    struct cg_config *config;
    struct cg_parts parts;
    struct cg_board *board;
    struct cg_slot *slot;
    struct cg_metrics metrics;
    struct cg_loop *loop;
    struct cg_keys *keys;
    struct cg_db *db;
    struct cg_http_client *http;
    struct cg_auth *auth;
    struct cg_jwks *jwks; /* NULL: its keys are in files */
    struct cg_runs *runs;
    struct cg_run_env run_env;
    struct cg_ingest *ingest;
    struct cg_jobs *jobs;
    struct cg_api *api;
    struct cg_http_server *server, *metrics_server;
    struct cg_load load;
    struct cg_load_look seen; /* the clocks at the last look */
    int schedstat;            /* of the loop's thread, or -1 */
    struct cg_watch *watches[6];
    char owner[96];
    struct cg_buf script_text;
    struct letter letters[LETTERS_MAX]; /* mail that waits for room */
    size_t n_letters;
    int64_t drain_since_us, swept_us;
    bool synced, draining;
};

/* Functions of operator files, for plugins: JSON text in and out. */
static int run_script_text(void *self, const char *reference, struct cogent_str args, struct cogent_str *out)
{
    struct cg_engine *e = self;
    struct cg_err err;
    json_t *result = NULL;
    cg_buf_clear(&e->script_text);
    cg_auto_json in = cg_json_parse(args, &err);
    int rc = in ? cg_files_call(e->files, reference, in, json_is_array(in), &result, &err) : COGENT_INVALID;
    if (rc < 0)
        cg_buf_text(&e->script_text, err.message);
    else if (result)
        cg_json_add(&e->script_text, result);
    else
        cg_buf_text(&e->script_text, "null");
    json_decref(result);
    *out = cg_buf_view(&e->script_text);
    return rc;
}

static int run_script(void *self, const char *reference, const json_t *arg, json_t **out, struct cg_err *err)
{
    struct cg_engine *e = self;
    return cg_files_call(e->files, reference, arg, false, out, err);
}

/* Doors of api into this worker. */

static void door_put(void *self, struct cogent_op parent, const struct cg_tenant *tenant,
                     const json_t *fields, const char *type, const char *id, const json_t *record,
                     void (*done)(void *arg, int err, const char *message), void *arg)
{
    (void)tenant; /* the wait is bound to it */
    cg_ingest_put(((struct cg_engine *)self)->ingest, parent, fields, type, id, record, done, arg);
}

static void door_drop(void *self, struct cogent_op parent, const struct cg_tenant *tenant, const char *type,
                      const char *id, void (*done)(void *arg, int err, const char *message), void *arg)
{
    (void)tenant;
    cg_ingest_drop(((struct cg_engine *)self)->ingest, parent, type, id, done, arg);
}

/* A letter that finds the other's box full is sent again with the next ticks; one that finds no room here either is
 * lost, and said so. */
static bool deliver(struct cg_engine *e, unsigned to, const char *text)
{
    return atomic_load(&e->board->slots[to].pid) == 0 || /* nobody there: nothing to tell */
           send(e->in.post[to], text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
           (errno != EAGAIN && errno != ENOBUFS);
}

static void post_mail(void *self, const char *text)
{
    struct cg_engine *e = self;
    for (unsigned to = 0; to < CG_WORKERS_MAX; to++) {
        if (to == e->in.slot || deliver(e, to, text))
            continue;
        if (e->n_letters == LETTERS_MAX) {
            cg_log(CG_WARN, "mail.lost", CG_I("slot", to));
            continue;
        }
        struct letter *l = &e->letters[e->n_letters++];
        l->to = to;
        cg_str_copy(l->text, sizeof l->text, cogent_str(text));
    }
}

static void post_again(struct cg_engine *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->n_letters; i++) {
        if (!deliver(e, e->letters[i].to, e->letters[i].text))
            e->letters[kept++] = e->letters[i];
    }
    e->n_letters = kept;
}

static bool is_ready(void *self, const char **why)
{
    struct cg_engine *e = self;
    *why = !e->synced ? "still starting" : e->draining ? "shutting down" : "the database does not answer";
    return e->synced && !e->draining && cg_db_healthy(e->db);
}

/* What comes to a worker. */

static void on_mail(void *arg, int fd)
{
    struct cg_engine *e = arg;
    char text[MAIL_MAX], tenant[64], run[64];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n <= 0)
        return;
    text[n] = '\0';
    if (sscanf(text, "cancel %63s %63s", tenant, run) == 2)
        cg_run_cancel_here(e->runs, tenant, run);
}

static void finish_drain(struct cg_engine *e)
{
    int64_t age = cg_mono_us() - e->drain_since_us;
    bool fresh = e->server && cg_http_server_fresh(e->server) && age < (int64_t)FRESH_MS * 1000;
    bool idle = cg_runs_live(e->runs) == 0 && (!e->server || cg_http_server_busy(e->server) == 0) &&
                cg_jobs_idle(e->jobs) && !fresh;
    bool late = age > (int64_t)DRAIN_MS * 1000;
    if (age > (int64_t)LAST_WORDS_MS * 1000)
        cg_runs_end(e->runs); /* no stream ends without its last event */
    if (idle || late)
        cg_loop_stop(e->loop);
}

static void on_stop(void *arg, int signal)
{
    struct cg_engine *e = arg;
    (void)signal;
    if (e->draining) {
        return;
    }
    e->draining = true;
    e->drain_since_us = cg_mono_us();
    atomic_store(&e->slot->draining, 1);
    cg_log(CG_INFO, "worker.drains", CG_I("runs", cg_runs_live(e->runs)));
    if (e->server)
        cg_http_server_drain(e->server);
    if (e->metrics_server)
        cg_http_server_drain(e->metrics_server);
    cg_jobs_stop(e->jobs);
}

/* While every other serving worker is full too, all take newcomers, to tell them so; and quickly, or they would wait to be
 * told. */
static bool others_have_room(const struct cg_engine *e)
{
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        const struct cg_slot *s = &e->board->slots[i];
        if (s != e->slot && atomic_load(&s->pid) && !atomic_load(&s->draining) && !atomic_load(&s->full) &&
            strcmp(s->role, "serve") == 0)
            return true;
    }
    return false;
}

static void on_look(void *arg, int unused)
{
    struct cg_engine *e = arg;
    (void)unused;
    int64_t wall = cg_mono_us(), busy = cg_busy_us(e->schedstat);
    const struct cg_load_look look = { wall - e->seen.wall_us, busy - e->seen.busy_us };
    bool first = e->seen.wall_us == 0;
    e->seen = (struct cg_load_look){ wall, busy };
    if (!first && cg_load_look(&e->load, &look))
        cg_log(CG_WARN, "worker.full", CG_I("questions", e->load.open), CG_I("mark", e->load.mark));
    bool full = cg_load_full(&e->load);
    atomic_store(&e->slot->full, full);
    bool others = others_have_room(e);
    if (e->server)
        cg_http_server_take(e->server, !others ? ALONE_TAKES : full ? 0 : 1);
}

static void on_tick(void *arg, int unused)
{
    struct cg_engine *e = arg;
    (void)unused;
    char slot[8];
    int64_t now = cg_mono_us();
    atomic_store(&e->slot->heartbeat_us, now);
    if (e->server)
        atomic_store(&e->slot->load, cg_http_server_busy(e->server));
    if (now - e->swept_us >= 1000000) {
        e->swept_us = now;
        snprintf(slot, sizeof slot, "%u", e->in.slot);
        cg_metric_set(&e->metrics, CG_M_LOOP_STALL, cg_loop_stall_us(e->loop), slot);
        if (e->server) {
            uint32_t mark = e->load.mark;
            cg_metric_set(&e->metrics, CG_M_CONNECTIONS, cg_http_server_open(e->server), slot);
            cg_metric_set(&e->metrics, CG_M_QUESTIONS, e->load.open, slot);
            cg_metric_set(&e->metrics, CG_M_LOAD_MARK, mark == CG_LOAD_NO_MARK ? 0 : mark, slot);
        }
    }
    post_again(e);
    if (e->draining)
        finish_drain(e);
}

/* A quarter of the descriptors stays for what clients cause: calls of models and services, the database. */
static unsigned connections_max(int64_t wanted)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return (unsigned)wanted;
    if (files.rlim_cur < files.rlim_max) { /* a shell's 1024 is meant for programs that use select */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    rlim_t most = files.rlim_cur - files.rlim_cur / 4;
    return most < (rlim_t)wanted ? (unsigned)most : (unsigned)wanted;
}

static void set_http_limits(struct cg_http_limits *out, const struct cg_config *config)
{
    const struct cg_config_http *in = &config->http_options;
    *out = cg_http_limits_default;
    out->head_ms = (uint32_t)cg_duration_parse(cogent_str(in->head));
    out->idle_ms = (uint32_t)cg_duration_parse(cogent_str(in->idle));
    out->write_ms = (uint32_t)cg_duration_parse(cogent_str(in->write));
    out->body_rate = (uint32_t)in->body_rate;
    out->connections = connections_max(in->connections);
    out->requests = (unsigned)in->requests;
    out->peer_connections = (unsigned)in->peer_connections;
    out->trusted = config->trusted;
    out->n_trusted = config->n_trusted;
}

static bool listen_all(struct cg_engine *e)
{
    struct cg_http_limits limits;
    set_http_limits(&limits, e->config);
    const struct cg_http_handler handler = cg_api_handler(e->api), metrics = cg_api_metrics_handler(e->api);
    if (strcmp(e->in.role, "serve") != 0)
        return true;
    e->server = cg_http_server_create(e->loop, &limits, &handler);
    bool ok = e->server != NULL;
    for (unsigned i = 0; ok && i < e->in.n_listen; i++)
        ok = cg_http_server_listen(e->server, e->in.listen[i]);
    if (ok && e->in.metrics >= 0) {
        e->metrics_server = cg_http_server_create(e->loop, &limits, &metrics);
        ok = e->metrics_server && cg_http_server_listen(e->metrics_server, e->in.metrics);
    }
    return ok;
}

/* The database knows the tenants: the doors may open. */
static void on_synced(void *arg, int err)
{
    struct cg_engine *e = arg;
    if (err < 0 || !listen_all(e)) {
        cg_log(CG_ERROR, "worker.start",
               CG_S("why", err < 0 ? "the database did not answer" : "cannot listen"));
        cg_loop_stop(e->loop);
        return;
    }
    e->synced = true;
    cg_jobs_start(e->jobs);
    if (e->in.ready >= 0) {
        if (write(e->in.ready, "r", 1) != 1)
            cg_log(CG_WARN, "worker.ready", CG_I("errno", errno));
        close(e->in.ready);
        e->in.ready = -1;
    }
}

static void set_limits(struct cg_run_limits *out, const struct cg_config_limits *in)
{
    *out = (struct cg_run_limits){
        .steps = in->steps,
        .calls = in->calls,
        .tokens = in->tokens,
        .seconds = in->seconds,
        .runs = in->runs,
        .calls_per_hour = in->calls_per_hour,
        .question_bytes = in->question_bytes,
        .approval_ms = cg_duration_parse(cogent_str(in->approval)),
    };
}

/* Who is never asked for anything needs no keys. */
static bool start_jwks(struct cg_engine *e)
{
    if (strcmp(e->in.role, "serve") != 0)
        return true;
    e->jwks = cg_jwks_create(e->loop, e->http, e->config->auth_options.jwks, e->auth);
    return e->jwks != NULL;
}

static int make_floors(struct cg_engine *e, struct cg_err *err)
{
    e->loop = cg_loop_create();
    e->http = e->loop ? cg_http_client_create(e->loop, e->config->proxy, e->config->ca) : NULL;
    if (!e->http)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = cg_keys_load(e->config->keys, &e->keys, err);
    if (rc == 0) /* before there are threads: each plugin is tried in a child first */
        rc = cg_parts_load(&e->parts, e->files, e->config, err);
    if (rc == 0)
        rc = cg_parts_auth(&e->parts, e->config, &e->auth, err);
    if (rc == 0 && e->config->auth_options.jwks && !start_jwks(e))
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc == 0)
        rc = cg_db_open_sqlite(e->loop, e->config->database, e->board->db_lock, cg_migrations, &e->db, err);
    if (rc < 0)
        return rc;
    const struct cg_host_env host = { e->loop,         e->http, e->db,          e->parts.plugins,
                                      run_script_text, e,       e->slot->plugin };
    cg_host_setup(&host);
    return 0;
}

static int make_rooms(struct cg_engine *e, struct cg_err *err)
{
    char machine[64] = "machine";
    gethostname(machine, sizeof machine - 1);
    for (char *at = machine; *at; at++)
        *at = *at == '/' ? '-' : *at;
    snprintf(e->owner, sizeof e->owner, "%s/%u/%llu", machine, e->in.slot, e->in.incarnation);
    e->run_env = (struct cg_run_env){
        .loop = e->loop,
        .db = e->db,
        .policy = e->parts.policy,
        .plugins = e->parts.plugins,
        .invoke = { e->loop, cg_host_table(), e->slot->plugin, e->board },
        .keys = e->keys,
        .tenants = e->parts.tenants,
        .kinds = e->parts.kinds,
        .board = e->board,
        .slot = e->in.slot,
        .metrics = &e->metrics,
        .owner = e->owner,
        .models = e->parts.models,
        .prices = e->parts.prices,
    };
    set_limits(&e->run_env.limits, &e->config->limit_options);
    const struct cg_ingest_env ingest = { &e->run_env.invoke, e->parts.plugins, e->parts.kinds,
                                          &e->metrics,        run_script,       e };
    e->ingest = cg_ingest_create(&ingest);
    e->runs = cg_runs_create(&e->run_env);
    const struct cg_jobs_env jobs = {
        e->loop,          e->db,          e->parts.tenants,   e->keys,
        e->parts.plugins, e->parts.kinds, &e->run_env.invoke, e->ingest,
        &e->metrics,      e->runs,        e->owner,           strcmp(e->in.role, "jobs") == 0
    };
    e->jobs = cg_jobs_create(&jobs);
    const struct cg_api_env api = { .loop = e->loop,
                                    .runs = e->runs,
                                    .run = &e->run_env,
                                    .auth = e->auth,
                                    .jwks = e->jwks,
                                    .load = &e->load,
                                    .embeddings = e->parts.embeddings,
                                    .ingest = { door_put, door_drop, e },
                                    .mail = post_mail,
                                    .mail_self = e,
                                    .ready = is_ready,
                                    .ready_self = e };
    e->api = cg_api_create(&api);
    if (!e->ingest || !e->runs || !e->jobs || !e->api)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    return 0;
}

static bool make_watches(struct cg_engine *e)
{
    size_t n = 0;
    signal(SIGPIPE, SIG_IGN);
    e->watches[n++] = cg_watch_signal(e->loop, SIGTERM, on_stop, e);
    e->watches[n++] = cg_watch_signal(e->loop, SIGINT, on_stop, e);
    e->watches[n++] = cg_watch_read(e->loop, e->in.mail, on_mail, e);
    e->watches[n++] = cg_watch_every(e->loop, TICK_MS, on_tick, e);
    e->watches[n++] = cg_watch_every(e->loop, CG_LOAD_LOOK_MS, on_look, e);
    for (size_t i = 0; i < n; i++) {
        if (!e->watches[i])
            return false;
    }
    return true;
}

static void load_init(struct cg_load *load)
{
    cg_load_init(load);
#ifdef CG_TESTING /* tests do not wait until a machine is at its limit */
    const char *mark = getenv("COGENT_TEST_LOAD_MARK");
    if (mark)
        load->mark = (uint32_t)strtoul(mark, NULL, 10);
#endif
}

int cg_engine_create(const struct cg_inherit *inherit, struct cg_files *files, struct cg_config *config,
                     struct cg_engine **out, struct cg_err *err)
{
    *out = NULL;
    struct cg_engine *e = calloc(1, sizeof *e);
    if (!e)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    e->in = *inherit;
    e->files = files;
    e->config = config;
    e->board = cg_board_map(inherit->board);
    if (!e->board) {
        free(e);
        return cg_err_set(err, COGENT_INVALID, "the board is of another program");
    }
    e->slot = &e->board->slots[inherit->slot];
    load_init(&e->load);
    e->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    e->metrics.slot = e->slot;
    int rc = make_floors(e, err);
    if (rc == 0)
        rc = make_rooms(e, err);
    if (rc == 0 && !make_watches(e))
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc < 0) {
        cg_engine_destroy(e);
        return rc;
    }
    cg_metric_add(&e->metrics, CG_M_WORKER_STARTS, 1, inherit->role, NULL, NULL);
    *out = e;
    return 0;
}

void cg_engine_run(struct cg_engine *e)
{
    cg_tenants_sync(e->parts.tenants, e->db, (struct cogent_op){ 0, 0 }, on_synced, e);
    cg_loop_run(e->loop);
    cg_log(CG_INFO, "worker.ends", CG_I("runs", cg_runs_live(e->runs)));
}

void cg_engine_destroy(struct cg_engine *e)
{
    if (!e)
        return;
    cg_http_server_destroy(e->server);
    cg_http_server_destroy(e->metrics_server);
    cg_jobs_destroy(e->jobs);
    cg_runs_destroy(e->runs);
    cg_ingest_destroy(e->ingest);
    cg_api_destroy(e->api);
    cg_jwks_destroy(e->jwks);
    cg_auth_destroy(e->auth);
    cg_db_close(e->db);
    cg_http_client_destroy(e->http);
    cg_parts_finish(&e->parts);
    for (size_t i = 0; i < sizeof e->watches / sizeof e->watches[0]; i++)
        cg_watch_destroy(e->watches[i]);
    cg_keys_destroy(e->keys);
    cg_loop_destroy(e->loop);
    cg_config_destroy(e->config);
    cg_files_destroy(e->files);
    cg_buf_finish(&e->script_text);
    cg_board_unmap(e->board);
    if (e->schedstat >= 0)
        close(e->schedstat);
    free(e);
}

int cg_engine_check(struct cg_files *files, const struct cg_config *config, struct cg_err *err)
{
    struct cg_parts parts;
    struct cg_auth *auth = NULL;
    int rc = cg_parts_load(&parts, files, config, err);
    if (rc == 0)
        rc = cg_parts_auth(&parts, config, &auth, err);
    cg_auth_destroy(auth);
    cg_parts_finish(&parts);
    return rc;
}
