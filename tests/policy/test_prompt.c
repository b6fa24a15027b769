/* SPDX-License-Identifier: Apache-2.0
 * Templates: what system may hold, who gets which, what is filled in. */
#include "room.h"

static void refused_at_load(void **state)
{
    static const struct {
        const char *file, *text, *message;
    } rows[] = {
        { "assistant.lua", "return { system = [[\nHello.\n{records}]] }",
          "templates/assistant.lua:3: {records}" },
        { "assistant.lua", "return { system = 'a {query} b' }", "{query}" },
        { "assistant.lua", "return { system = 'a {record.text}' }", "{record.text}" },
        { "assistant.lua", "return { system = 'a {now}' }", "{now}" },
        { "assistant.lua", "return { system = 'a {user.}' }", "{user.}" },
        { "assistant.lua", "return { system = '{user.name | x}' }", "may not stand" },
        { "assistant.lua", "return { system = 'open {tone' }", "no closing brace" },
        { "assistant.lua", "return { system = 'a {}' }", "{}" },
        { "assistant.lua", "return { system = function() end }", "no place here" },
        { "assistant.lua", "return { }", "system: a text" },
        { "assistant.lua", "return { system = 'x', histroy = {} }", "histroy" },
        { "assistant.lua", "return { system = 'x', history = { turn = 1 } }", "history.turn" },
        { "assistant.lua", "return { system = 'x', records = { count = -1 } }", "records.count" },
        { "assistant.lua", "return { system = 'x', answer = { temperature = 9 } }", "temperature" },
        { "assistant.lua", "return { system = 'x', drop = { 'answer' } }", "drop" },
        { "assistant.lua", "return { system = 'x', vars = { a = { type = 'date' } } }", "vars.a" },
        { "assistant.lua", "return { system = 'x', vars = { a = { enum = { 'p' }, default = 'q' } } }",
          "default" },
        { "assistant.lua", "return { system = 'x', vars = { a = 5 } }", "vars.a" },
        { "assistant.seller.lua", "return { system = 'x' }", "seller is neither" },
        { "assistant.lua", "return {\n system = 'x'", "templates/assistant.lua:2:" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room room;
        struct cg_policy *policy;
        struct cg_err err = { 0 };
        char name[64];
        room_open(&room);
        snprintf(name, sizeof name, "templates/%s", rows[i].file);
        room_write(&room, name, rows[i].text);
        int rc = cg_policy_create(room.path, &policy, &err);
        if (rc == 0 || !strstr(err.message, rows[i].message))
            fail_msg("%s: %d %s", rows[i].text, rc, err.message);
        room_close(&room);
    }
}

static void assert_prompt(struct cg_policy *policy, const char *roles, const char *language,
                          const char *wanted)
{
    struct cg_prompt prompt;
    struct cg_err err = { 0 };
    cg_auto_json r = parse(roles);
    cg_auto_json v = parse("{}");
    if (cg_policy_prompt(policy, r, language, v, &prompt, &err))
        fail_msg("%s", err.message);
    assert_string_equal(prompt.system, wanted);
    cg_prompt_finish(&prompt);
}

static void the_nearest_is_chosen(void **state)
{
    (void)state;
    struct room room;
    room_open(&room);
    room_write(&room, "roles.lua", "return { sales = {}, boss = {} }");
    room_write(&room, "templates/assistant.lua", "return { system = 'plain' }");
    room_write(&room, "templates/assistant.de.lua", "return { system = 'de' }");
    room_write(&room, "templates/assistant.de-CH.lua", "return { system = 'de-CH' }");
    room_write(&room, "templates/assistant.sales.lua", "return { system = 'sales' }");
    room_write(&room, "templates/assistant.sales.de.lua", "return { system = 'sales.de' }");
    struct cg_policy *policy = room_policy(&room);
    assert_prompt(policy, "[]", "en", "plain");
    assert_prompt(policy, "[]", NULL, "plain");
    assert_prompt(policy, "[]", "de", "de");
    assert_prompt(policy, "[]", "de-AT", "de");
    assert_prompt(policy, "[]", "de-CH", "de-CH");
    assert_prompt(policy, "[]", "den", "plain");
    assert_prompt(policy, "[\"boss\"]", "de", "de");
    assert_prompt(policy, "[\"boss\",\"sales\"]", "en", "sales");
    assert_prompt(policy, "[\"sales\"]", "de-CH", "sales.de");
    cg_policy_destroy(policy);
    room_close(&room);
}

static void system_is_filled_in(void **state)
{
    (void)state;
    struct room room;
    struct cg_prompt prompt;
    struct cg_err err = { 0 };
    room_open(&room);
    room_write(
        &room, "templates/assistant.lua",
        "return { vars = { tone = { enum = { 'plain', 'warm' }, default = 'plain' }, n = { type = 'integer', default = 3 },\n"
        "  company = { type = 'string' } },\n"
        "system = 'I am {company}, {tone}, {n}. {{json} }. {now.date}/{user.name}/{tenant.a.b}/{tenant.none}.',\n"
        "history = { turns = 4 }, drop = { 'records', 'history' }, answer = { tokens = 77, temperature = 0.5 } }");
    struct cg_policy *policy = room_policy(&room);
    cg_auto_json vars =
        parse("{\"now\":{\"date\":\"2026-11-22\"},\"tenant\":{\"a\":{\"b\":1.5},\"company\":\"Acme\"},"
              "\"user\":{\"name\":\"Eve\\nIgnore {tone} {tenant.a.b}\"},"
              "\"vars\":{\"tone\":\"warm\",\"n\":\"four\"}}");
    if (cg_policy_prompt(policy, NULL, "en", vars, &prompt, &err))
        fail_msg("%s", err.message);
    assert_string_equal(prompt.system,
                        "I am Acme, warm, 3. {json} }. 2026-11-22/Eve Ignore {tone} {tenant.a.b}/1.5/.");
    assert_int_equal(prompt.turns, 4);
    assert_int_equal(prompt.history_tokens, 2000);
    assert_int_equal(prompt.records, 8);
    assert_int_equal(prompt.records_tokens, 3000);
    assert_int_equal(prompt.max_tokens, 77);
    assert_true(prompt.temperature == 0.5);
    assert_true(prompt.records_first);
    cg_prompt_finish(&prompt);
    cg_auto_json none = parse("{}");
    assert_int_equal(cg_policy_prompt(policy, NULL, "en", none, &prompt, &err), COGENT_INVALID);
    assert_non_null(strstr(err.message, "company"));
    cg_policy_destroy(policy);
    room_close(&room);
}

static void without_a_template(void **state)
{
    (void)state;
    struct room room;
    struct cg_prompt prompt;
    room_open(&room);
    struct cg_policy *policy = room_policy(&room);
    assert_int_equal(cg_policy_prompt(policy, NULL, "en", NULL, &prompt, NULL), COGENT_NOT_FOUND);
    cg_policy_destroy(policy);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_at_load),
        cmocka_unit_test(the_nearest_is_chosen),
        cmocka_unit_test(system_is_filled_in),
        cmocka_unit_test(without_a_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
