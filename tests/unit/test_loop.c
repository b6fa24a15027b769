/* SPDX-License-Identifier: Apache-2.0
 * Waits, timers and tasks. What happens is written down as letters, in order. */
#include "check.h"

#include "engine/base/tenant_mint.h"
#include "engine/io/loop.h"

#include <stdio.h>
#include <time.h>

static struct cg_loop *loop;
static char story[256];
static const struct cogent_op none;

static void note(const char *word)
{
    strncat(story, word, sizeof story - strlen(story) - 1);
}

static int setup(void **state)
{
    (void)state;
    story[0] = '\0';
    loop = cg_loop_create();
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cg_loop_destroy(loop);
    return 0;
}

static void stop(void *arg)
{
    (void)arg;
    cg_loop_stop(loop);
}

static void turn(uint32_t ms)
{
    cg_timer_after(loop, none, "test", ms, stop, NULL);
    cg_loop_run(loop);
}

struct owner {
    const char *name;
    struct cogent_op op, other;
    int action; /* what it does when told: see ended */
};

enum { NOTHING, FINISH_OTHER, CANCEL_OTHER, BEGIN_BELOW_OTHER, BEGIN_ROOT };

static void ended(void *arg, int why)
{
    struct owner *o = arg;
    note(o->name);
    if (why == COGENT_TIMEOUT)
        note("!");
    assert_false(cg_op_alive(loop, o->op));
    if (o->action == FINISH_OTHER)
        note(cg_op_finish(loop, o->other) ? "+" : "-");
    else if (o->action == CANCEL_OTHER)
        cg_op_cancel(loop, o->other, COGENT_CANCELLED);
    else if (o->action == BEGIN_BELOW_OTHER)
        note(cogent_op_none(cg_op_start(loop, o->other, "again", 0, ended, o)) ? "x" : "o");
    else if (o->action == BEGIN_ROOT)
        o->op = cg_op_start(loop, none, "again", 0, NULL, NULL);
}

static void begin(struct owner *o, struct cogent_op parent, uint32_t ms)
{
    o->op = cg_op_start(loop, parent, o->name, ms, ended, o);
    assert_false(cogent_op_none(o->op));
}

static void children_end_first_the_youngest_first(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" }, c = { "c" }, d = { "d" }, e = { "e" };
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    begin(&c, b.op, 0);
    begin(&d, a.op, 0);
    begin(&e, none, 0);
    cg_op_cancel(loop, a.op, COGENT_CANCELLED);
    assert_string_equal(story, "dcba");
    assert_int_equal(cg_op_count(loop), 1);
    assert_true(cg_op_finish(loop, e.op));
    assert_false(cg_op_finish(loop, e.op));
    assert_string_equal(story, "dcba");
    assert_int_equal(cg_op_count(loop), 0);
}

static void finishing_tells_the_children_alone(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" };
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    assert_true(cg_op_finish(loop, a.op));
    assert_string_equal(story, "b");
}

static void stale_values_touch_nothing(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" };
    begin(&a, none, 0);
    struct cogent_op old = a.op;
    cg_op_finish(loop, a.op);
    begin(&b, none, 0);
    assert_int_equal(b.op.slot, old.slot);
    assert_int_not_equal(b.op.generation, old.generation);
    cg_op_cancel(loop, old, COGENT_CANCELLED);
    assert_false(cg_op_finish(loop, old));
    cg_op_deadline(loop, old, 1);
    assert_true(cogent_op_none(cg_op_start(loop, old, "x", 0, NULL, NULL)));
    assert_true(cogent_op_none(cg_timer_after(loop, old, "x", 1, stop, NULL)));
    assert_null(cg_op_tenant(loop, old));
    cg_op_each(loop, old, NULL, NULL);
    assert_false(cg_op_alive(loop, (struct cogent_op){ 1000000, 1 }));
    turn(5);
    assert_true(cg_op_alive(loop, b.op));
    cg_op_finish(loop, b.op);
    assert_string_equal(story, "");
}

/* A child's owner ends the parent, begins again, or reuses the slot, all while the parent is ending. */
static void owners_act_while_told(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" }, c = { "c" };
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    begin(&c, a.op, 0);
    c.other = a.op;
    c.action = FINISH_OTHER;
    cg_op_cancel(loop, a.op, COGENT_CANCELLED);
    assert_string_equal(story, "cb+");
    assert_int_equal(cg_op_count(loop), 0);

    story[0] = '\0';
    c.action = CANCEL_OTHER;
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    begin(&c, a.op, 0);
    c.other = a.op;
    assert_true(cg_op_finish(loop, a.op));
    assert_string_equal(story, "cba");
    assert_int_equal(cg_op_count(loop), 0);

    story[0] = '\0';
    c.action = BEGIN_BELOW_OTHER;
    begin(&a, none, 0);
    begin(&c, a.op, 0);
    c.other = a.op;
    cg_op_cancel(loop, a.op, COGENT_CANCELLED);
    assert_string_equal(story, "cxa");
    assert_int_equal(cg_op_count(loop), 0);

    a.action = BEGIN_ROOT;
    begin(&a, none, 0);
    cg_op_cancel(loop, a.op, COGENT_CANCELLED);
    assert_true(cg_op_alive(loop, a.op));
    cg_op_finish(loop, a.op);
    assert_int_equal(cg_op_count(loop), 0);
}

static void deadlines(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" }, c = { "c" };
    begin(&a, none, 20);
    begin(&b, a.op, 0);
    turn(5);
    assert_string_equal(story, "");
    turn(30);
    assert_string_equal(story, "ba!");
    begin(&c, none, 10);
    cg_op_deadline(loop, c.op, 0);
    turn(20);
    assert_true(cg_op_alive(loop, c.op));
    cg_op_deadline(loop, c.op, 5);
    turn(20);
    assert_string_equal(story, "ba!c!");
    begin(&c, none, 5);
    cg_op_finish(loop, c.op);
    turn(15);
    assert_string_equal(story, "ba!c!");
}

static void say(void *arg)
{
    note(arg);
}

/* Two deadlines are due in one turn and the first ends the second. */
static void deadlines_of_one_moment(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" };
    begin(&a, none, 5);
    begin(&b, none, 5);
    a.other = b.op;
    b.other = a.op;
    a.action = b.action = FINISH_OTHER;
    struct timespec pause = { 0, 20000000 };
    nanosleep(&pause, NULL);
    turn(10);
    assert_true(strcmp(story, "a!+") == 0 || strcmp(story, "b!+") == 0);
    assert_int_equal(cg_op_count(loop), 0);
}

static void timers(void **state)
{
    (void)state;
    struct owner a = { "a" };
    begin(&a, none, 0);
    cg_timer_after(loop, a.op, "t", 10, say, (char[]){ "2" });
    cg_timer_after(loop, a.op, "t", 1, say, (char[]){ "1" });
    struct cogent_op gone = cg_timer_after(loop, a.op, "t", 5, say, (char[]){ "x" });
    cg_op_cancel(loop, gone, COGENT_CANCELLED);
    cg_timer_after(loop, none, "t", 0, say, (char[]){ "0" });
    turn(30);
    assert_true(strcmp(story, "012") == 0 || strcmp(story, "102") == 0);
    cg_timer_after(loop, a.op, "t", 5, say, (char[]){ "x" });
    cg_op_finish(loop, a.op);
    turn(15);
    assert_null(strchr(story, 'x'));
    /* A timer that something else below it ends, as it fires, does not fire. */
    struct cogent_op timer = cg_timer_after(loop, none, "t", 5, say, (char[]){ "y" });
    struct owner b = { "b", .other = timer, .action = CANCEL_OTHER };
    begin(&b, timer, 0);
    turn(20);
    assert_null(strchr(story, 'y'));
    assert_int_equal(cg_op_count(loop), 0);
}

static struct cg_task first, second;
static int times;

static void again(void *arg)
{
    (void)arg;
    if (++times < 1000)
        cg_task_later(loop, &first);
}

static void take_back_and_again(void *arg)
{
    cg_task_cancel(loop, &second);
    again(arg);
}

static void tasks(void **state)
{
    (void)state;
    struct cg_task a = { .fn = say, .arg = (char[]){ "a" } }, b = { .fn = say, .arg = (char[]){ "b" } },
                   c = { .fn = say, .arg = (char[]){ "c" } };
    cg_task_later(loop, &a);
    cg_task_later(loop, &b);
    cg_task_later(loop, &a);
    cg_task_later(loop, &c);
    cg_task_cancel(loop, &c);
    cg_task_cancel(loop, &c);
    assert_string_equal(story, "");
    turn(5);
    assert_string_equal(story, "ab");
    cg_task_later(loop, &c);
    turn(5);
    assert_string_equal(story, "abc");
}

/* A task that queues itself for ever does not keep the loop from its timers. */
static void tasks_leave_turns(void **state)
{
    (void)state;
    first = (struct cg_task){ .fn = again };
    times = -1000000000;
    cg_task_later(loop, &first);
    turn(10);
    assert_true(times > -1000000000 && times < 0);
    cg_task_cancel(loop, &first);
    /* The same when the last of the turn is taken back by the first. */
    first = (struct cg_task){ .fn = take_back_and_again };
    second = (struct cg_task){ .fn = say, .arg = (char[]){ "x" } };
    times = -1000000000;
    cg_task_later(loop, &first);
    cg_task_later(loop, &second);
    turn(10);
    assert_true(times < 0);
    assert_string_equal(story, "");
    cg_task_cancel(loop, &first);
}

static void tenants_are_found_from_below(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" };
    const struct cg_tenant *tenant = cg_tenant_mint("6fa459ea-ee8a-4ca4-894e-db77e160355e", "acme");
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    assert_null(cg_op_tenant(loop, b.op));
    cg_op_bind(loop, a.op, tenant);
    cg_tenant_unref(tenant);
    /* Ours was not the last reference; binding the same again must not be either. */
    cg_op_bind(loop, a.op, cg_op_tenant(loop, b.op));
    assert_string_equal(cg_tenant_name(cg_op_tenant(loop, b.op)), "acme");
    cg_op_cancel(loop, a.op, COGENT_CANCELLED);
    assert_null(cg_op_tenant(loop, a.op));
}

static void see(void *arg, const char *label, int64_t age_us)
{
    (void)arg;
    assert_true(age_us >= 0);
    note(label);
}

static void what_is_this_waiting_for(void **state)
{
    (void)state;
    struct owner a = { "a" }, b = { "b" }, c = { "c" };
    begin(&a, none, 0);
    begin(&b, a.op, 0);
    begin(&c, b.op, 0);
    cg_op_each(loop, a.op, see, NULL);
    assert_string_equal(story, "bc");
    cg_op_finish(loop, a.op);
}

static void many(void **state)
{
    (void)state;
    struct cogent_op root = cg_op_start(loop, none, "root", 0, NULL, NULL);
    for (int i = 0; i < 5000; i++)
        assert_false(cogent_op_none(cg_op_start(loop, root, "x", 1000, NULL, NULL)));
    assert_int_equal(cg_op_count(loop), 5001);
    cg_op_finish(loop, root);
    assert_int_equal(cg_op_count(loop), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(children_end_first_the_youngest_first),
        T(finishing_tells_the_children_alone),
        T(stale_values_touch_nothing),
        T(owners_act_while_told),
        T(deadlines),
        T(deadlines_of_one_moment),
        T(timers),
        T(tasks),
        T(tasks_leave_turns),
        T(tenants_are_found_from_below),
        T(what_is_this_waiting_for),
        T(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
