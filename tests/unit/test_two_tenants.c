/* SPDX-License-Identifier: Apache-2.0
 * Every statement there is, run with two tenants whose rows have the same keys: what one runs neither shows nor
 * touches a byte of the other. On SQLite this is the only net below the statements.
 *
 * Arguments: the plugins whose statements are run as well. */
#include "engine/base/buf.h"
#include "engine/base/tenant_mint.h"
#include "engine/io/db.h"
#include "engine/svc/schema.h"
#include "engine/svc/store.h"

#include <cogent/plugin.h>
#include <cogent/retriever.h>

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static const char mine[] = "11111111-1111-4111-8111-111111111111";
static const char theirs[] = "22222222-2222-4222-8222-222222222222";
#define CANARY "canary-of-the-other-tenant"

static char **plugin_paths;
static int n_plugins;

struct room {
    char path[64];
    struct cg_loop *loop;
    struct cg_db *db;
    const struct cg_tenant *tenant;
    sqlite3 *file;
};

static void exec(struct room *room, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(room->file, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

/* A value for a column: the same in both tenants where statements look it up, a canary elsewhere. */
static void add_value(struct cg_buf *out, const char *column, const char *type, bool key, bool other)
{
    static const struct {
        const char *column, *value;
    } fixed[] = { { "status", "'running'" }, { "state", "'waiting'" }, { "owner", "'k'" },
                  { "user_id", "'k'" },      { "number_norm", "'k'" }, { "acl", "null" },
                  { "terms", "'{\"k\":1}'" } };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(fixed[i].column, column) == 0) {
            cg_buf_text(out, fixed[i].value);
            return;
        }
    }
    if (strcmp(column, "tenant_id") == 0)
        cg_buf_printf(out, "'%s'", other ? theirs : mine);
    else if (strcasecmp(type, "text") != 0)
        cg_buf_text(out, strcmp(column, "expires") == 0 ? "9223372036854775807" : "1");
    else if (key)
        cg_buf_text(out, "'k'");
    else
        cg_buf_printf(out, "'%s'", other ? CANARY : "mine");
}

static void seed_table(struct room *room, const char *table, bool other)
{
    sqlite3_stmt *st;
    cg_auto_buf sql = { 0 }, values = { 0 };
    char pragma[128];
    bool has_tenant = false;
    snprintf(pragma, sizeof pragma, "select name, type, pk from pragma_table_info('%s')", table);
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(room->file, pragma, -1, &st, NULL));
    cg_buf_printf(&sql, "insert into %s(", table);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0);
        has_tenant = has_tenant || strcmp(name, "tenant_id") == 0;
        cg_buf_printf(&sql, "%s%s", values.len ? "," : "", name);
        if (values.len)
            cg_buf_char(&values, ',');
        add_value(&values, name, (const char *)sqlite3_column_text(st, 1), sqlite3_column_int(st, 2) > 0,
                  other);
    }
    sqlite3_finalize(st);
    cg_buf_printf(&sql, ") values (%s)", values.ptr);
    if (has_tenant)
        exec(room, sql.ptr);
}

static void each_table(struct room *room, void (*fn)(struct room *room, const char *table, void *arg),
                       void *arg)
{
    sqlite3_stmt *st;
    char names[32][64];
    size_t n = 0;
    sqlite3_prepare_v2(room->file, "select name from sqlite_master where type = 'table' order by name", -1,
                       &st, NULL);
    while (sqlite3_step(st) == SQLITE_ROW && n < 32)
        snprintf(names[n++], sizeof names[0], "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    for (size_t i = 0; i < n; i++)
        fn(room, names[i], arg);
}

static void clear_and_seed(struct room *room, const char *table, void *arg)
{
    char sql[128];
    (void)arg;
    if (strncmp(table, "sqlite_", 7) == 0)
        return;
    snprintf(sql, sizeof sql, "delete from %.63s", table);
    exec(room, sql);
    seed_table(room, table, false);
    seed_table(room, table, true);
}

/* Every row of the other tenant, as text. */
static void dump(struct room *room, const char *table, void *arg)
{
    sqlite3_stmt *st;
    char sql[160];
    snprintf(sql, sizeof sql, "select * from %.63s where tenant_id = '%s' order by 1, 2, 3", table, theirs);
    if (sqlite3_prepare_v2(room->file, sql, -1, &st, NULL) != SQLITE_OK)
        return; /* a system table */
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++)
            cg_buf_printf(arg, "%s.%s=%s;", table, sqlite3_column_name(st, i),
                          sqlite3_column_text(st, i) ? (const char *)sqlite3_column_text(st, i) : "null");
    }
    sqlite3_finalize(st);
}

struct outcome {
    struct room *room;
    int err;
    size_t rows;
};

static void on_done(void *arg, const struct cogent_db_result *result)
{
    struct outcome *o = arg;
    o->err = result->err;
    o->rows = result->err ? 0 : result->rows(result, 0);
    for (size_t i = 0; i < o->rows; i++) {
        struct cogent_row row = result->row(result, 0, i);
        for (size_t k = 0; k < row.n; k++) {
            cg_auto_free char *text =
                row.values[k].type == COGENT_TEXT ? cg_str_dup(row.values[k].str) : NULL;
            if (text && strstr(text, CANARY))
                fail_msg("a row of the other tenant was shown");
        }
    }
    cg_loop_stop(o->room->loop);
}

/* Lists go in as JSON: what the statement makes of the parameter says which. */
static struct cogent_value parameter(const struct cogent_statement *st, size_t i)
{
    char each[32];
    if (st->params[i] == 'i')
        return cogent_int(1);
    if (st->params[i] == 'd')
        return cogent_double(1);
    snprintf(each, sizeof each, "json_each($%zu)", i + 2);
    const char *at = strstr(st->text, each);
    if (!at)
        return cogent_text(cogent_str("k"));
    bool list = at - st->text > 11 && strncmp(at - 11, "value from ", 11) == 0;
    return cogent_text(cogent_str(list ? "[\"k\"]" : "{\"k\":1}"));
}

static void run_statement(struct room *room, const struct cogent_statement *st)
{
    struct cogent_value values[24];
    struct outcome o = { .room = room, .err = COGENT_INTERNAL };
    cg_auto_buf before = { 0 }, after = { 0 };
    size_t n = strlen(st->params);
    for (size_t i = 0; i < n; i++)
        values[i] = parameter(st, i);
    each_table(room, clear_and_seed, NULL);
    each_table(room, dump, &before);
    if (!before.ptr || !strstr(before.ptr, CANARY))
        fail_msg("no canary in: %s", before.ptr ? before.ptr : "nothing");
    const struct cg_db_step step = { st, values, n };
    cg_db_run(room->db, (struct cogent_op){ 0, 0 }, room->tenant, CG_DB_COMMIT, &step, 1, on_done, &o);
    cg_loop_run(room->loop);
    if (o.err != 0 && o.err != COGENT_CONFLICT) /* the same key again is a conflict of one's own */
        fail_msg("%s: %s", st->name, cogent_err_name(o.err));
    each_table(room, dump, &after);
    if (!cg_str_same(cg_buf_view(&before), cg_buf_view(&after)))
        fail_msg("%s touched a row of the other tenant", st->name);
}

static void open_room(struct room *room)
{
    struct cg_err err;
    snprintf(room->path, sizeof room->path, "/tmp/two-tenants-%d.db", (int)getpid());
    unlink(room->path);
    room->loop = cg_loop_create();
    if (cg_db_open_sqlite(room->loop, room->path, NULL, cg_migrations, &room->db, &err) < 0)
        fail_msg("%s", err.message);
    room->tenant = cg_tenant_mint(mine, "mine");
    assert_int_equal(SQLITE_OK, sqlite3_open(room->path, &room->file));
    sqlite3_busy_timeout(room->file, 5000);
}

static void close_room(struct room *room)
{
    char side[80];
    cg_db_close(room->db);
    sqlite3_close(room->file);
    cg_tenant_unref(room->tenant);
    cg_loop_destroy(room->loop);
    unlink(room->path);
    snprintf(side, sizeof side, "%s-wal", room->path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", room->path);
    unlink(side);
}

static void the_engines_statements(void **state)
{
    struct room room;
    (void)state;
    open_room(&room);
    for (size_t i = 0; i < CG_ST_STATEMENTS; i++)
        run_statement(&room, &cg_store[i]);
    close_room(&room);
}

static void the_plugins_statements(void **state)
{
    struct room room;
    size_t n = 0;
    (void)state;
    open_room(&room);
    for (int p = 0; p < n_plugins; p++) {
        void *object = dlopen(plugin_paths[p], RTLD_NOW | RTLD_LOCAL);
        void *symbol = object ? dlsym(object, "cogent_plugin_entry") : NULL;
        cogent_plugin_entry_fn entry;
        memcpy(&entry, &symbol, sizeof entry);
        assert_non_null(entry);
        const struct cogent_plugin *plugin = entry(0, COGENT_ABI);
        for (const struct cogent_statement *st = (*plugin->retrievers)->statements; st->name; st++, n++)
            run_statement(&room, st);
    }
    assert_true(n > 5);
    close_room(&room);
}

/* The net holds: statements that forget the tenant are seen. */
static void a_careless_statement_is_caught(void **state)
{
    static const struct cogent_statement shows = { .name = "shows",
                                                   .text =
                                                       "select tenant_id, body from run_row where $1 = $1",
                                                   .params = "",
                                                   .columns = "t" };
    static const struct cogent_statement touches = {
        .name = "touches",
        .text = "update run set rows = 7 where $1 = $1 and run_id = $2",
        .params = "t",
        .columns = ""
    };
    struct room room;
    struct outcome o = { .room = &room };
    cg_auto_buf before = { 0 }, after = { 0 };
    const struct cogent_value k = cogent_text(cogent_str("k"));
    (void)state;
    open_room(&room);
    each_table(&room, clear_and_seed, NULL);
    const struct cg_db_step first = { &shows, NULL, 0 }, second = { &touches, &k, 1 };
    cg_db_run(room.db, (struct cogent_op){ 0, 0 }, room.tenant, CG_DB_READ, &first, 1, on_done, &o);
    cg_loop_run(room.loop);
    assert_int_equal(COGENT_DENIED, o.err); /* the driver's own check */
    each_table(&room, dump, &before);
    cg_db_run(room.db, (struct cogent_op){ 0, 0 }, room.tenant, CG_DB_COMMIT, &second, 1, on_done, &o);
    cg_loop_run(room.loop);
    assert_int_equal(0, o.err);
    each_table(&room, dump, &after);
    assert_false(cg_str_same(cg_buf_view(&before), cg_buf_view(&after)));
    close_room(&room);
}

int main(int argc, char **argv)
{
    plugin_paths = argv + 1;
    n_plugins = argc - 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engines_statements),
        cmocka_unit_test(the_plugins_statements),
        cmocka_unit_test(a_careless_statement_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
