/* SPDX-License-Identifier: Apache-2.0
 * Exact decimals, and the money that scripts see. */
#include "room.h"

#include "engine/policy/amount.h"

static struct cg_amount dec(const char *text)
{
    struct cg_amount d;
    if (!cg_amount_parse(cogent_str(text), &d))
        fail_msg("%s", text);
    return d;
}

static void texts(void **state)
{
    static const char *const same[] = {
        "0",   "1",       "-1", "0.10", "-0.05", "123456789012345678901234567890", "500.00", "0.000000000001",
        "1.5", "-12.345", NULL
    };
    static const char *const wrong[] = { "",
                                         "-",
                                         ".",
                                         "1.",
                                         ".5",
                                         "1,5",
                                         "1e5",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "1.2.3",
                                         "0x10",
                                         "nan",
                                         "--1",
                                         "0.0000000000001",
                                         "1234567890123456789012345678901",
                                         NULL };
    char out[CG_AMOUNT_SIZE];
    struct cg_amount d;
    (void)state;
    for (size_t i = 0; same[i]; i++)
        assert_string_equal(cg_amount_format(dec(same[i]), out), same[i]);
    for (size_t i = 0; wrong[i]; i++)
        if (cg_amount_parse(cogent_str(wrong[i]), &d))
            fail_msg("%s was taken", wrong[i]);
}

static void arithmetic(void **state)
{
    static const struct {
        const char *a, *b;
        char op;
        const char *result; /* NULL: does not fit */
    } rows[] = {
        { "0.1", "0.2", '+', "0.3" },
        { "2.55", "200", '*', "510.00" },
        { "0.10", "5000", '*', "500.00" },
        { "1", "0.01", '-', "0.99" },
        { "0.05", "0.1", '-', "-0.05" },
        { "10.00", "3", '/', "3.333333" },
        { "10.00", "4", '/', "2.50" },
        { "-10.00", "-4", '/', "2.50" },
        { "1", "3", '/', "0.333333" },
        { "2", "3", '/', "0.666667" },
        { "1", "0", '/', NULL },
        { "1", "0.00", '/', NULL },
        { "999999999999999999999999999999", "1", '+', NULL },
        { "999999999999999999999999999999", "10", '*', NULL },
        { "123456789012345678901234567890", "123456789012345678901234567890", '*', NULL },
        { "123456789012345678901234567890", "0.000000000001", '+', NULL },
        { "0.000001", "0.0000005", '*', "0.000000000000" }, /* half to even */
        { "0.000001", "0.0000015", '*', "0.000000000002" },
    };
    char out[CG_AMOUNT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_amount a = dec(rows[i].a), b = dec(rows[i].b), r;
        bool ok = rows[i].op == '+'   ? cg_amount_add(a, b, &r)
                  : rows[i].op == '-' ? cg_amount_sub(a, b, &r)
                  : rows[i].op == '*' ? cg_amount_mul(a, b, &r)
                                      : cg_amount_div(a, b, &r);
        if (ok != (rows[i].result != NULL) || (ok && strcmp(cg_amount_format(r, out), rows[i].result) != 0))
            fail_msg("%s %c %s: %s", rows[i].a, rows[i].op, rows[i].b, ok ? out : "does not fit");
    }
}

static void comparing(void **state)
{
    (void)state;
    assert_int_equal(cg_amount_compare(dec("500.00"), dec("500")), 0);
    assert_true(cg_amount_compare(dec("9.99"), dec("10")) < 0);
    assert_true(cg_amount_compare(dec("-1"), dec("-0.99")) < 0);
    assert_true(cg_amount_compare(dec("-0.5"), dec("0.5")) < 0);
    assert_true(cg_amount_compare(dec("123456789012345678901234567890"), dec("0.000000000001")) > 0);
    assert_true(cg_amount_compare(dec("1.000000000001"), dec("1")) > 0);
}

static void doubles(void **state)
{
    static const struct {
        double d;
        const char *text;
    } rows[] = { { 0.1, "0.1" }, { 139.12, "139.12" }, { 2.5, "2.5" }, { 1e-7, "0.000000100000" },
                 { 1e16, NULL }, { -0.05, "-0.05" },   { 3.0, "3" },   { 0.0 / 1.0, "0" } };
    char out[CG_AMOUNT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_amount d;
        bool ok = cg_amount_from_double(rows[i].d, &d);
        assert_true(ok == (rows[i].text != NULL));
        if (ok)
            assert_string_equal(cg_amount_format(d, out), rows[i].text);
    }
}

static void scripts(void **state)
{
    static const struct {
        const char *expression, *reason; /* reason of deny(tostring(expression)) */
    } rows[] = {
        { "money('0.1') + money('0.2')", "0.3" },
        { "money(0) + money('2.55', 'GBP') * 200", "510.00 GBP" },
        { "money('2.55') * 0.5", "1.275" },
        { "2 * money('2.55')", "5.10" },
        { "-money('1.00')", "-1.00" },
        { "money('10.00 EUR') / 4", "2.50 EUR" },
        { "money('1.00', 'EUR') / money('0.50', 'EUR')", "2.0" },
        { "money('2.345'):round()", "2.34" },
        { "money('2.355'):round(2)", "2.36" },
        { "money('7'):round(2)", "7.00" },
        { "money('5.00 USD').amount .. money('5.00 USD').currency", "5.00USD" },
        { "money('500.00') == money(500)", "true" },
        { "money('1') == 1", "false" },
        { "money('5') > 4.99", "true" },
        { "money('5', 'GBP') <= money('500')", "true" },
        { "money('1', 'GBP') + money('1', 'EUR')", "GBP and EUR do not go together" },
        { "money('1', 'GBP') == money('1', 'EUR')", "GBP and EUR do not go together" },
        { "money('1', 'GBP') < money('1', 'EUR')", "do not go together" },
        { "money('1 GBP', 'EUR')", "do not go together" },
        { "money('1') * money('2')", "no meaning" },
        { "1 / money('2')", "no meaning" },
        { "money('1') / 0", "division by zero" },
        { "money('1', 'euro')", "three capital letters" },
        { "money(nil)", "wanted, not a nil" },
        { "money()", "value expected" },
        { "money('abc')", "no decimal number" },
        { "money(0/0)", "no decimal number" },
        { "money(1e300)", "no decimal number" },
        { "money('1') + {}", "not a table" },
        { "'total ' .. money('5.00') .. '!'", "total 5.00!" },
    };
    (void)state;
    struct room room;
    room_open(&room);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "return { on = 'request', decide = function() return deny(tostring(%s)) end }",
                 rows[i].expression);
        room_write(&room, "policies/t/a.lua", text);
        struct cg_policy *policy = room_policy(&room);
        struct cg_decision d = room_decide(policy, CG_POINT_REQUEST, "{}", "{}");
        bool right = strchr(rows[i].reason, ' ') ? strstr(d.reason, rows[i].reason) != NULL
                                                 : strcmp(d.reason, rows[i].reason) == 0;
        if (!right)
            fail_msg("%s: %s", rows[i].expression, d.reason);
        cg_decision_finish(&d);
        cg_policy_destroy(policy);
    }
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),   cmocka_unit_test(arithmetic), cmocka_unit_test(comparing),
        cmocka_unit_test(doubles), cmocka_unit_test(scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
