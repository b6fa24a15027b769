/* SPDX-License-Identifier: Apache-2.0 */
#include "db_host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 64, ROWS_MAX = 100000, STATEMENTS_MAX = 128 };

/* One group on its way. */
struct group {
    struct cogent_db_step steps[STEPS_MAX];
    size_t n;
    int reads;
    void (*done)(void *arg, const struct cogent_db_result *result);
    void *arg;
};

struct rows {
    struct cogent_value *values;
    size_t n, columns, changed;
};

struct results {
    struct cogent_db_result head; /* first */
    struct rows steps[STEPS_MAX];
};

/* The host's functions have no argument that leads here. */
static struct {
    struct db_host *host;
    struct group *waiting;
    sqlite3_stmt *stmts[STATEMENTS_MAX];
    void *options;
} now;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "db_host: %s: %s\n", what, why);
    abort();
}

static char *dup(struct cogent_str s)
{
    char *out = malloc(s.len + 1);
    if (!out)
        die("memory", "none");
    if (s.len)
        memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return out;
}

static struct cogent_op run(struct cogent_op parent, const char *plugin, const struct cogent_db_step *steps,
                            size_t n, int reads,
                            void (*done)(void *arg, const struct cogent_db_result *result), void *arg)
{
    if (strcmp(plugin, "retriever_records") != 0 || n > STEPS_MAX || now.waiting || parent.generation != 1)
        die("run", "a wrong call");
    struct group *g = calloc(1, sizeof *g);
    if (!g)
        die("memory", "none");
    g->n = n;
    g->reads = reads;
    g->done = done;
    g->arg = arg;
    for (size_t i = 0; i < n; i++) {
        struct cogent_value *values = calloc(steps[i].n + 1, sizeof *values);
        for (size_t v = 0; v < steps[i].n; v++) {
            values[v] = steps[i].values[v];
            if (values[v].type == COGENT_TEXT || values[v].type == COGENT_BLOB)
                values[v].str.ptr = dup(values[v].str);
        }
        g->steps[i] = (struct cogent_db_step){ steps[i].statement, values, steps[i].n };
    }
    now.waiting = g;
    return (struct cogent_op){ 1, 1 };
}

static sqlite3_stmt *prepare(unsigned i)
{
    const struct cogent_statement *st = &now.host->api->statements[i];
    char text[8192];
    if (i >= STATEMENTS_MAX || now.stmts[i])
        return now.stmts[i];
    size_t n = 0;
    for (const char *at = st->text; *at && n + 1 < sizeof text; at++)
        text[n++] = *at == '$' && at[1] >= '1' && at[1] <= '9' ? '?' : *at;
    text[n] = '\0';
    if (sqlite3_prepare_v3(now.host->file, text, -1, SQLITE_PREPARE_PERSISTENT, &now.stmts[i], NULL) !=
        SQLITE_OK)
        die(st->name, sqlite3_errmsg(now.host->file));
    return now.stmts[i];
}

static void bind(sqlite3_stmt *stmt, const struct cogent_statement *st, const struct cogent_db_step *step)
{
    static const char letters[] = "-tidb";
    if (step->n != strlen(st->params))
        die(st->name, "number of parameters");
    sqlite3_bind_text(stmt, 1, now.host->tenant, -1, SQLITE_STATIC);
    for (size_t i = 0; i < step->n; i++) {
        const struct cogent_value *v = &step->values[i];
        int rc = SQLITE_OK, at = (int)i + 2;
        if (v->type != COGENT_NULL && letters[v->type] != st->params[i])
            die(st->name, "type of a parameter");
        if (v->type == COGENT_TEXT)
            rc = sqlite3_bind_text(stmt, at, v->str.ptr, (int)v->str.len, SQLITE_STATIC);
        else if (v->type == COGENT_INT)
            rc = sqlite3_bind_int64(stmt, at, v->num);
        else if (v->type == COGENT_DOUBLE)
            rc = sqlite3_bind_double(stmt, at, v->real);
        if (rc != SQLITE_OK)
            die(st->name, sqlite3_errmsg(now.host->file));
    }
}

static void read_row(sqlite3_stmt *stmt, const struct cogent_statement *st, struct rows *rows)
{
    const char *owner = (const char *)sqlite3_column_text(stmt, 0);
    rows->columns = strlen(st->columns);
    if (sqlite3_column_count(stmt) != (int)rows->columns + 1)
        die(st->name, "number of columns");
    if (!owner || strcmp(owner, now.host->tenant) != 0)
        die(st->name, "a row of somebody else");
    if (rows->n >= ROWS_MAX)
        die(st->name, "too many rows");
    rows->values = realloc(rows->values, (rows->n + 1) * (rows->columns + 1) * sizeof *rows->values);
    for (size_t i = 0; i < rows->columns; i++) {
        struct cogent_value v = cogent_null();
        int at = (int)i + 1;
        if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
            ;
        else if (st->columns[i] == 'i')
            v = cogent_int(sqlite3_column_int64(stmt, at));
        else if (st->columns[i] == 'd')
            v = cogent_double(sqlite3_column_double(stmt, at));
        else
            v = cogent_text((struct cogent_str){ dup(cogent_str((const char *)sqlite3_column_text(stmt, at))),
                                                 (size_t)sqlite3_column_bytes(stmt, at) });
        rows->values[rows->n * rows->columns + i] = v;
    }
    rows->n++;
}

static int run_step(const struct cogent_db_step *step, struct rows *rows)
{
    const struct cogent_statement *st = &now.host->api->statements[step->statement];
    sqlite3_stmt *stmt = prepare(step->statement);
    int rc, before = sqlite3_total_changes(now.host->file);
    bind(stmt, st, step);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        read_row(stmt, st, rows);
    rows->changed = (size_t)(sqlite3_total_changes(now.host->file) - before);
    if (rc != SQLITE_DONE)
        fprintf(stderr, "db_host: %s: %s\n", st->name, sqlite3_errmsg(now.host->file));
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc == SQLITE_DONE ? 0 : (rc & 0xff) == SQLITE_CONSTRAINT ? COGENT_CONFLICT : COGENT_INTERNAL;
}

static size_t result_rows(const struct cogent_db_result *result, size_t i)
{
    return ((const struct results *)result)->steps[i].n;
}

static size_t result_changed(const struct cogent_db_result *result, size_t i)
{
    return ((const struct results *)result)->steps[i].changed;
}

static struct cogent_row result_row(const struct cogent_db_result *result, size_t i, size_t row)
{
    const struct rows *rows = &((const struct results *)result)->steps[i];
    return (struct cogent_row){ rows->values + row * rows->columns, rows->columns };
}

static void free_values(struct cogent_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i].type == COGENT_TEXT || values[i].type == COGENT_BLOB)
            free((char *)(uintptr_t)values[i].str.ptr);
    free(values);
}

/* Runs what waits, as one transaction, and tells it. */
static void turn(void)
{
    struct group *g = now.waiting;
    struct db_host *host = now.host;
    struct results *r = calloc(1, sizeof *r);
    r->head = (struct cogent_db_result){ sizeof r->head, 0, result_rows, result_changed, result_row };
    now.waiting = NULL;
    host->answer.groups++;
    host->answer.writes += !g->reads;
    host->answer.steps += g->n;
    if (!g->reads && host->between) {
        sqlite3_exec(host->file, host->between, NULL, NULL, NULL);
        host->between = NULL;
    }
    sqlite3_exec(host->file, "SAVEPOINT g", NULL, NULL, NULL);
    int before = sqlite3_total_changes(host->file);
    for (size_t i = 0; i < g->n && !r->head.err; i++)
        r->head.err = run_step(&g->steps[i], &r->steps[i]);
    if (g->reads && sqlite3_total_changes(host->file) != before)
        die("a reading group", "it wrote");
    sqlite3_exec(host->file, r->head.err ? "ROLLBACK TO g; RELEASE g" : "RELEASE g", NULL, NULL, NULL);
    if (!host->answer.completed)
        g->done(g->arg, &r->head);
    for (size_t i = 0; i < g->n; i++) {
        free_values(r->steps[i].values, r->steps[i].n * r->steps[i].columns);
        free_values((struct cogent_value *)(uintptr_t)g->steps[i].values, g->steps[i].n);
    }
    free(r);
    free(g);
}

static void copy(char *out, size_t size, struct cogent_str s)
{
    snprintf(out, size, "%.*s", (int)s.len, s.ptr ? s.ptr : "");
}

static void found(struct cogent_search *search, const struct cogent_found *f)
{
    struct db_answer *a = &now.host->answer;
    (void)search;
    if (a->completed || a->n >= DB_FOUND_MAX)
        die("found", a->completed ? "after the end" : "too many");
    struct db_found *out = &a->found[a->n++];
    copy(out->type, sizeof out->type, f->type);
    copy(out->id, sizeof out->id, f->id);
    copy(out->title, sizeof out->title, f->title);
    copy(out->text, sizeof out->text, f->text);
    copy(out->columns, sizeof out->columns, f->columns);
    copy(out->stamp, sizeof out->stamp, f->stamp);
    out->chunk = f->chunk;
    out->score = f->score;
    out->exact = f->exact;
    out->as_of = f->as_of;
}

static int done(struct cogent_search *search)
{
    (void)search;
    now.host->answer.completed++;
    return 0;
}

static int fail(struct cogent_search *search, int err, const char *message)
{
    (void)search;
    now.host->answer.completed++;
    now.host->answer.err = err;
    copy(now.host->answer.message, sizeof now.host->answer.message, cogent_str(message));
    return err;
}

static int64_t clock_now(void)
{
    return now.host->now;
}

static const struct cogent_timer_api timer_api = { sizeof timer_api, NULL, clock_now };
static const struct cogent_db_api db_api = { sizeof db_api, run };
static const struct cogent_complete_api complete_api = {
    .size = sizeof complete_api, .search_found = found, .search_done = done, .search_fail = fail
};
static const struct cogent_host host_table = {
    .size = sizeof host_table, .timer = &timer_api, .db = &db_api, .complete = &complete_api
};

void db_host_migrate(struct db_host *host, const char *path)
{
    char sql[16384], *why = NULL;
    FILE *in = fopen(path, "r");
    if (!in)
        die(path, "cannot be read");
    sql[fread(sql, 1, sizeof sql - 1, in)] = '\0';
    fclose(in);
    if (sqlite3_exec(host->file, sql, NULL, NULL, &why) != SQLITE_OK)
        die(path, why);
}

static void *make_options(const struct cogent_retriever *api)
{
    char *options = calloc(1, api->options_size);
    for (const struct cogent_option *o = api->options; o->key; o++) {
        if (o->type == COGENT_OPT_NUMBER)
            *(double *)(void *)(options + o->offset) = strtod(o->preset, NULL);
        else if (o->type == COGENT_OPT_INT)
            *(int64_t *)(void *)(options + o->offset) = strtol(o->preset, NULL, 10);
    }
    return options;
}

void db_host_open(struct db_host *host, const char *plugin, const char *sql_file)
{
    char error[256] = "";
    memset(host, 0, sizeof *host);
    memset(&now, 0, sizeof now);
    now.host = host;
    host->now = 1700000000000000;
    host->plugin = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
    if (!host->plugin)
        die(plugin, dlerror());
    cogent_plugin_entry_fn entry = NULL;
    *(void **)&entry = dlsym(host->plugin, "cogent_plugin_entry");
    host->api = entry(COGENT_ABI, COGENT_ABI)->retrievers[0];
    now.options = make_options(host->api);
    if (host->api->open(&host_table, now.options, &host->self, error, sizeof error) != 0)
        die("open", error);
    if (sqlite3_open(":memory:", &host->file) != SQLITE_OK)
        die("sqlite", "open");
    sqlite3_exec(host->file, "PRAGMA trusted_schema=OFF", NULL, NULL, NULL);
    db_host_migrate(host, sql_file);
}

void db_host_close(struct db_host *host)
{
    host->api->close(host->self);
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(now.stmts[i]);
    sqlite3_close(host->file);
    free(now.options);
    now.options = NULL;
}

void db_host_request(struct db_host *host, struct cogent_search *search)
{
    host->answer.n = 0;
    host->answer.completed = host->answer.err = 0;
    host->answer.message[0] = '\0';
    host->answer.groups = host->answer.writes = host->answer.steps = 0;
    search->size = sizeof *search;
    search->host = &host_table;
    search->op = (struct cogent_op){ 1, 1 };
    host->api->request(host->self, search);
    while (now.waiting)
        turn();
    if (host->answer.completed != 1)
        die("request", "not completed exactly once");
    if (search->release)
        search->release(search->data);
    search->release = NULL;
}

int64_t db_host_number(struct db_host *host, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t out = -1;
    if (sqlite3_prepare_v2(host->file, sql, -1, &stmt, NULL) != SQLITE_OK)
        die(sql, sqlite3_errmsg(host->file));
    if (sqlite3_step(stmt) == SQLITE_ROW)
        out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return out;
}
