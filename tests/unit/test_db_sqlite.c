/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/buf.h"
#include "engine/base/tenant_mint.h"
#include "engine/io/db.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct cogent_op none;
static char folder[64], path[96];
static struct cg_loop *loop;
static struct cg_db *db;
static const struct cg_tenant *acme, *other;
static const char *const migrations[] = {
    "create table item(tenant_id text not null, id text not null, n bigint, d double precision, b blob, "
    "primary key(tenant_id, id)); create table plain(id text primary key)",
    "create table second(tenant_id text not null)", NULL
};

static const struct cogent_statement
    add = { .name = "item.add",
            .text = "insert into item(tenant_id, id, n, d, b) values ($1, $2, $3, $4, $5)",
            .params = "tidb",
            .columns = "" },
    get = { .name = "item.get",
            .text = "select tenant_id, id, n, d, b from item where tenant_id = $1 and id = $2",
            .params = "t",
            .columns = "tidb" },
    list = { .name = "item.list",
             .text = "select tenant_id, n from item where tenant_id = $1 order by n",
             .params = "",
             .columns = "i" },
    leak = { .name = "item.leak",
             .text = "select tenant_id, n from item where $1 = $1",
             .params = "",
             .columns = "i" },
    leak_change = { .name = "item.leak_change",
                    .text = "update item set n = 99 where $1 = $1 returning tenant_id, n",
                    .params = "",
                    .columns = "i" },
    bump = { .name = "item.bump",
             .text = "update item set n = n + $3 where tenant_id = $1 and id = $2 returning tenant_id, n",
             .params = "ti",
             .columns = "i" },
    ten = { .name = "ten",
            .text = "select $1, $10 || $2 || $9, '$3', \"x$3\" from (select 1 as \"x$3\")",
            .params = "ttttttttt",
            .columns = "ttt" },
    system_add = { .name = "plain.add",
                   .text = "insert into plain(id) values ($1)",
                   .params = "t",
                   .columns = "" },
    system_get = { .name = "plain.get",
                   .text = "select id from plain where id = $1",
                   .params = "t",
                   .columns = "t" },
    broken = { .name = "broken", .text = "selec", .params = "", .columns = "" },
    slow = { .name = "slow",
             .text = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 20000) "
                     "select $1, max(x) from n",
             .params = "",
             .columns = "i" },
    few_columns = { .name = "few", .text = "select $1", .params = "", .columns = "i" };

static struct seen {
    int done, err;
    size_t rows, changed;
    int64_t n, numbers[8];
    double d;
    char text[3][64];
    int types[4];
} seen;

static void on_done(void *arg, const struct cogent_db_result *r)
{
    struct seen *s = arg ? arg : &seen;
    s->done++;
    s->err = r->err;
    s->rows = r->rows(r, 0);
    s->changed = r->changed(r, 0);
    assert_int_equal(r->rows(r, 1000), 0);
    assert_int_equal(r->row(r, 0, s->rows).n, 0);
    for (size_t i = 0; i < s->rows && i < 8; i++) {
        struct cogent_row row = r->row(r, 0, i);
        for (size_t k = 0, t = 0; k < row.n && k < 4; k++) {
            s->types[k] = row.values[k].type;
            if (row.values[k].type == COGENT_INT)
                s->n = s->numbers[i] = row.values[k].num;
            else if (row.values[k].type == COGENT_DOUBLE)
                s->d = row.values[k].real;
            else if (row.values[k].type != COGENT_NULL && t < 3)
                cg_str_copy(s->text[t++], sizeof s->text[0], row.values[k].str);
        }
    }
}

static void stop(void *arg)
{
    cg_loop_stop(arg);
}

static void turn(uint32_t ms)
{
    cg_timer_after(loop, none, "test", ms, stop, loop);
    cg_loop_run(loop);
}

static void open_db(void)
{
    struct cg_err err;
    if (cg_db_open_sqlite(loop, path, NULL, migrations, &db, &err) < 0)
        fail_msg("%s", err.message);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cogent-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/db", folder);
    memset(&seen, 0, sizeof seen);
    loop = cg_loop_create();
    acme = cg_tenant_mint("6fa459ea-ee8a-4ca4-894e-db77e160355e", "acme");
    other = cg_tenant_mint("7fa459ea-ee8a-4ca4-894e-db77e160355e", "other");
    open_db();
    return 0;
}

static int teardown(void **state)
{
    char command[160];
    (void)state;
    cg_db_close(db);
    db = NULL;
    cg_loop_destroy(loop);
    cg_tenant_unref(acme);
    cg_tenant_unref(other);
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "%s%s", path, ends[i]);
        unlink(command);
    }
    return rmdir(folder);
}

static int run(const struct cg_tenant *tenant, enum cg_durable durable, const struct cg_db_step *steps,
               size_t n)
{
    memset(&seen, 0, sizeof seen);
    cg_db_run(db, none, tenant, durable, steps, n, on_done, NULL);
    for (int i = 0; i < 1000 && !seen.done; i++)
        turn(2);
    assert_int_equal(seen.done, 1);
    return seen.err;
}

static struct cg_db_step step(const struct cogent_statement *st, const struct cogent_value *values, size_t n)
{
    return (struct cg_db_step){ st, values, n };
}

static int add_item(const struct cg_tenant *tenant, const char *id, int64_t n)
{
    struct cogent_value v[] = { cogent_text(cogent_str(id)), cogent_int(n), cogent_double(2.5),
                                cogent_null() };
    struct cg_db_step s = step(&add, v, 4);
    return run(tenant, CG_DB_COMMIT, &s, 1);
}

static int list_items(const struct cg_tenant *tenant)
{
    struct cg_db_step s = step(&list, NULL, 0);
    assert_int_equal(run(tenant, CG_DB_READ, &s, 1), 0);
    return (int)seen.rows;
}

static void values_come_back(void **state)
{
    (void)state;
    static const char bytes[] = "a\0b";
    struct cogent_value v[] = { cogent_text(cogent_str("it's")),
                                cogent_int(INT64_MIN),
                                cogent_double(2.5),
                                { COGENT_BLOB, { bytes, 3 }, 0, 0 } };
    struct cg_db_step s[] = { step(&add, v, 4), step(&get, v, 1) };
    assert_int_equal(run(acme, CG_DB_FSYNC, s, 1), 0);
    assert_int_equal(seen.changed, 1);
    assert_int_equal(run(acme, CG_DB_READ, s + 1, 1), 0);
    assert_int_equal(seen.rows, 1);
    assert_string_equal(seen.text[0], "it's");
    assert_true(seen.n == INT64_MIN && seen.d == 2.5);
    assert_memory_equal(seen.text[1], "a\0b", 4);
    assert_int_equal(seen.types[3], COGENT_BLOB);
    v[0] = cogent_text(cogent_str("")); /* empty is not null */
    v[1] = v[2] = cogent_null();
    v[3].str.len = 0;
    assert_int_equal(run(acme, CG_DB_LAZY, s, 1), 0);
    assert_int_equal(run(acme, CG_DB_READ, s + 1, 1), 0);
    assert_int_equal(seen.types[0], COGENT_TEXT);
    assert_int_equal(seen.types[1], COGENT_NULL);
    assert_int_equal(seen.types[2], COGENT_NULL);
    assert_int_equal(seen.types[3], COGENT_BLOB);
    assert_true(cg_db_healthy(db));
}

static void a_group_is_all_or_nothing(void **state)
{
    (void)state;
    struct cogent_value a[] = { cogent_text(cogent_str("a")), cogent_int(1), cogent_null(), cogent_null() };
    struct cogent_value b[] = { cogent_text(cogent_str("b")), cogent_int(2), cogent_null(), cogent_null() };
    struct cg_db_step bad[] = { step(&add, a, 4), step(&add, b, 4), step(&add, a, 4) };
    assert_int_equal(run(acme, CG_DB_COMMIT, bad, 3), COGENT_CONFLICT);
    assert_int_equal(seen.rows, 0);
    assert_int_equal(seen.changed, 0);
    assert_int_equal(list_items(acme), 0);
    /* Beside good ones, in one transaction. */
    struct seen results[3] = { 0 };
    struct cogent_value c[] = { cogent_text(cogent_str("c")), cogent_int(3), cogent_null(), cogent_null() };
    struct cg_db_step good = step(&add, b, 4), last = step(&add, c, 4);
    cg_db_run(db, none, acme, CG_DB_LAZY, &good, 1, on_done, &results[0]);
    cg_db_run(db, none, acme, CG_DB_LAZY, bad, 3, on_done, &results[1]);
    cg_db_run(db, none, acme, CG_DB_COMMIT, &last, 1, on_done, &results[2]);
    for (int i = 0; i < 500 && !results[2].done; i++)
        turn(2);
    assert_int_equal(results[0].err, 0);
    assert_int_equal(results[1].err, COGENT_CONFLICT);
    assert_int_equal(results[2].err, 0);
    assert_int_equal(list_items(acme), 2);
    assert_int_equal(seen.numbers[0], 2);
    assert_int_equal(seen.numbers[1], 3);
}

static void rows_of_others_fail_the_group(void **state)
{
    (void)state;
    add_item(acme, "a", 1);
    add_item(other, "a", 2);
    struct cg_db_step s = step(&leak, NULL, 0), change[] = { step(&leak_change, NULL, 0) };
    assert_int_equal(run(acme, CG_DB_READ, &s, 1), COGENT_DENIED);
    assert_int_equal(seen.rows, 0);
    assert_int_equal(run(acme, CG_DB_COMMIT, change, 1), COGENT_DENIED);
    assert_int_equal(list_items(acme), 1);
    assert_int_equal(seen.n, 1);
    assert_int_equal(list_items(other), 1);
    assert_int_equal(seen.n, 2);
}

static void conditional_update(void **state)
{
    (void)state;
    struct cogent_value v[] = { cogent_text(cogent_str("a")), cogent_int(5) };
    struct cg_db_step s = step(&bump, v, 2);
    add_item(acme, "a", 1);
    assert_int_equal(run(acme, CG_DB_COMMIT, &s, 1), 0);
    assert_int_equal(seen.rows, 1);
    assert_int_equal(seen.n, 6);
    assert_int_equal(run(other, CG_DB_COMMIT, &s, 1), 0);
    assert_int_equal(seen.rows, 0);
    assert_int_equal(seen.changed, 0);
}

/* SQLite numbers $10 by where it stands; it must be the tenth value all the same. */
static void parameters_keep_their_numbers(void **state)
{
    (void)state;
    struct cogent_value v[9];
    static const char *const words[] = { "two", "3", "4", "5", "6", "7", "8", "nine", "ten" };
    for (size_t i = 0; i < 9; i++)
        v[i] = cogent_text(cogent_str(words[i]));
    struct cg_db_step s = step(&ten, v, 9);
    assert_int_equal(run(acme, CG_DB_READ, &s, 1), 0);
    assert_string_equal(seen.text[0], "tentwonine");
    assert_string_equal(seen.text[1], "$3");
}

static int order_of_ends[64], n_ends;

static void on_end(void *arg, const struct cogent_db_result *r)
{
    assert_int_equal(r->err, 0);
    order_of_ends[n_ends++] = *(const int *)arg;
}

static void a_tenant_who_reads_much_leaves_others_their_turn(void **state)
{
    (void)state;
    static const int theirs = 0, others = 1;
    const struct cg_db_step s = step(&slow, NULL, 0);
    n_ends = 0;
    for (int i = 0; i < 40; i++)
        cg_db_run(db, none, acme, CG_DB_READ, &s, 1, on_end, (void *)&theirs);
    for (int i = 0; i < 2; i++)
        cg_db_run(db, none, other, CG_DB_READ, &s, 1, on_end, (void *)&others);
    for (int i = 0; i < 5000 && n_ends < 42; i++)
        turn(2);
    assert_int_equal(n_ends, 42);
    int last = 0;
    for (int i = 0; i < 42; i++)
        last = order_of_ends[i] == others ? i : last;
    assert_true(last < 30); /* and not behind all of the forty */
}

static void mistakes_are_errors(void **state)
{
    (void)state;
    struct cogent_value v[] = { cogent_int(1) };
    struct cg_db_step wrong_type = step(&get, v, 1), too_few = step(&get, v, 0), bad = step(&broken, NULL, 0),
                      columns = step(&few_columns, NULL, 0);
    assert_int_equal(run(acme, CG_DB_READ, &wrong_type, 1), COGENT_INTERNAL);
    assert_int_equal(run(acme, CG_DB_READ, &too_few, 1), COGENT_INTERNAL);
    assert_int_equal(run(acme, CG_DB_READ, &bad, 1), COGENT_INTERNAL);
    assert_int_equal(run(acme, CG_DB_READ, &columns, 1), COGENT_INTERNAL);
    assert_int_equal(run(acme, CG_DB_READ, NULL, 0), 0);
    assert_int_equal(list_items(acme), 0);
}

static void system_tables(void **state)
{
    (void)state;
    struct cogent_value v[] = { cogent_text(cogent_str("x")) };
    struct cg_db_step s[] = { step(&system_add, v, 1), step(&system_get, v, 1) };
    cg_db_run_system(db, none, CG_DB_COMMIT, s, 1, on_done, NULL);
    cg_db_run_system(db, none, CG_DB_COMMIT, s + 1, 1, on_done, NULL);
    for (int i = 0; i < 500 && seen.done < 2; i++)
        turn(2);
    assert_int_equal(seen.rows, 1);
    assert_string_equal(seen.text[0], "x");
}

/* Nobody waits any more: nothing is told, and what was to be written is. */
static void cancelled_in_flight(void **state)
{
    (void)state;
    struct cogent_value v[] = { cogent_text(cogent_str("a")), cogent_int(1), cogent_null(), cogent_null() };
    struct cg_db_step s = step(&add, v, 4);
    struct cogent_op root = cg_op_start(loop, none, "run", 0, NULL, NULL);
    struct cogent_op op = cg_db_run(db, root, acme, CG_DB_COMMIT, &s, 1, on_done, NULL);
    assert_true(cg_op_alive(loop, op));
    cg_op_cancel(loop, root, COGENT_CANCELLED);
    assert_true(cogent_op_none(cg_db_run(db, root, acme, CG_DB_COMMIT, &s, 1, on_done, NULL)));
    turn(50);
    assert_int_equal(seen.done, 0);
    assert_int_equal(list_items(acme), 1);
    assert_int_equal(cg_op_count(loop), 0);
}

static void what_was_queued_is_written_at_the_close(void **state)
{
    (void)state;
    struct cogent_value v[] = { cogent_text(cogent_str("a")), cogent_int(1), cogent_null(), cogent_null() };
    struct cg_db_step s = step(&add, v, 4);
    cg_db_run(db, none, acme, CG_DB_LAZY, &s, 1, NULL, NULL);
    cg_db_close(db);
    open_db();
    assert_int_equal(list_items(acme), 1);
}

static void migrates_and_refuses(void **state)
{
    (void)state;
    static const char *const older[] = { "select 1", NULL };
    static const char *const newer[] = { "x", "x", "create table third(tenant_id text)", NULL };
    static const char *const wrong[] = { "x", "x", "x", "create table fourth(id text); nonsense", NULL };
    struct cg_err err = { 0 };
    cg_db_close(db);
    db = NULL;
    assert_int_equal(cg_db_open_sqlite(loop, path, NULL, older, &db, &err), COGENT_CONFLICT);
    assert_non_null(strstr(err.message, "version 2"));
    assert_null(db);
    assert_int_equal(cg_db_open_sqlite(loop, path, NULL, newer, &db, &err), 0);
    cg_db_close(db);
    assert_int_equal(cg_db_open_sqlite(loop, path, NULL, wrong, &db, &err), COGENT_INTERNAL);
    assert_non_null(strstr(err.message, "migration 4"));
    /* The half of it that went well was taken back. */
    static const char *const again[] = { "x", "x", "x", "create table fourth(id text)", NULL };
    assert_int_equal(cg_db_open_sqlite(loop, path, NULL, again, &db, &err), 0);
    cg_db_close(db);
    assert_int_equal(cg_db_open_sqlite(loop, "/dev/null/db", NULL, migrations, &db, &err),
                     COGENT_UNAVAILABLE);
}

enum { WRITERS = 3, EACH = 200 };

static void writer_process(void *lock, int number)
{
    struct cg_err err;
    int ok = 0;
    loop = cg_loop_create();
    if (cg_db_open_sqlite(loop, path, lock, migrations, &db, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    for (int i = 0; i < EACH; i++) {
        char id[32];
        snprintf(id, sizeof id, "%d-%d", number, i);
        struct cogent_value v[] = { cogent_text(cogent_str(id)), cogent_int(i), cogent_null(),
                                    cogent_null() };
        struct cg_db_step s = step(&add, v, 4);
        memset(&seen, 0, sizeof seen);
        cg_db_run(db, none, acme, CG_DB_COMMIT, &s, 1, on_done, NULL);
        for (int k = 0; k < 5000 && !seen.done; k++)
            turn(1);
        ok += seen.done && seen.err == 0;
    }
    cg_db_close(db);
    cg_loop_destroy(loop);
    _exit(ok == EACH ? 0 : 2);
}

/* Several processes open a new file at once and write; one of them is killed while it holds the lock. */
static void processes_share_the_file(void **state)
{
    (void)state;
    pid_t pids[WRITERS];
    void *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(cg_db_lock_size() <= 4096);
    assert_int_equal(cg_db_lock_init(lock), 0);
    cg_db_close(db);
    db = NULL;
    unlink(path);
    fflush(NULL);
    pid_t holder = fork();
    if (holder == 0) {
        pthread_mutex_lock(lock);
        raise(SIGKILL);
    }
    waitpid(holder, NULL, 0);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            writer_process(lock, i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    open_db();
    assert_int_equal(list_items(acme), WRITERS * EACH);
    munmap(lock, 4096);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(values_come_back),
        T(a_group_is_all_or_nothing),
        T(rows_of_others_fail_the_group),
        T(conditional_update),
        T(parameters_keep_their_numbers),
        T(mistakes_are_errors),
        T(system_tables),
        T(cancelled_in_flight),
        T(what_was_queued_is_written_at_the_close),
        T(migrates_and_refuses),
        T(processes_share_the_file),
        T(a_tenant_who_reads_much_leaves_others_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
