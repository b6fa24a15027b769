/* SPDX-License-Identifier: Apache-2.0
 * How decisions compose, when they are asked, and what they are told. */
#include "room.h"

/* Up to three bodies of decide at one point, and what comes of them. */
struct composition {
    const char *bodies[3];
    enum cg_point point;
    enum cg_verdict verdict;
    const char *by;
    const char *obligations;
};

static const struct composition compositions[] = {
    { { "return allow()" }, CG_POINT_TOOL_CALL, CG_ALLOW, "t/a", "{}" },
    { { "return defer()" }, CG_POINT_TOOL_CALL, CG_DENY, "", "{}" },
    { { "" }, CG_POINT_TOOL_CALL, CG_DENY, "", "{}" },
    { { "" }, CG_POINT_RETRIEVE, CG_DEFER, "", "{}" },
    { { "return allow()", "return deny 'no'" }, CG_POINT_TOOL_CALL, CG_DENY, "t/b", "{}" },
    { { "return deny 'no'", "return allow()" }, CG_POINT_TOOL_CALL, CG_DENY, "t/a", "{}" },
    { { "return allow()", "return ask {}" }, CG_POINT_TOOL_CALL, CG_ASK, "t/b", "{\"self\":true}" },
    { { "return ask { role = 'r' }", "return deny()" }, CG_POINT_TOOL_CALL, CG_DENY, "t/b", "{}" },
    { { "return defer()", "return allow()", "return defer()" }, CG_POINT_TOOL_CALL, CG_ALLOW, "t/b", "{}" },
    { { "error 'x'", "return allow()" }, CG_POINT_REQUEST, CG_DENY, "t/a", "{}" },
    { { "return true" }, CG_POINT_RESPONSE, CG_DENY, "t/a", "{}" },
    /* a condition never grants */
    { { "return defer { redact = { 'x' } }" }, CG_POINT_TOOL_CALL, CG_DENY, "", "{}" },
    { { "return defer { redact = { 'x' } }" }, CG_POINT_TOOL_RESULT, CG_DEFER, "", "{\"redact\":[\"x\"]}" },
    { { "return defer { redact = 'x' }", "return allow { redact = { 'y', 'x' } }" },
      CG_POINT_TOOL_CALL,
      CG_ALLOW,
      "t/b",
      "{\"redact\":[\"x\",\"y\"]}" },
    { { "return allow { hide = {} }" }, CG_POINT_TOOLS, CG_ALLOW, "t/a", "{\"hide\":[]}" },
    { { "return defer { filter = { rep = 'me' } }",
        "return defer { filter = { { rep = 'me' }, { open = true } } }" },
      CG_POINT_RETRIEVE,
      CG_DEFER,
      "",
      "{\"filter\":[{\"rep\":\"me\"},{\"open\":true}]}" },
    /* the lowest cap, as decimals */
    { { "return allow { cap = 10 }", "return allow { cap = '9.99' }",
        "return defer { cap = money('100.00') }" },
      CG_POINT_TOOL_CALL,
      CG_ALLOW,
      "t/a",
      "{\"cap\":\"9.99\"}" },
    { { "return allow { cap = { rows = 10, kb = 5 } }", "return allow { cap = { rows = 3, pages = 1 } }" },
      CG_POINT_TOOL_CALL,
      CG_ALLOW,
      "t/a",
      "{\"cap\":{\"rows\":3,\"kb\":5,\"pages\":1}}" },
    { { "return allow { cap = 1 }", "return allow { cap = { rows = 3 } }" },
      CG_POINT_TOOL_CALL,
      CG_DENY,
      "t/b",
      "{}" },
    { { "return allow { steps = 4 }", "return defer { steps = 2 }" },
      CG_POINT_REQUEST,
      CG_ALLOW,
      "t/a",
      "{\"steps\":2}" },
    /* every decider */
    { { "return ask { role = 'x', expires = '24h' }", "return ask { role = { 'y', 'x' }, expires = '90s' }" },
      CG_POINT_TOOL_CALL,
      CG_ASK,
      "t/a",
      "{\"role\":[\"x\",\"y\"],\"expires\":\"90s\"}" },
    { { "return ask { user = 'u1' }", "return ask {}", "return allow()" },
      CG_POINT_TOOL_CALL,
      CG_ASK,
      "t/a",
      "{\"user\":[\"u1\"],\"self\":true}" },
    { { "return ask { expires = 'soon' }" }, CG_POINT_TOOL_CALL, CG_DENY, "t/a", "{}" },
    /* rewrites without an order */
    { { "return allow { args = { a = 1 } }", "return allow { args = { b = 2 } }" },
      CG_POINT_TOOL_CALL,
      CG_ALLOW,
      "t/a",
      "{\"args\":{\"a\":1,\"b\":2}}" },
    { { "return allow { args = { a = 1 } }", "return allow { args = { a = 1 } }" },
      CG_POINT_TOOL_CALL,
      CG_ALLOW,
      "t/a",
      "{\"args\":{\"a\":1}}" },
    { { "return allow { args = { a = 1 } }", "return allow { args = { a = 2 } }" },
      CG_POINT_TOOL_CALL,
      CG_DENY,
      "t/b",
      "{}" },
    { { "return allow { model = 'm' }", "return defer { model = 'n' }" },
      CG_POINT_REQUEST,
      CG_DENY,
      "t/b",
      "{}" },
    { { "return deny { reason = 'x', redact = { 'y' } }" }, CG_POINT_REQUEST, CG_DENY, "t/a", "{}" },
};

static void verdicts_compose(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof compositions / sizeof *compositions; i++) {
        const struct composition *c = &compositions[i];
        struct room room;
        room_open(&room);
        for (size_t k = 0; k < 3 && c->bodies[k]; k++) {
            char name[64], text[512];
            snprintf(name, sizeof name, "policies/t/%c.lua", (char)('a' + k));
            snprintf(text, sizeof text, "return { on = '%s', decide = function(call, ctx) %s end }",
                     cg_point_name(c->point), c->bodies[k]);
            room_write(&room, name, text);
        }
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(policy, c->point, "{}", "{}");
        if (d.verdict != c->verdict || strcmp(d.by, c->by) != 0)
            fail_msg("row %zu: %s by %s: %s", i, cg_verdict_name(d.verdict), d.by, d.reason);
        assert_true(d.verdict < CG_ASK || d.reason[0]);
        assert_json(d.obligations, c->obligations);
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
        room_close(&room);
    }
}

static void an_obligation_knows_whose_it_is(void **state)
{
    struct room room;
    (void)state;
    room_open(&room);
    room_write(&room, "policies/t/a.lua",
               "return { on = 'tool_call', decide = function() return allow() end }");
    room_write(&room, "policies/t/b.lua",
               "return { on = 'tool_call', decide = function() return defer { redact = 'x' } end }");
    room_write(&room, "policies/t/c.lua",
               "return { on = 'tool_call', decide = function() return ask { redact = 'y', cap = 1 } end }");
    struct cg_policy *policy = room_policy(&room);
    struct cg_decision d = room_decide(policy, CG_POINT_TOOL_CALL, "{}", "{}");
    assert_json(d.setters, "{\"redact\":\"t/b\",\"cap\":\"t/c\",\"self\":\"t/c\"}");
    cg_decision_finish(&d);
    cg_policy_destroy(policy);
    room_close(&room);
}

static void no_decision_denies_a_call_only(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    struct cg_policy *policy = room_policy(&room);
    for (int p = 0; p < CG_POINTS; p++) {
        struct cg_decision d = room_decide(policy, (enum cg_point)p, "{}", "{}");
        assert_int_equal(d.verdict, p == CG_POINT_TOOL_CALL ? CG_DENY : CG_DEFER);
        cg_decision_finish(&d);
    }
    cg_policy_destroy(policy);
    room_close(&room);
}

/* Lists are merged and gone through again for every record: they are short. */
static void unions_are_bounded(void **state)
{
    static const char half[] =
        "return { on = 'retrieve', decide = function() local l = {} "
        "for i = 1, 1000 do l[i] = '%s' .. i end l[1] = 'both' return defer { redact = l } end }";
    (void)state;
    for (int same = 0; same < 2; same++) {
        struct room room;
        char text[300];
        room_open(&room);
        snprintf(text, sizeof text, half, "a");
        room_write(&room, "policies/t/a.lua", text);
        snprintf(text, sizeof text, half, same ? "a" : "b");
        room_write(&room, "policies/t/b.lua", text);
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(policy, CG_POINT_RETRIEVE, "{}", "{}");
        assert_int_equal(d.verdict, same ? CG_DEFER : CG_DENY);
        if (same)
            assert_int_equal(json_array_size(json_object_get(d.obligations, "redact")), 1000);
        else
            assert_non_null(strstr(d.reason, "more than 1000"));
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
        room_close(&room);
    }
}

static void narrowing(void **state)
{
    static const struct {
        const char *head, *subject, *ctx;
        bool asked;
    } rows[] = {
        { "tool = 'create_invoice'", "{\"tool\":\"create_invoice\"}", "{}", true },
        { "tool = 'create_invoice'", "{\"tool\":\"create_order\"}", "{}", false },
        { "tool = 'create_*'", "{\"tool\":\"create_order\"}", "{}", true },
        { "tool = { 'a', 'b' }", "{\"tool\":\"b\"}", "{}", true },
        { "tool = 'a'", "{}", "{}", false },
        { "kind = 'invoice'", "{\"kind\":\"invoice\"}", "{}", true },
        { "kind = 'invoice'", "{\"kinds\":[\"order\",\"invoice\"]}", "{}", true },
        { "kind = 'invoice'", "{\"kinds\":[\"order\"]}", "{}", false },
        { "role = 'sales'", "{}", "{\"user\":{\"roles\":[\"x\",\"sales\"]}}", true },
        { "role = 'sales'", "{}", "{\"user\":{\"roles\":[\"x\"]}}", false },
        { "role = 'sales'", "{}", "{}", false },
        { "tool = 'a', role = 'sales'", "{\"tool\":\"a\"}", "{\"user\":{\"roles\":[]}}", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room room;
        char text[256];
        room_open(&room);
        snprintf(text, sizeof text, "return { on = 'tool_call', %s, decide = function() return allow() end }",
                 rows[i].head);
        room_write(&room, "policies/t/a.lua", text);
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(policy, CG_POINT_TOOL_CALL, rows[i].subject, rows[i].ctx);
        if ((json_array_size(d.trail) == 1) != rows[i].asked)
            fail_msg("row %zu", i);
        cg_decision_finish(&d);
        d = room_decide(policy, CG_POINT_REQUEST, rows[i].subject, rows[i].ctx);
        assert_int_equal(json_array_size(d.trail), 0);
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
        room_close(&room);
    }
}

static void an_order_lets_the_later_win(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(
        &room, "policies/t/a.lua",
        "return { on = 'tool_call', after = 't/m', decide = function() return allow { args = { x = 'a' } } end }");
    room_write(&room, "policies/t/m.lua",
               "return { on = 'tool_call', after = 't/z', decide = function() return defer() end }");
    room_write(&room, "policies/t/z.lua",
               "return { on = 'tool_call', decide = function() return allow { args = { x = 'z' } } end }");
    struct cg_policy *policy = room_policy(&room);
    struct cg_decision d = room_decide(policy, CG_POINT_TOOL_CALL, "{}", "{}");
    assert_int_equal(d.verdict, CG_ALLOW);
    assert_json(d.obligations, "{\"args\":{\"x\":\"a\"}}");
    assert_string_equal(cg_json_str(json_array_get(d.trail, 0), "decision", ""), "t/z");
    assert_string_equal(cg_json_str(json_array_get(d.trail, 2), "decision", ""), "t/a");
    cg_decision_finish(&d);
    cg_policy_destroy(policy);
    room_close(&room);
}

static void ctx_and_subject(void **state)
{
    static const struct {
        const char *condition;
    } rows[] = {
        { "ctx.user:can 'finance.read'" },
        { "ctx.user:can 'finance.a.b'" },
        { "not ctx.user:can 'finance.create'" },
        { "not ctx.user:can 'finance'" },
        { "not ctx.user:can 'financex.read'" },
        { "ctx.user:can 'sales.read'" },
        { "not ctx.user:can ''" },
        { "ctx.user.id == 'u1' and ctx.user.roles[1] == 'sales'" },
        { "ctx.tenant.currency == 'GBP' and ctx.now == '2026-11-22T07:30:04Z' and ctx.run == 'run_1'" },
        { "ctx.point == 'tool_call'" },
        { "call.tool == 'x' and call.args.n == 3 and call.args.f == 2.5 and call.args.none == null" },
        { "#call.args.list == 2 and call.args.list[2] == 'b'" },
        { "call.labels['/n'] == 'user'" },
        { "date(ctx.now) < date '2026-11-23'" },
    };
    (void)state;
    struct room room;
    room_open(&room);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "return { on = 'tool_call', decide = function(call, ctx) ctx.user.permissions = list { '*' }\n"
            "if %s then return allow() end end }",
            rows[i].condition);
        room_write(&room, "policies/t/a.lua", text);
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(
            policy, CG_POINT_TOOL_CALL,
            "{\"tool\":\"x\",\"args\":{\"n\":3,\"f\":2.5,\"none\":null,\"list\":[\"a\",\"b\"]},\"labels\":{\"/n\":\"user\"}}",
            "{\"user\":{\"id\":\"u1\",\"roles\":[\"sales\"],\"permissions\":[\"finance.*\",\"sales.read\",\"-finance.create\"]},"
            "\"tenant\":{\"currency\":\"GBP\"},\"now\":\"2026-11-22T07:30:04Z\",\"run\":\"run_1\"}");
        if (d.verdict != CG_ALLOW)
            fail_msg("%s: %s", rows[i].condition, d.reason);
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
    }
    room_close(&room);
}

static void helpers(void **state)
{
    static const char *const conditions[] = {
        "find('a.b', '.') == 2",
        "find('abc', 'x') == nil",
        "find('aXbX', 'X', 3) == 4",
        "select(2, find('hello', 'll')) == 4",
        "#split('a,b,,c', ',') == 4 and split('a,b', ',')[2] == 'b'",
        "#split('a,b,c', ',', 2) == 2 and split('a,b,c', ',', 2)[2] == 'b,c'",
        "trim '  x ' == 'x'",
        "starts('abc', 'ab') and not starts('ab', 'abc') and ends('abc', 'bc')",
        "glob('create_order', 'create_*') and not glob('x', 'y*') and glob('caf\xc3\xa9', 'caf?')",
        "match('INV/0251', '^INV/(\\\\d+)$') == '0251'",
        "match('abc', 'b') == 'b' and match('abc', 'x') == nil",
        "select('#', match('ab', '(a)(x)?(b)')) == 3",
        "join({ 1, 2, 3 }, '-') == '1-2-3'",
        "join({ { n = 1 }, { n = 2 } }, function(i) return i.n * 2 end, ',') == '2,4'",
        "#groups({ 1, 2, 3, 4, 5 }, 2) == 3 and groups({ 1, 2, 3 }, 2)[2][1] == 3",
        "sum { 1, 2, 3 } == 6 and sum {} == 0",
        "tostring(sum({ { a = '1.10' }, { a = '2.20' } }, 'a')) == '3.30'",
        "sum({ 1, 2 }, function(x) return x * 10 end) == 30",
        "string.format('%05.2f|%d|%s|%%|%-4s|', 3.14159, 7, money('1.50', 'EUR'), 'a') == '03.14|7|1.50 EUR|%|a   |'",
        "('ab'):rep(3, '-') == 'ab-ab-ab' and ('x'):upper() == 'X' and ('abc'):sub(2, 2) == 'b'",
        "('A'):byte() == 65 and string.char(72, 105) == 'Hi'",
        "table.concat({ 'a', 'b' }, ', ') == 'a, b'",
        "tonumber '12' == 12 and tonumber 'x' == nil and tonumber '1e400' ~= nil",
        "base64 'Man' == 'TWFu' and base64 'M' == 'TQ==' and base64 'Ma' == 'TWE=' and base64 '' == ''",
        "math.floor(2.5) == 2 and math.max(1, 5, 3) == 5",
        "date '2026-11-22' < date '2026-11-23' and date '2026-11-22' == date '2026-11-22T00:00:00Z'",
        "tostring(date '2026-02-27' + 2) == '2026-03-01' and date '2026-03-01' - date '2026-02-27' == 2",
        "tostring(date '2026-01-31':months(1)) == '2026-02-28'",
        "date '2026-11-22'.weekday == 7 and date '2026-11-22'.year == 2026 and date '1969-12-31'.day == 31",
        "tostring(date '2026-11-22T23:30:00-02:00') == '2026-11-23T01:30:00Z'",
        "tostring(date '2026-11-22T23:30:00Z'.date) == '2026-11-22'",
        "tostring(date '2026-11-22' - 22) == '2026-10-31'",
        "not pcall(date, '2026-02-29') and pcall(date, '2024-02-29')",
        "(function() local l = { 3, 1, 2 } table.sort(l) return l[1] == 1 and l[3] == 3 end)()",
        "(function() local l = { { k = 1, v = 'a' }, { k = 0 }, { k = 1, v = 'b' } } "
        "table.sort(l, function(a, b) return a.k < b.k end) return l[1].k == 0 and l[2].v == 'a' and l[3].v == 'b' end)()",
        "(function() local l = { 1, 2 } table.insert(l, 3) table.insert(l, 1, 0) "
        "return table.remove(l) == 3 and table.remove(l, 1) == 0 and #l == 2 end)()",
        "note 'seen' == nil",
    };
    (void)state;
    struct room room;
    room_open(&room);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "return { on = 'request', decide = function() if %s then return allow() end end }",
                 conditions[i]);
        room_write(&room, "policies/t/a.lua", text);
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
        if (d.verdict != CG_ALLOW)
            fail_msg("%s: %s", conditions[i], d.reason);
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
    }
    room_close(&room);
}

static void the_trail_explains(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(
        &room, "policies/t/a.lua",
        "return { on = 'request', decide = function() note('n1') note(2) return deny 'because\\nof' end }");
    struct cg_policy *policy = room_policy(&room);
    struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
    const json_t *row = json_array_get(d.trail, 0);
    assert_string_equal(d.reason, "because of");
    assert_string_equal(cg_json_str(row, "note", ""), "n1; 2");
    assert_string_equal(cg_json_str(row, "verdict", ""), "deny");
    assert_true(d.steps > 0 && cg_json_int(row, "steps", 0) == d.steps);
    cg_decision_finish(&d);
    cg_policy_destroy(policy);
    room_close(&room);
}

static void bad_bundles_are_refused(void **state)
{
    static const struct {
        const char *file, *text, *message;
    } rows[] = {
        { "policies/t/a.lua", "return {\n  on = = 1 }", "t/a.lua:2:" },
        { "policies/t/a.lua", "return 5", "returns a number" },
        { "policies/t/a.lua", "return { decide = function() end }", "on: missing" },
        { "policies/t/a.lua", "return { on = 'toolcall', decide = function() end }", "are the points" },
        { "policies/t/a.lua", "return { on = 'request' }", "decide: a function" },
        { "policies/t/a.lua", "return { on = 'request', decides = 1, decide = function() end }",
          "decides: not known" },
        { "policies/t/a.lua", "return { on = 'request', after = 't/b', decide = function() end }",
          "no decision t/b" },
        { "policies/t/a.lua", "return { on = 'request', after = 't/a', decide = function() end }",
          "names itself" },
        { "policies/t/a.lua", "return { on = 'request', tool = 5, decide = function() end }",
          "tool: a text" },
        { "policies/t/a.lua", "while true do end", "steps" },
        { "policies/a.lua", "return {}", "policies/<group>/<decision>.lua" },
        { "policies/t/A.lua", "return {}", "small letters" },
        { "roles.lua", "return { sales = 'x' }", "roles.lua: sales" },
        { "roles.lua", "return { sales = { 1 } }", "a permission is a text" },
        { "roles.lua", "return { sales = function() end }", "no place here" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room room;
        struct cg_policy *policy;
        struct cg_err err = { 0 };
        room_open(&room);
        room_write(&room, rows[i].file, rows[i].text);
        int rc = cg_policy_create(room.path, &policy, &err);
        if (rc == 0 || !strstr(err.message, rows[i].message))
            fail_msg("%s: %d %s", rows[i].text, rc, err.message);
        room_close(&room);
    }
    struct cg_policy *policy;
    struct cg_err err = { 0 };
    assert_int_equal(cg_policy_create("/proc/nonexistent/bundle", &policy, &err), COGENT_NOT_FOUND);
}

static void circles_are_refused(void **state)
{
    (void)state;
    struct room room;
    struct cg_policy *policy;
    struct cg_err err = { 0 };
    room_open(&room);
    room_write(&room, "policies/t/a.lua",
               "return { on = 'request', after = 't/b', decide = function() end }");
    room_write(&room, "policies/t/b.lua",
               "return { on = 'request', after = 't/a', decide = function() end }");
    assert_int_equal(cg_policy_create(room.path, &policy, &err), COGENT_INVALID);
    assert_non_null(strstr(err.message, "circle"));
    room_close(&room);
}

static void roles_give_permissions(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(&room, "roles.lua", "return { a = { 'x.*', 'y' }, b = { 'y', '-x.z' }, c = {} }");
    struct cg_policy *policy = room_policy(&room);
    cg_auto_json mine = parse("[\"b\",\"a\",\"unknown\",\"c\"]");
    cg_auto_json got = cg_policy_roles(policy, mine);
    assert_json(got, "[\"y\",\"-x.z\",\"x.*\"]");
    cg_auto_json none = cg_policy_roles(policy, NULL);
    assert_json(none, "[]");
    cg_policy_destroy(policy);
    room_close(&room);
}

static void the_version_follows_the_contents(void **state)
{
    (void)state;
    struct room room;
    char first[96];
    room_open(&room);
    room_write(&room, "roles.lua", "return { a = { 'x' } }");
    struct cg_policy *policy = room_policy(&room);
    snprintf(first, sizeof first, "%s", cg_policy_version(policy));
    assert_non_null(strstr(first, "cogent-policy-"));
    assert_int_equal(strlen(strchr(first, '@')), 9);
    cg_policy_destroy(policy);
    policy = room_policy(&room);
    assert_string_equal(first, cg_policy_version(policy));
    cg_policy_destroy(policy);
    room_write(&room, "rules/r.lua", "return {}");
    policy = room_policy(&room);
    assert_string_not_equal(first, cg_policy_version(policy));
    cg_policy_destroy(policy);
    room_close(&room);
}

static void cases_of(const char *path)
{
    struct cg_err err = { 0 };
    json_t *report = NULL;
    if (cg_policy_cases(path, &report, &err))
        fail_msg("%s: %s", path, err.message);
    char *text = cg_json_text(report);
    if (cg_json_int(report, "failed", -1) != 0 || cg_json_int(report, "passed", 0) < 3 ||
        json_array_size(json_object_get(report, "without")))
        fail_msg("%s: %s", path, text);
    free(text);
    json_decref(report);
}

static void shipped_bundles_pass_their_cases(void **state)
{
    (void)state;
    const char *policies = getenv("COGENT_POLICIES");
    char path[1024];
    assert_non_null(policies);
    snprintf(path, sizeof path, "%s/bundles/default", policies);
    cases_of(path);
    snprintf(path, sizeof path, "%s/bundles/examples", policies);
    cases_of(path);
    snprintf(path, sizeof path, "%s/bundles/examples/policies/sales/invoice_limit.lua", policies);
    cases_of(path);
}

static void the_default_bundle_asks_for_writes(void **state)
{
    (void)state;
    char path[1024];
    struct cg_policy *policy;
    struct cg_err err = { 0 };
    snprintf(path, sizeof path, "%s/bundles/default", getenv("COGENT_POLICIES"));
    if (cg_policy_create(path, &policy, &err))
        fail_msg("%s", err.message);
    static const struct {
        const char *subject;
        enum cg_verdict verdict;
    } rows[] = {
        { "{\"effect\":\"read\"}", CG_ALLOW },
        { "{\"effect\":\"write\"}", CG_ASK },
        { "{\"effect\":\"external\"}", CG_ASK },
        { "{\"effect\":\"other\"}", CG_DENY },
        { "{}", CG_DENY },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_decision d = room_decide(policy, CG_POINT_TOOL_CALL, rows[i].subject, "{}");
        assert_int_equal(d.verdict, rows[i].verdict);
        cg_decision_finish(&d);
    }
    assert_true(strncmp(cg_policy_version(policy), "default@", 8) == 0);
    cg_policy_destroy(policy);
}

static void failing_cases_say_why(void **state)
{
    static const struct {
        const char *test, *why;
    } rows[] = {
        { "{ gives = 'deny' }", "gives ask, not deny" },
        { "{ gives = 'aks', role = 'x' }", "\"aks\" is no verdict; allow, ask, deny and defer are" },
        { "{ gives = 'ask', role = 'y' }", "role is [\"x\"]" },
        { "{ gives = 'ask', role = 'x', rol = 1 }", "rol means nothing" },
        { "{ gives = 'ask', role = 'x', reason = 'zzz' }", "the reason is" },
        { "{ role = 'x' }", "does not say" },
        { "{ gives = 'ask', cap = 5 }", "cap is missing" },
        { "5", "a case is a table" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room room;
        struct cg_err err = { 0 };
        json_t *report = NULL;
        char text[512];
        room_open(&room);
        snprintf(text, sizeof text,
                 "return { on = 'request', decide = function() return ask { role = 'x', reason = 'r' } end,\n"
                 "cases = { %s } }",
                 rows[i].test);
        room_write(&room, "policies/t/a.lua", text);
        assert_int_equal(cg_policy_cases(room_file(&room, "policies/t/a.lua"), &report, &err), 0);
        assert_int_equal(cg_json_int(report, "failed", 0), 1);
        const char *why = cg_json_str(json_array_get(json_object_get(report, "cases"), 0), "why", "");
        if (!strstr(why, rows[i].why))
            fail_msg("%s: %s", rows[i].test, why);
        json_decref(report);
        room_close(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_compose),
        cmocka_unit_test(an_obligation_knows_whose_it_is),
        cmocka_unit_test(no_decision_denies_a_call_only),
        cmocka_unit_test(unions_are_bounded),
        cmocka_unit_test(narrowing),
        cmocka_unit_test(an_order_lets_the_later_win),
        cmocka_unit_test(ctx_and_subject),
        cmocka_unit_test(helpers),
        cmocka_unit_test(the_trail_explains),
        cmocka_unit_test(bad_bundles_are_refused),
        cmocka_unit_test(circles_are_refused),
        cmocka_unit_test(roles_give_permissions),
        cmocka_unit_test(the_version_follows_the_contents),
        cmocka_unit_test(shipped_bundles_pass_their_cases),
        cmocka_unit_test(the_default_bundle_asks_for_writes),
        cmocka_unit_test(failing_cases_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
