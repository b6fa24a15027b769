/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/json.h"

#include <stdio.h>
#include <stdlib.h>

static void parses_within_limits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *error; /* part of it; NULL: fine */
    } rows[] = {
        { "{\"a\":[1,2.5,\"x\",null,true]}", NULL },
        { " 1 ", NULL },
        { "\"\\ud83d\\ude00\"", NULL },
        { "9223372036854775807", NULL },
        { "", "ends too early" },
        { "{\"a\":1,\"a\":2}", "twice" },
        { "{\"tenant\":1,\"\\u0074enant\":2}", "twice" },
        { "{} x", "not valid JSON" },
        { "[1,]", "not valid JSON" },
        { "{'a':1}", "not valid JSON" },
        { "nul", "not valid JSON" },
        { "\"\\ud83d\"", "not valid JSON" },
        { "\"\\u0000\"", "U+0000" },
        { "{\"\\u0000\":1}", "not valid JSON" },
        { "\"\xff\"", "UTF-8" },
        { "\xef\xbb\xbf{}", "not valid JSON" },
        { "9223372036854775808", "too large" },
        { "1e400", "too large" },
        { "1.79769313486231e308", NULL },
        { "1.7976931348623157e308", "too large" }, /* written with 15 digits nobody could read it */
        { "[1.5,{\"a\":-1.7976931348623157E+308}]", "too large" },
        { "{\"e\":\"1e308\"}", NULL },
        { "NaN", "not valid JSON" },
        { "01", "not valid JSON" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_err err = { 0 };
        cg_auto_json v = cg_json_parse(cogent_str(rows[i].text), &err);
        if ((v == NULL) != (rows[i].error != NULL) || (!v && !strstr(err.message, rows[i].error)))
            fail_msg("%s: %s", rows[i].text, err.message);
        assert_true(v || err.code == COGENT_INVALID);
    }
    struct cg_err err;
    assert_null(cg_json_parse((struct cogent_str){ "1\0", 2 }, &err));
    assert_null(cg_json_parse((struct cogent_str){ NULL, 0 }, &err));
    assert_null(cg_json_parse(cogent_str("secret words"), &err));
    assert_null(strstr(err.message, "secret"));
}

static void depth(void **state)
{
    (void)state;
    for (int levels = 63; levels <= 66; levels++) {
        cg_auto_buf text = { 0 };
        for (int i = 0; i < levels; i++)
            cg_buf_char(&text, '[');
        cg_buf_text(&text, "\"]]]]\\\"[[[[\"");
        for (int i = 0; i < levels; i++)
            cg_buf_char(&text, ']');
        cg_auto_json v = cg_json_parse(cg_buf_view(&text), NULL);
        assert_int_equal(v != NULL, levels <= CG_JSON_DEPTH);
        cg_auto_json ours = cg_json_reread(cg_buf_view(&text));
        assert_non_null(ours);
    }
}

static void writes(void **state)
{
    (void)state;
    cg_auto_json v = cg_json_parse(cogent_str("{\"b\":2.55,\"a\":{\"d\":1,\"c\":[0.1,-3]}}"), NULL);
    cg_auto_buf plain = { 0 }, canonical = { 0 };
    cg_json_add(&plain, v);
    cg_json_canonical(&canonical, v);
    assert_string_equal(plain.ptr, "{\"b\":2.55,\"a\":{\"d\":1,\"c\":[0.1,-3]}}");
    assert_string_equal(canonical.ptr, "{\"a\":{\"c\":[0.1,-3],\"d\":1},\"b\":2.55}");
}

static void pointers(void **state)
{
    (void)state;
    cg_auto_json v = cg_json_parse(cogent_str("{\"a\":{\"b/c\":[10,20],\"~\":3,\"\":4},\"n\":null}"), NULL);
    static const struct {
        const char *pointer;
        int value; /* -1: nothing */
    } rows[] = { { "/a/b~1c/1", 20 }, { "/a/b~1c/0", 10 }, { "/a/b~1c/2", -1 }, { "/a/b~1c/01", -1 },
                 { "/a/b~1c/-", -1 }, { "/a/~0", 3 },      { "/a/~2", -1 },     { "/a/~", -1 },
                 { "/a/", 4 },        { "a", -1 },         { "/x/y", -1 },      { "/a/b~1c/0/z", -1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *at = cg_json_at(v, rows[i].pointer);
        int64_t n = -2;
        assert_int_equal(at ? json_integer_value(at) : -1, rows[i].value);
        cg_auto_free char *text = cg_json_text(v);
        int rc = cg_read_integer(cogent_str(text), rows[i].pointer, &n);
        assert_int_equal(rc == 0 ? n : -1, rows[i].value);
    }
    assert_ptr_equal(cg_json_at(v, ""), v);
    assert_string_equal(cg_json_str(v, "n", "preset"), "preset");
    assert_int_equal(cg_json_int(v, "a", 7), 7);
    assert_true(cg_json_bool(v, "a", true));
}

static const char doc[] =
    " { \"s\" : \"a\\n\\u00e9\\ud83d\\ude00\\\"\\/\" , \"i\":-12, \"d\":\"2.50\",\"r\": 2.5 ,\"t\":true,"
    "\"f\":false,\"z\":null,\"o\":{\"x\":[1,[2],\"]\"]},\"e\":\"\",\"big\":1e3,\"q\":\"1\\u0032\" } ";

static void reads_strings(void **state)
{
    (void)state;
    struct cogent_str json = cogent_str(doc);
    char buf[32];
    assert_int_equal(cg_read_string(json, "/s", buf, sizeof buf), 10);
    assert_string_equal(buf, "a\n\xc3\xa9\xf0\x9f\x98\x80\"/");
    for (size_t size = 1; size <= 10; size++) {
        char *exact = malloc(size);
        assert_int_equal(cg_read_string(json, "/s", exact, size), COGENT_INVALID);
        free(exact);
    }
    assert_int_equal(cg_read_string(json, "/s", buf, 11), 10);
    assert_int_equal(cg_read_string(json, "/e", buf, 1), 0);
    assert_int_equal(cg_read_string(json, "/e", buf, 0), COGENT_INVALID);
    assert_int_equal(cg_read_string(json, "/i", buf, sizeof buf), COGENT_INVALID);
    assert_int_equal(cg_read_string(json, "/z", buf, sizeof buf), COGENT_NOT_FOUND);
    assert_int_equal(cg_read_string(json, "/no", buf, sizeof buf), COGENT_NOT_FOUND);
}

static void reads_numbers(void **state)
{
    (void)state;
    struct cogent_str json = cogent_str(doc);
    char buf[32];
    int64_t n;
    int b;
    assert_int_equal(cg_read_integer(json, "/i", &n), 0);
    assert_int_equal(n, -12);
    assert_int_equal(cg_read_integer(json, "/r", &n), COGENT_INVALID);
    /* What a schema calls an integer is one to a tool. */
    assert_int_equal(cg_read_integer(json, "/big", &n), 0);
    assert_int_equal(n, 1000);
    assert_int_equal(cg_read_integer(cogent_str("-6.0"), "", &n), 0);
    assert_int_equal(n, -6);
    assert_int_equal(cg_read_integer(cogent_str("1e16"), "", &n), COGENT_INVALID);
    assert_int_equal(cg_read_integer(cogent_str("1e400"), "", &n), COGENT_INVALID);
    assert_int_equal(cg_read_integer(json, "/d", &n), COGENT_INVALID);
    assert_int_equal(cg_read_integer(cogent_str("-9223372036854775808"), "", &n), 0);
    assert_int_equal(cg_read_integer(cogent_str("9223372036854775808"), "", &n), COGENT_INVALID);
    assert_int_equal(cg_read_decimal(json, "/d", buf, sizeof buf), 4);
    assert_string_equal(buf, "2.50");
    assert_int_equal(cg_read_decimal(json, "/r", buf, sizeof buf), 3);
    assert_int_equal(cg_read_decimal(json, "/r", buf, 3), COGENT_INVALID);
    assert_int_equal(cg_read_decimal(json, "/r", buf, 0), COGENT_INVALID);
    assert_int_equal(cg_read_decimal(json, "/i", buf, sizeof buf), 3);
    static const char *const none[] = { "/s", "/t", "/e", "/big", "/o", "/q" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(cg_read_decimal(json, none[i], buf, sizeof buf), COGENT_INVALID);
    assert_int_equal(cg_read_boolean(json, "/t", &b), 0);
    assert_int_equal(b, 1);
    assert_int_equal(cg_read_boolean(json, "/f", &b), 0);
    assert_int_equal(b, 0);
    assert_int_equal(cg_read_boolean(json, "/i", &b), COGENT_INVALID);
}

static int put(void *arg, struct cogent_str key, struct cogent_str value)
{
    struct cg_buf *out = arg;
    cg_buf_printf(out, "%.*s=%.*s;", (int)key.len, key.ptr, (int)value.len, value.ptr);
    return cg_str_eq(value, "[2]") ? 5 : 0;
}

static void reads_each(void **state)
{
    (void)state;
    struct cogent_str json = cogent_str(doc), raw;
    cg_auto_buf out = { 0 };
    assert_int_equal(cg_read_each(json, "/o/x", put, &out), 5);
    assert_string_equal(out.ptr, "=1;=[2];");
    cg_buf_clear(&out);
    assert_int_equal(cg_read_each(json, "/o", put, &out), 0);
    assert_string_equal(out.ptr, "x=[1,[2],\"]\"];");
    assert_int_equal(cg_read_each(json, "/i", put, &out), COGENT_INVALID);
    assert_int_equal(cg_read_raw(json, "/o/x/2", &raw), 0);
    assert_true(cg_str_eq(raw, "\"]\""));
    cg_buf_clear(&out);
    assert_int_equal(cg_read_each(cogent_str("{}"), "", put, &out), 0);
    assert_int_equal(cg_read_each(cogent_str("[ ]"), "", put, &out), 0);
    assert_int_equal(out.len, 0);
}

/* Text that ends anywhere is read to its end and no further. */
static void never_reads_beyond(void **state)
{
    (void)state;
    static const char *const pointers[] = { "", "/s", "/o/x/1", "/q", "/no" };
    for (size_t len = 0; len < sizeof doc; len++) {
        char *copy = malloc(len ? len : 1), buf[16];
        struct cogent_str raw;
        memcpy(copy, doc, len);
        for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
            cg_auto_buf out = { 0 };
            cg_read_raw((struct cogent_str){ copy, len }, pointers[i], &raw);
            cg_read_string((struct cogent_str){ copy, len }, pointers[i], buf, sizeof buf);
            cg_read_each((struct cogent_str){ copy, len }, pointers[i], put, &out);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_within_limits),
        cmocka_unit_test(depth),
        cmocka_unit_test(writes),
        cmocka_unit_test(pointers),
        cmocka_unit_test(reads_strings),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_each),
        cmocka_unit_test(never_reads_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
