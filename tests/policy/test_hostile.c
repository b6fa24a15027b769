/* SPDX-License-Identifier: Apache-2.0
 * Hostile scripts: each ends in a denial with a reason, within its steps and bytes, in the box and at the door where a
 * tool call is decided; and nothing of it is left for the next call, of the same tenant or of another.
 *
 * COGENT_TEST_VERBOSE=1 tells what each took; COGENT_TEST_CLOCK=1 keeps the time limit where steps are the matter. */
#include "box.h"
#include "hostiles.h"

/* Where it is told what stops a script the clock has no say: the test must not depend on the machine. What a script may take on
 * top is at most the price of one C call. */
static bool harmless(const struct hostile *h)
{
    struct cg_box_limits patient = cg_box_tenant;
    struct cg_box *box;
    if (h->reason && !getenv("COGENT_TEST_CLOCK"))
        patient.us = 60000000;
    assert_int_equal(cg_box_create(&patient, &box), 0);
    struct cg_answer a = run(box, h->body);
    bool named = a.reason[0] && (!h->reason || strstr(a.reason, h->reason));
    bool ok =
        a.verdict == CG_DENY && named && a.steps <= 2 * cg_box_tenant.steps && a.peak <= cg_box_tenant.memory;
    if (!ok || getenv("COGENT_TEST_VERBOSE"))
        print_message("%-36s %-5s %8lld steps %8zu bytes %6lld us  %s\n", h->name, cg_verdict_name(a.verdict),
                      (long long)a.steps, a.peak, (long long)a.us, a.reason);
    cg_answer_finish(&a);
    cg_box_destroy(box);
    return ok;
}

static void hostile_scripts_are_denied(void **state)
{
    (void)state;
    size_t wrong = 0;
    assert_true(n_hostiles >= 60);
    for (size_t i = 0; i < n_hostiles; i++)
        wrong += !harmless(&hostiles[i]);
    if (wrong)
        fail_msg("%zu of %zu are not as the table says", wrong, n_hostiles);
}

/* --- at the door --- */

static const char benign[] =
    "return { on = 'tool_call', tool = 'good', decide = function(call, ctx)\n"
    "  local total = money(0)\n"
    "  for _, l in ipairs(call.args.lines) do total = total + money(l.price) * l.n end\n"
    "  local names = {}\n"
    "  for k, v in pairs({ a = 1, b = 2, c = { d = 3 } }) do table.insert(names, k .. tostring(type(v))) end\n"
    "  table.sort(names)\n"
    "  note(string.format('%08.3f %s', 2 / 3, ('ab'):rep(3, '-'):upper()))\n"
    "  note(join(split('x y z', ' '), ',') .. tostring(glob('abc', 'a*')) .. (match('k=v', '(.)=(.)')))\n"
    "  if left or string_rep or not ctx.user:can 'a.b' or ctx.user:can 'c.d' then return deny 'left behind' end\n"
    "  return ask { role = 'boss', reason = total .. join(names, ' ') .. date(ctx.now):months(1).date,\n"
    "    redact = names, args = { l = list {}, n = math.floor(math.pi), t = { 1, 2.5, null } } }\n"
    "end }";

static char *decision_text(struct cg_policy *policy, const char *tenant)
{
    struct cg_decision d;
    struct cg_buf out = { 0 };
    size_t i;
    json_t *row;
    cg_auto_json subject = parse("{\"tool\":\"good\",\"args\":{\"lines\":[{\"price\":\"2.55\",\"n\":6},"
                                 "{\"price\":\"0.10\",\"n\":3}]}}");
    cg_auto_json ctx = parse("{\"user\":{\"id\":\"u\",\"permissions\":[\"a.*\"]},\"now\":\"2026-01-31\"}");
    cg_policy_decide(policy, tenant, CG_POINT_TOOL_CALL, subject, ctx, &d);
    cg_buf_printf(&out, "%s %s %s ", cg_verdict_name(d.verdict), d.by, d.reason);
    cg_json_canonical(&out, d.obligations);
    json_array_foreach (d.trail, i, row) {
        json_object_del(row, "us"); /* the one thing that differs */
        json_object_del(row, "steps");
        cg_json_canonical(&out, row);
    }
    cg_decision_finish(&d);
    return cg_buf_steal(&out);
}

static void assert_same(const struct hostile *h, struct cg_policy *policy, const char *tenant,
                        const char *wanted)
{
    cg_auto_free char *got = decision_text(policy, tenant);
    if (strcmp(got, wanted) != 0)
        fail_msg("after %s: %s\nnot %s", h->name, got, wanted);
}

static void at_the_door(const struct hostile *h)
{
    struct room room;
    cg_auto_buf text = { 0 };
    cg_auto_json subject = parse("{\"tool\":\"bad\",\"args\":{}}");
    cg_auto_json ctx = parse("{\"user\":{\"permissions\":[\"a.*\"]}}");
    struct cg_decision d;
    room_open(&room);
    cg_buf_printf(&text, "return { on = 'tool_call', tool = 'bad', decide = function(call, ctx) %s\nend }",
                  h->body);
    room_write(&room, "policies/h/x.lua", text.ptr);
    room_write(&room, "policies/h/y.lua", benign);
    struct cg_policy *policy = room_policy(&room), *fresh = room_policy(&room);
    cg_auto_free char *wanted = decision_text(fresh, "other");
    assert_non_null(strstr(wanted, "ask h/y 15.60"));
    assert_same(h, policy, "evil", wanted);
    cg_policy_decide(policy, "evil", CG_POINT_TOOL_CALL, subject, ctx, &d);
    if (d.verdict != CG_DENY || !d.reason[0])
        fail_msg("%s: %s %s", h->name, cg_verdict_name(d.verdict), d.reason);
    cg_decision_finish(&d);
    assert_same(h, policy, "evil", wanted);
    assert_same(h, policy, "other", wanted);
    cg_policy_destroy(policy);
    cg_policy_destroy(fresh);
    room_close(&room);
}

static void the_door_denies_and_keeps_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_hostiles; i++)
        at_the_door(&hostiles[i]);
}

/* All of them in one box, one after the other: what each leaves would add up. */
static void a_box_outlives_them_all(void **state)
{
    (void)state;
    struct cg_box *box = NULL;
    size_t before = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < n_hostiles; i++) {
            if (!box || box->broken) {
                cg_box_destroy(box);
                assert_int_equal(cg_box_create(&cg_box_tenant, &box), 0);
                before = box->used;
            }
            struct cg_answer a = run(box, hostiles[i].body);
            assert_int_equal(a.verdict, CG_DENY);
            cg_answer_finish(&a);
            if (!box->broken && box->used > before + (2 << 20))
                fail_msg("after %s: %zu bytes are held", hostiles[i].name, box->used);
        }
    }
    cg_box_destroy(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_scripts_are_denied),
        cmocka_unit_test(the_door_denies_and_keeps_nothing),
        cmocka_unit_test(a_box_outlives_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
