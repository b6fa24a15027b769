/* SPDX-License-Identifier: Apache-2.0
 * A box and what keeps it: its end, its memory, its compiler, a tenant's share of a second, quarantine. */
#include "box.h"

#include "engine/policy/load.h"
#include "engine/policy/meter.h"
#include "engine/policy/states.h"

static struct cg_box *box_new(void)
{
    struct cg_box *box;
    assert_int_equal(cg_box_create(&cg_box_tenant, &box), 0);
    return box;
}

static void bytecode_is_refused(void **state)
{
    (void)state;
    struct room room;
    struct cg_policy *policy;
    struct cg_err err = { 0 };
    room_open(&room);
    room_write(&room, "policies/h/x.lua", "\x1bLuaT");
    assert_int_equal(cg_policy_create(room.path, &policy, &err), COGENT_INVALID);
    assert_non_null(strstr(err.message, "h/x.lua:1: this is bytecode"));
    room_close(&room);
}

/* Half a megabyte of a compiler's least favourite words; what it takes is told by steps, as the machine may be slow. */
static void the_compiler_is_stopped(void **state)
{
    static const char *const words[] = { "::l%d::\n", "goto l%d\n", "local a%d = %d.5\n", "x(%d, '%d')\n",
                                         "do local x <const> = %d end\n" };
    struct cg_box_limits hasty = cg_box_tenant;
    (void)state;
    hasty.us = 1;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        cg_auto_buf text = { 0 };
        struct cg_err err = { 0 };
        struct cg_box *box;
        json_t *table;
        assert_int_equal(cg_box_create(&hasty, &box), 0);
        for (int i = 0; text.len < CG_BUNDLE_FILE; i++)
            cg_buf_printf(&text, words[w], i, i);
        struct cg_load load = { .source = cg_buf_view(&text), .file = "h/x.lua" };
        assert_int_equal(cg_load_run(box, &load, &table, &err), COGENT_LIMIT);
        assert_non_null(strstr(err.message, "h/x.lua: the script used up its"));
        /* It was stopped on the way, not at the end. */
        assert_true(box->steps < (int64_t)text.len / 64);
        cg_box_destroy(box);
    }
}

static void nothing_lives_on(void **state)
{
    (void)state;
    struct cg_box *box = box_new();
    for (int i = 0; i < 3; i++) {
        struct cg_answer a =
            run(box, "if seen then return deny 'seen' end seen = true; _ENV.more = 1 return allow()");
        assert_int_equal(a.verdict, CG_ALLOW);
        cg_answer_finish(&a);
    }
    cg_box_destroy(box);
}

static void a_state_survives_a_stop_but_not_its_cap(void **state)
{
    (void)state;
    struct cg_box *box = box_new();
    struct cg_answer a = run(box, "while true do end");
    assert_true(a.end == CG_END_STEPS || a.end == CG_END_TIME);
    assert_false(box->broken);
    cg_answer_finish(&a);
    cg_box_destroy(box);
    box = box_new();
    a = run(box, "local s = 'x' while true do s = s .. s end");
    assert_int_equal(a.end, CG_END_MEMORY);
    assert_true(box->broken);
    cg_answer_finish(&a);
    cg_box_destroy(box);
}

static void no_address_is_shown(void **state)
{
    (void)state;
    struct cg_box *box = box_new();
    struct cg_answer a =
        run(box, "return deny(tostring({}) .. tostring(decide) .. tostring(print) .. tostring(allow) "
                 ".. tostring(allow()) .. tostring(null) .. string.format('%s', ctx))");
    assert_int_equal(a.verdict, CG_DENY);
    assert_string_equal(a.reason, "tablenilnilfunctionuserdatanulltable");
    cg_answer_finish(&a);
    cg_box_destroy(box);
}

static void pcall_still_catches_errors(void **state)
{
    (void)state;
    struct cg_box *box = box_new();
    struct cg_answer a =
        run(box, "local ok, e = pcall(error, 'x') if not ok and e == 'x' then return allow() end");
    assert_int_equal(a.verdict, CG_ALLOW);
    cg_answer_finish(&a);
    cg_box_destroy(box);
}

static void garbage_of_one_run_is_not_anothers(void **state)
{
    (void)state;
    struct cg_box *box = box_new();
    for (int i = 0; i < 10; i++) {
        struct cg_answer a =
            run(box, "local l = {} for i = 1, 20 do l[i] = ('x'):rep(60000) .. i end return allow()");
        assert_int_equal(a.verdict, CG_ALLOW);
        cg_answer_finish(&a);
    }
    assert_true(box->used < 2 << 20);
    cg_box_destroy(box);
}

static void three_stops_are_quarantine(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(&room, "policies/h/x.lua",
               "return { on = 'request', decide = function() while true do end end }");
    struct cg_policy *policy = room_policy(&room);
    for (int i = 0; i < CG_STATES_KILLS; i++) {
        struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
        assert_int_equal(d.verdict, CG_DENY);
        assert_non_null(cg_json_str(json_array_get(d.trail, 0), "killed", NULL));
        assert_string_equal(d.stopped, cg_json_str(json_array_get(d.trail, 0), "killed", NULL));
        cg_decision_finish(&d);
    }
    struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
    assert_int_equal(d.verdict, CG_DENY);
    assert_int_equal(d.steps, 0);
    assert_non_null(strstr(d.reason, "quarantined"));
    assert_string_equal(d.stopped, "quarantined");
    cg_decision_finish(&d);
    /* Another tenant's count is its own. */
    cg_policy_decide(policy, "other", CG_POINT_REQUEST, NULL, NULL, &d);
    assert_null(strstr(d.reason, "quarantined"));
    cg_decision_finish(&d);
    cg_policy_destroy(policy);
    room_close(&room);
}

/* What holds the loop is all decisions of one question together. */
static void who_is_stopped_ends_the_question(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(&room, "policies/h/a.lua", "return { on = 'request', decide = function() return ask {} end }");
    room_write(&room, "policies/h/b.lua",
               "return { on = 'request', decide = function() while true do end end }");
    room_write(&room, "policies/h/c.lua",
               "return { on = 'request', decide = function() while true do end end }");
    struct cg_policy *policy = room_policy(&room);
    assert_true(cg_policy_rested(policy));
    struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
    assert_int_equal(d.verdict, CG_DENY);
    assert_string_equal(d.by, "h/b");
    assert_non_null(strstr(d.reason, "the script used up its"));
    assert_int_equal(json_array_size(d.trail), 2);
    cg_decision_finish(&d);
    /* Somebody else's question waits for a moment, and no longer. */
    while (!cg_policy_rested(policy))
        usleep(100);
    cg_policy_destroy(policy);
    room_close(&room);
}

static void a_tenant_has_its_share_of_a_second(void **state)
{
    (void)state;
    struct cg_meter meter = { 0 };
    int64_t now = 5000000;
    assert_true(cg_meter_open(&meter, now, 50000));
    for (int i = 0; i < 10; i++) {
        assert_true(cg_meter_open(&meter, now, 50000));
        cg_meter_take(&meter, 5000);
    }
    assert_false(cg_meter_open(&meter, now, 50000));
    assert_false(cg_meter_open(&meter, now + 10, 50000));
    assert_true(cg_meter_open(&meter, now + 100000, 50000)); /* a tenth of a second gives 5 ms back */
    cg_meter_take(&meter, 5000);
    assert_false(cg_meter_open(&meter, now + 100000, 50000));
    assert_true(cg_meter_open(&meter, now + 2000000, 50000));
    assert_int_equal(meter.level, 0);
}

static void boxes_are_few(void **state)
{
    (void)state;
    struct cg_states *states;
    assert_int_equal(cg_states_create(1, &states), 0);
    struct cg_state *first = cg_states_get(states, "tenant-0");
    first->kills[0] = 2;
    for (int i = 1; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "tenant-%d", i);
        assert_non_null(cg_states_get(states, name));
    }
    assert_int_equal(cg_states_boxes(states), CG_STATES_BOXES);
    assert_int_equal(cg_states_get(states, "tenant-0")->kills[0], 2);
    assert_int_equal(cg_states_boxes(states), CG_STATES_BOXES);
    cg_states_destroy(states);
}

static void many_tenants_are_forgotten_in_the_end(void **state)
{
    (void)state;
    struct cg_states *states;
    assert_int_equal(cg_states_create(1, &states), 0);
    for (int i = 0; i < CG_STATES_TENANTS + 500; i++) {
        char name[32];
        snprintf(name, sizeof name, "tenant-%d", i);
        struct cg_state *s = cg_states_get(states, name);
        assert_non_null(s);
        assert_string_equal(s->tenant, name);
    }
    cg_states_destroy(states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytecode_is_refused),
        cmocka_unit_test(the_compiler_is_stopped),
        cmocka_unit_test(nothing_lives_on),
        cmocka_unit_test(a_state_survives_a_stop_but_not_its_cap),
        cmocka_unit_test(no_address_is_shown),
        cmocka_unit_test(pcall_still_catches_errors),
        cmocka_unit_test(garbage_of_one_run_is_not_anothers),
        cmocka_unit_test(three_stops_are_quarantine),
        cmocka_unit_test(who_is_stopped_ends_the_question),
        cmocka_unit_test(a_tenant_has_its_share_of_a_second),
        cmocka_unit_test(boxes_are_few),
        cmocka_unit_test(many_tenants_are_forgotten_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
