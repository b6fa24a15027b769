/* SPDX-License-Identifier: Apache-2.0
 * Hostile scripts: each ends in a denial with a reason, within its steps and bytes, and leaves nothing behind. */
#include "room.h"

#include "engine/policy/ask.h"
#include "engine/policy/meter.h"
#include "engine/policy/states.h"

struct hostile {
    const char *name;
    const char *body;   /* of decide(call, ctx), after `local t = call` */
    const char *reason; /* what the reason holds; NULL: any */
};

#define STEPS  "steps"
#define MEMORY "memory"

static const struct hostile hostiles[] = {
    /* loops */
    { "endless loop", "while true do end", STEPS },
    { "endless goto", "::a:: goto a", STEPS },
    { "counting loop", "for i = 1, math.huge do end", STEPS },
    { "loop with work", "local x = 0 while true do x = x + 1 end", STEPS },
    { "repeat until never", "repeat local a = {} until false", STEPS },
    { "mutual recursion", "local a, b; a = function() return b() end; b = function() return a() end; a()",
      STEPS },
    /* swallowing the end */
    { "pcall loop", "while true do pcall(function() while true do end end) end", STEPS },
    { "pcall of an error loop", "while true do pcall(error, 'x') end", STEPS },
    { "nested pcall", "local function f() pcall(f) while true do end end f() return allow()", STEPS },
    { "pcall then allow", "pcall(function() while true do end end) return allow()", STEPS },
    { "pcall of pcall", "pcall(pcall, pcall, function() while true do end end) return allow()", STEPS },
    { "end as a value", "local ok, e = pcall(function() while true do end end) return allow { reason = e }",
      STEPS },
    { "sort that swallows",
      "local l = {} for i = 1, 100 do l[i] = i end "
      "while true do pcall(table.sort, l, function() while true do end end) end",
      STEPS },
    { "join that swallows", "while true do pcall(join, { 1, 2 }, function() while true do end end) end",
      STEPS },
    { "iterator that loops", "for _ in function() return 1 end do end", STEPS },
    /* memory */
    { "doubling text", "local s = 'x' while true do s = s .. s end", MEMORY },
    { "doubling text in pcall",
      "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end", NULL },
    { "growing table", "local l = {} for i = 1, 1e9 do l[i] = { i } end", NULL },
    { "growing hash", "local l = {} for i = 1, 1e9 do l['k' .. i] = i end", NULL },
    { "big constructor",
      "local l = {} for i = 1, 30 do l[i] = string.rep('x', 65536) .. i end "
      "for i = 1, 30 do l[i] = l[i] .. l[i] .. l[i] end return allow()",
      NULL },
    { "deep recursion", "local function f() return 1 + f() end f()", NULL },
    { "recursion with arguments", "local function f(...) return f(1, ...) + 1 end f()", NULL },
    { "closures", "local f for i = 1, 1e9 do local g = f; f = function() return g, i end end", NULL },
    { "memory swallowed",
      "local keep = {} while true do pcall(function() for i = 1, 1e6 do keep[#keep + 1] = ('x'):rep(1000) .. #keep "
      "end end) end",
      NULL },
    /* C that does too much */
    { "huge rep", "return allow { reason = string.rep('x', 1 << 40) }", "string.rep" },
    { "rep of nothing", "string.rep('', 1 << 40) while true do end", STEPS },
    { "rep with separator", "return allow { reason = ('x'):rep(1 << 30, 'yyyy') }", "string.rep" },
    { "rep again and again", "while true do local s = string.rep('x', 65536) end", STEPS },
    { "format width", "return allow { reason = string.format('%999999999d', 1) }", "format" },
    { "format percent p", "return allow { reason = string.format('%p', {}) }", "format" },
    { "format percent n", "return allow { reason = string.format('%n') }", "format" },
    { "format without arguments", "return allow { reason = string.format('%s %s', 1) }", "no value" },
    { "concat of one text",
      "local s, l = ('x'):rep(60000), {} for i = 1, 100 do l[i] = s end "
      "return allow { reason = table.concat(l) }",
      "joined text" },
    { "sort of much", "local l = {} for i = 1, 9000 do l[i] = -i end while true do table.sort(l) end",
      STEPS },
    { "sort of long texts",
      "local s, l = ('x'):rep(60000), {} for i = 1, 500 do l[i] = s .. (i % 3) end "
      "table.sort(l) return allow()",
      NULL },
    { "sort without sense",
      "local l = {} for i = 1, 5000 do l[i] = i end "
      "table.sort(l, function() return true end) while true do end",
      STEPS },
    { "insert in front", "local l = {} while true do table.insert(l, 1, 0) end", NULL },
    { "unpack of much", "return allow(table.unpack({}, 1, 1e8))", "unpack" },
    { "find in much", "local s = ('a'):rep(65536) while true do find(s, 'ab') end", STEPS },
    { "split of much", "local s = (','):rep(65536) while true do split(s, ',') end", NULL },
    { "glob that backtracks", "local s = ('a'):rep(30000) while true do glob(s, '*a*a*a*a*a*a*a*a*b') end",
      STEPS },
    { "match with nested repeats", "match(('a'):rep(40) .. 'b', '^(a+)+$') return allow()", NULL },
    { "match with lazy chains", "match(('x'):rep(10000), '(.*?)(.*?)(.*?)(.*?)[yz]') return allow()", NULL },
    { "match of optional items",
      "match(('a'):rep(28) .. 'c', ('a?'):rep(28) .. ('a'):rep(28) .. '[bd]') return allow()", NULL },
    { "match quadratic", "match(('a'):rep(65000), '[^bc]*+[bc]') return allow()", NULL },
    { "match recursion", "match(('('):rep(60000), '^(\\\\((?1)*\\\\))*$') while true do end", NULL },
    { "match pattern bomb", "match('a', '((((a{1,99}){1,99}){1,99}){1,99})') while true do end", NULL },
    { "match long pattern", "match('a', ('a'):rep(5000)) return allow()", "longer than" },
    { "compares long texts",
      "local a, b = ('x'):rep(65000) .. 'a', ('x'):rep(65000) .. 'b' "
      "while true do local c = a < b end",
      NULL },
    { "compares NUL texts",
      "local a, b = ('\\0'):rep(65000) .. 'a', ('\\0'):rep(65000) .. 'b' "
      "while true do local c = a < b end",
      NULL },
    { "money that grows", "local m = money('9.99') while true do m = m * m.amount end", "money" },
    { "money of rubbish", "return allow { cap = money('1e999') }", "money" },
    { "date of rubbish", "return allow { reason = date('9999-99-99') }", "date" },
    { "notes without end", "while true do note(('x'):rep(400)) end", STEPS },
    { "groups of much", "local l = {} for i = 1, 9000 do l[i] = i end while true do groups(l, 1) end", NULL },
    /* what is not there */
    { "load", "return load('return allow()')()", "load" },
    { "require", "return require 'os'", "require" },
    { "os", "return os.exit()", "os" },
    { "io", "return io.open('/etc/passwd')", "io" },
    { "debug", "return debug.getregistry()", "debug" },
    { "collectgarbage", "collectgarbage('stop')", "collectgarbage" },
    { "coroutine", "coroutine.wrap(function() while true do end end)()", "coroutine" },
    { "xpcall", "xpcall(error, function() while true do end end)", "xpcall" },
    { "setmetatable", "setmetatable({}, { __gc = function() while true do end end })", "setmetatable" },
    { "getmetatable", "getmetatable('').__index.upper = function() return 'x' end", "getmetatable" },
    { "rawset", "rawset(string, 'upper', nil)", "rawset" },
    { "dofile", "dofile('/etc/passwd')", "dofile" },
    { "string.dump", "string.dump(function() end)", "dump" },
    { "string.find", "('x'):find('.-.-.-b')", "find" },
    { "string.gsub", "('x'):gsub('x', 'y')", "gsub" },
    { "table.move", "table.move({}, 1, 1 << 60, 2)", "move" },
    { "math.random", "return allow { reason = math.random() }", "random" },
    { "env", "return allow { reason = env 'HOME' }", "env" },
    { "file", "return allow { reason = file '/etc/passwd' }", "file" },
    { "closing value", "local x <close> = { } while true do end", NULL },
    /* frozen bases */
    { "set in string", "string.upper = 1 return allow()", "read-only" },
    { "set in math", "math.pi = 3 return allow()", "read-only" },
    { "insert into string", "table.insert(string, 'x') return allow()", "read-only" },
    { "list of string", "list(string) return allow()", "read-only" },
    { "sort of math", "table.sort(math) return allow()", "read-only" },
    { "set by a text", "(''):upper().x = 1 return allow()", NULL },
    { "set a method of user", "ctx.user.can = nil getfenv().x = 1", "getfenv" },
    /* what comes out */
    { "true is no verdict", "return true", "boolean" },
    { "text is no verdict", "return 'allow'", "string" },
    { "table is no verdict", "return { verdict = 'allow' }", "table" },
    { "constructor is no verdict", "return allow", "function" },
    { "error", "error('no')", "no" },
    { "error of a table", "error({})", "without saying" },
    { "error of nil", "error()", "without saying" },
    { "deep result", "local v = {} for i = 1, 200 do v = { a = v } end return allow { args = v }", "deep" },
    { "circular result", "local v = {} v.v = v return allow { args = v }", "deep" },
    { "large result", "return allow { args = { a = ('x'):rep(65000), b = ('x'):rep(65000) } }", "large" },
    { "function in a result", "return allow { args = { a = function() end } }", "function" },
    { "verdict in a result", "return allow { args = { a = allow() } }", "userdata" },
    { "result that is no UTF-8", "return allow { args = { a = '\\xff' } }", "UTF-8" },
    { "name that is no UTF-8", "return allow { args = { ['\\xff'] = 1 } }", "UTF-8" },
    { "not a number", "return allow { args = { a = 0 / 0 } }", "finite" },
    { "mixed table", "return allow { args = { 1, a = 2 } }", "one table" },
    { "list with a gap", "return allow { args = { a = { 1, nil, 3 } } }", "gap" },
    { "unknown obligation", "return allow { redcat = { 'x' } }", "redcat" },
    { "obligation of a wrong type", "return defer { redact = { {} } }", "redact" },
    { "role on allow", "return allow { role = 'boss' }", "role" },
    { "nil index", "return call.args.a.b.c", "nil" },
    { "two currencies", "return money('1', 'EUR') < money('2', 'GBP') and allow() or allow()", "together" },
};

static struct cg_answer run(struct cg_box *box, const char *body)
{
    struct room room;
    struct cg_bundle *bundle;
    struct cg_err err = { 0 };
    struct cg_answer answer;
    char text[2048];
    room_open(&room);
    snprintf(text, sizeof text, "return { on = 'tool_call', decide = function(call, ctx) %s\nend }", body);
    room_write(&room, "policies/h/x.lua", text);
    if (cg_bundle_load(room.path, &bundle, &err))
        fail_msg("%s: %s", body, err.message);
    cg_auto_json subject = parse("{\"tool\":\"t\",\"args\":{}}");
    cg_auto_json ctx = parse("{\"user\":{\"permissions\":[\"a.*\"]}}");
    cg_ask(box, bundle, 0, CG_POINT_TOOL_CALL, subject, ctx, &answer);
    cg_bundle_destroy(bundle);
    room_close(&room);
    return answer;
}

static struct cg_box *box_new(void)
{
    struct cg_box *box;
    assert_int_equal(cg_box_create(&cg_box_tenant, &box), 0);
    return box;
}

static void hostile_scripts_are_denied(void **state)
{
    (void)state;
    size_t n = sizeof hostiles / sizeof *hostiles;
    assert_true(n >= 40);
    for (size_t i = 0; i < n; i++) {
        const struct hostile *h = &hostiles[i];
        /* Where steps are the matter the clock has no say: the test must not depend on the machine. */
        struct cg_box_limits patient = cg_box_tenant;
        struct cg_box *box;
        if (h->reason && strcmp(h->reason, STEPS) == 0)
            patient.us = 60000000;
        assert_int_equal(cg_box_create(&patient, &box), 0);
        struct cg_answer a = run(box, h->body);
        bool named = a.reason[0] && (!h->reason || strstr(a.reason, h->reason));
        /* What runs over is at most the price of one C call more. */
        if (a.verdict != CG_DENY || !named || a.steps > 2 * cg_box_tenant.steps ||
            a.peak > cg_box_tenant.memory)
            fail_msg("%s: %s, %s, %lld steps, %zu bytes", h->name, cg_verdict_name(a.verdict), a.reason,
                     (long long)a.steps, a.peak);
        if (getenv("COGENT_TEST_VERBOSE"))
            print_message("%-28s %8lld steps %8zu bytes %6lld us  %s\n", h->name, (long long)a.steps, a.peak,
                          (long long)a.us, a.reason);
        cg_answer_finish(&a);
        cg_box_destroy(box);
    }
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
        cg_decision_finish(&d);
    }
    struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
    assert_int_equal(d.verdict, CG_DENY);
    assert_int_equal(d.steps, 0);
    assert_non_null(strstr(d.reason, "quarantined"));
    cg_decision_finish(&d);
    /* Another tenant's count is its own. */
    cg_policy_decide(policy, "other", CG_POINT_REQUEST, NULL, NULL, &d);
    assert_null(strstr(d.reason, "quarantined"));
    cg_decision_finish(&d);
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
        cmocka_unit_test(hostile_scripts_are_denied),
        cmocka_unit_test(bytecode_is_refused),
        cmocka_unit_test(nothing_lives_on),
        cmocka_unit_test(a_state_survives_a_stop_but_not_its_cap),
        cmocka_unit_test(no_address_is_shown),
        cmocka_unit_test(pcall_still_catches_errors),
        cmocka_unit_test(garbage_of_one_run_is_not_anothers),
        cmocka_unit_test(three_stops_are_quarantine),
        cmocka_unit_test(a_tenant_has_its_share_of_a_second),
        cmocka_unit_test(boxes_are_few),
        cmocka_unit_test(many_tenants_are_forgotten_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
