/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/holds.h"
#include "engine/base/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct cg_board *board;
static int fd;

static int setup(void **state)
{
    (void)state;
    fd = cg_board_make(&board);
    return fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cg_board_unmap(board);
    return close(fd);
}

static void is_shared(void **state)
{
    (void)state;
    struct cg_board *again = cg_board_map(fd);
    assert_non_null(again);
    board->generation = 7;
    assert_int_equal(again->generation, 7);
    cg_board_unmap(again);
    board->magic++;
    assert_null(cg_board_map(fd));
    board->magic--;
    assert_null(cg_board_map(-1));
    assert_null(cg_board_map(0));
}

static void tenants(void **state)
{
    (void)state;
    struct cg_board_tenant *a = cg_board_tenant(board, "a"), *b = cg_board_tenant(board, "b");
    assert_true(a && b && a != b);
    assert_ptr_equal(cg_board_tenant(board, "a"), a);
    a->runs[0] = 2;
    a->runs[5] = 3;
    assert_int_equal(cg_board_runs(a), 5);
    cg_board_clear_runs(board, 5);
    assert_int_equal(cg_board_runs(a), 2);
    char name[16];
    int n = 2;
    for (int i = 0; i < CG_BOARD_TENANTS + 10; i++) {
        snprintf(name, sizeof name, "t%d", i);
        n += cg_board_tenant(board, name) != NULL;
    }
    assert_int_equal(n, CG_BOARD_TENANTS);
    assert_ptr_equal(cg_board_tenant(board, "b"), b);
    board->slots[3].pid = 1;
    board->slots[3].incarnation = 9;
    assert_true(cg_board_alive(board, 3, 9));
    assert_false(cg_board_alive(board, 3, 8));
    assert_false(cg_board_alive(board, 4, 0));
    assert_false(cg_board_alive(board, CG_WORKERS_MAX, 9));
}

static void renders_the_sum(void **state)
{
    (void)state;
    struct cg_metrics one = { &board->slots[0] }, two = { &board->slots[1] }, nobody = { NULL };
    cg_auto_buf out = { 0 };
    cg_metric_add(&one, CG_M_RUNS, 2, "completed", NULL, NULL);
    cg_metric_add(&two, CG_M_RUNS, 3, "completed", NULL, NULL);
    cg_metric_add(&two, CG_M_RUNS, 1, "fail\"ed\n", NULL, NULL);
    cg_metric_add(&nobody, CG_M_RUNS, 100, "completed", NULL, NULL);
    cg_metric_set(&one, CG_M_CONNECTIONS, 5, "serve-1");
    cg_metric_set(&one, CG_M_CONNECTIONS, 4, "serve-1");
    cg_metric_set(&two, CG_M_CONNECTIONS, 9, "serve-2"); /* a gauge ends with its worker */
    atomic_store(&board->slots[0].pid, 4711);
    atomic_store(&board->slots[1].pid, 0);
    cg_metric_time(&one, CG_M_RUN_SECONDS, 7000, "completed", NULL);
    cg_metric_time(&two, CG_M_RUN_SECONDS, 900000000, "completed", NULL);
    cg_metrics_render(board, &out);
    assert_null(strstr(out.ptr, "serve-2"));
    static const char *const lines[] = {
        "# TYPE cogent_runs_total counter\ncogent_runs_total{status=\"completed\"} 5\ncogent_runs_total{status=\"fail_ed_\"} 1\n",
        "cogent_connections{slot=\"serve-1\"} 4\n",
        "# TYPE cogent_run_seconds histogram\ncogent_run_seconds_bucket{status=\"completed\",le=\"0.005\"} 0\n",
        "cogent_run_seconds_bucket{status=\"completed\",le=\"0.01\"} 1\n",
        "cogent_run_seconds_bucket{status=\"completed\",le=\"120\"} 1\n",
        "cogent_run_seconds_bucket{status=\"completed\",le=\"+Inf\"} 2\ncogent_run_seconds_sum{status=\"completed\"} "
        "900.007000\ncogent_run_seconds_count{status=\"completed\"} 2\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!strstr(out.ptr, lines[i]))
            fail_msg("%s\nnot in\n%s", lines[i], out.ptr);
    }
    assert_int_equal(board->slots[1].series[0].value, 3);
}

/* Labels of any length stay whole, and more series than there is room for count as "other". */
static void labels_are_bounded(void **state)
{
    (void)state;
    struct cg_metrics m = { &board->slots[0] };
    cg_auto_buf out = { 0 };
    const char *lengthy = "a-model-name-of-quite-some-length-and-then-some-more-2026-11-22";
    cg_metric_add(&m, CG_M_LLM_REQUESTS, 1, lengthy, lengthy, lengthy);
    for (int i = 0; i < 1000; i++) {
        char tool[16];
        snprintf(tool, sizeof tool, "tool%d", i);
        cg_metric_add(&m, CG_M_TOOL_CALLS, 1, tool, "ok", NULL);
    }
    cg_metric_add(&m, CG_M_RUNS, 1, "completed", NULL, NULL);
    cg_metrics_render(board, &out);
    assert_null(strstr(out.ptr, "{}"));
    assert_non_null(strstr(out.ptr, "llm_requests_total{provider=\"a-model"));
    assert_non_null(strstr(out.ptr, "cogent_tool_calls_total{tool=\"other\",status=\"other\"} "));
    assert_non_null(strstr(out.ptr, "cogent_runs_total{status=\"other\"} 1\n"));
}

static void holds_back_who_crashes_often(void **state)
{
    (void)state;
    const int64_t second = 1000000, minute = 60 * second;
    int64_t now = 1000 * minute;
    assert_null(cg_holds_of(board, "slow"));
    for (int i = 0; i < 6; i++, now += minute) /* one a minute and less is a nuisance, not more */
        assert_int_equal(cg_holds_crashed(board, "slow", 0, now, 1), 0);
    assert_int_equal(cg_holds_left(board, "slow", now), 0);
    assert_int_equal(cg_holds_of(board, "slow")->crashes, 6);

    assert_int_equal(cg_holds_crashed(board, "bad", 0, now, 1), 0);
    assert_int_equal(cg_holds_crashed(board, "bad", 0, now + second, 2), 0);
    assert_int_equal(cg_holds_crashed(board, "bad", 0, now + 2 * second, 3), 30000);
    assert_int_equal(cg_holds_left(board, "bad", now + 3 * second), 29000);
    assert_int_equal(cg_holds_left(board, "slow", now), 0);
    assert_int_equal(cg_holds_left(board, "bad", now + 32 * second), 0);
    uint32_t last = 30000;
    for (now += 33 * second; last < 3600000;
         now += ((int64_t)last + 1000) * 1000) { /* tried, and no better */
        uint32_t ms = cg_holds_crashed(board, "bad", 0, now, 4);
        assert_int_equal(ms, last * 2 < 3600000 ? last * 2 : 3600000);
        last = ms;
    }
    now += 11 * minute; /* a good time later it begins anew */
    assert_int_equal(cg_holds_crashed(board, "bad", 0, now, 6), 0);
    assert_int_equal(cg_holds_crashed(board, "bad", 0, now + 1, 7), 0);
    assert_int_equal(cg_holds_crashed(board, "bad", 0, now + 2, 8), 30000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { T(is_shared), T(tenants), T(holds_back_who_crashes_often),
                                        T(renders_the_sum), T(labels_are_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
