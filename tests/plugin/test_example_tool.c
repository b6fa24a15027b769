/* SPDX-License-Identifier: Apache-2.0
 * example_tool: the shortest tool, through the same door as all others. argv[1] is the plugin.
 */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct cogent_plugin *plugin;

static void test_iban(void **state)
{
    static const struct {
        const char *args;
        int err;
        const char *result;
    } rows[] = {
        { "{\"iban\":\"GB82 WEST 1234 5698 7654 32\"}", 0, "{\"valid\":true}" },
        { "{\"iban\":\"DE89370400440532013000\"}", 0, "{\"valid\":true}" },
        { "{\"iban\":\"DE89370400440532013001\"}", 0, "{\"valid\":false}" },
        { "{\"iban\":\"DE89-3704-0044-0532-013\"}", 0, "{\"valid\":false}" },
        { "{\"iban\":\"DE8\"}", COGENT_INVALID, "" },
        { "{\"iban\":7}", COGENT_INVALID, "" },
        { "{}", COGENT_INVALID, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fake_reset();
        struct cogent_call call = { .size = sizeof call,
                                    .host = &fake_host,
                                    .tool = plugin->tools[0],
                                    .op = { 1, 1 },
                                    .args = cogent_str(rows[i].args),
                                    .effect_key = "" };
        fake.call = &call;
        plugin->tools[0]->call(&call);
        assert_int_equal(fake.completed, 1);
        assert_int_equal(fake.err, rows[i].err);
        assert_string_equal(fake.result, rows[i].result);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_iban) };
    plugin = argc > 1 ? fake_load(argv[1]) : NULL;
    return plugin && plugin->tools ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
