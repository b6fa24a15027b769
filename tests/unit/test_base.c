/* SPDX-License-Identifier: Apache-2.0
 * The small things of base: buffers, UTF-8, times, hashes, ids, options. */
#include "check.h"

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/id.h"
#include "engine/base/options.h"
#include "engine/base/tenant_mint.h"
#include "engine/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static void buffers(void **state)
{
    (void)state;
    cg_auto_buf b = { 0 };
    assert_string_equal(cg_buf_view(&b).ptr, "");
    cg_buf_add(&b, "a\0b", 3);
    cg_buf_printf(&b, "%d-%s", 7, "x");
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.ptr, "a\0b7-x", 7);
    cg_buf_clear(&b);
    for (int i = 0; i < 10000; i++)
        cg_buf_printf(&b, "%04d", i);
    assert_int_equal(b.len, 40000);
    assert_memory_equal(b.ptr + 39996, "9999", 5);
    cg_auto_free char *taken = cg_buf_steal(&b);
    assert_int_equal(strlen(taken), 40000);
    assert_null(b.ptr);
    cg_auto_free char *empty = cg_buf_steal(&b);
    assert_string_equal(empty, "");
    /* More than there is: failed, and quiet from then on. */
    cg_buf_text(&b, "x");
    cg_buf_add(&b, "", SIZE_MAX - 1);
    assert_true(b.failed);
    cg_buf_text(&b, "y");
    assert_int_equal(cg_buf_view(&b).len, 0);
    assert_null(cg_buf_steal(&b));
    assert_false(b.failed);
}

/* In memory of the caller's, until that is full; what was written stays the same. */
static void lent_buffers(void **state)
{
    (void)state;
    char memory[16];
    struct cg_buf b = cg_buf_in(memory, sizeof memory);
    assert_string_equal(cg_buf_view(&b).ptr, "");
    cg_buf_printf(&b, "%s", "123456789012345"); /* fits to the last byte */
    assert_ptr_equal(b.ptr, memory);
    assert_string_equal(b.ptr, "123456789012345");
    cg_buf_printf(&b, "%d", 6);
    assert_ptr_not_equal(b.ptr, memory);
    assert_string_equal(b.ptr, "1234567890123456");
    cg_buf_finish(&b);
    b = cg_buf_in(memory, sizeof memory);
    cg_buf_text(&b, "short");
    cg_auto_free char *taken = cg_buf_steal(&b); /* the caller's to free all the same */
    assert_ptr_not_equal(taken, memory);
    assert_string_equal(taken, "short");
    b = cg_buf_in(memory, sizeof memory);
    cg_buf_add(&b, "", SIZE_MAX - 1);
    assert_true(b.failed);
    assert_null(cg_buf_steal(&b));
    b = cg_buf_in(memory, sizeof memory);
    cg_buf_text(&b, "more than there is room for");
    cg_buf_clear(&b);
    cg_buf_text(&b, "again");
    assert_string_equal(cg_buf_view(&b).ptr, "again");
    cg_buf_finish(&b);
}

static void escapes(void **state)
{
    (void)state;
    cg_auto_buf b = { 0 };
    cg_buf_json(&b, cogent_str("a\"\\\n\r\t\x01\x7f/\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80"));
    assert_string_equal(b.ptr, "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f/\\u2028\\u2029\xe2\x80\xaa\xe2\x80\"");
    cg_buf_clear(&b);
    cg_buf_json(&b, (struct cogent_str){ NULL, 0 });
    assert_string_equal(b.ptr, "\"\"");
    cg_buf_clear(&b);
    cg_buf_percent(&b, cogent_str("aZ9-._~ /?#%&\xc3\xa9+"));
    assert_string_equal(b.ptr, "aZ9-._~%20%2F%3F%23%25%26%C3%A9%2B");
}

static void words(void **state)
{
    (void)state;
    char small[4];
    assert_true(cg_str_eq((struct cogent_str){ NULL, 0 }, ""));
    assert_false(cg_str_eq(cogent_str("ab"), "a"));
    assert_true(cg_str_caseeq(cogent_str("AbC"), "aBc"));
    assert_false(cg_str_caseeq(cogent_str("AbC"), "aB"));
    assert_true(cg_str_copy(small, sizeof small, cogent_str("abc")));
    assert_false(cg_str_copy(small, sizeof small, cogent_str("abcd")));
    assert_string_equal(small, "abc");
    assert_true(cg_str_copy(small, sizeof small, (struct cogent_str){ NULL, 0 }));
    assert_string_equal(small, "");
}

static void utf8(void **state)
{
    (void)state;
    static const char *const good[] = { "",
                                        "abc",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc2",
                                       "\xc2\xc2",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xe2\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "a\xfe" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(cg_utf8_valid(cogent_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cg_utf8_valid(cogent_str(bad[i])));
    static const size_t cuts[] = { 0, 1, 1, 3, 3, 3, 3, 7, 8, 8 };
    for (size_t max = 0; max < 10; max++) /* a, e with acute, an emoji, b */
        assert_int_equal(cg_utf8_cut(cogent_str("a\xc3\xa9\xf0\x9f\x98\x80"
                                                "b"),
                                     max),
                         cuts[max]);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        { "250ms", 250 },
        { "90s", 90000 },
        { "15m", 900000 },
        { "24h", 86400000 },
        { "7d", 604800000 },
        { "5", 5000 },
        { "0", 0 },
        { "", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "1.5s", -1 },
        { "1 s", -1 },
        { "1w", -1 },
        { "1ss", -1 },
        { "1S", -1 },
        { "999999999999d", -1 },
        { "99999999999999999999999999", -1 },
        { "9999999999d", INT64_C(9999999999) * 86400000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (cg_duration_parse(cogent_str(rows[i].text)) != rows[i].ms)
            fail_msg("%s", rows[i].text);
    }
    char out[CG_TIME_SIZE];
    assert_string_equal(cg_time_format(0, out), "1970-01-01T00:00:00Z");
    assert_string_equal(cg_time_format(INT64_C(1795332604999999), out), "2026-11-22T07:30:04Z");
    int64_t before = cg_mono_us();
    assert_true(cg_mono_us() >= before && cg_now_us() > INT64_C(1700000000000000));
}

static void hashes(void **state)
{
    (void)state;
    unsigned char sum[CG_SHA256_SIZE];
    char hex[65];
    assert_int_equal(cg_sha256(cogent_str("abc"), sum), 0);
    cg_hex(sum, sizeof sum, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(cg_hmac_sha256(cogent_str("Jefe"), cogent_str("what do ya want for nothing?"), sum), 0);
    cg_hex(sum, sizeof sum, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(cg_bytes_equal("abc", "abc", 3));
    assert_false(cg_bytes_equal("abc", "abd", 3));
    cg_wipe(sum, sizeof sum);
    assert_int_equal(sum[0] | sum[31], 0);
}

static void base64url(void **state)
{
    (void)state;
    unsigned char out[8];
    static const struct {
        const char *text;
        int n;
    } rows[] = { { "", 0 },      { "Zg", 1 },     { "Zm8", 2 },     { "Zm9v", 3 },         { "-_-_", 3 },
                 { "Z", -1 },    { "Zg==", -1 },  { "Zh", -1 },     { "Zm9", -1 },         { "Zm+v", -1 },
                 { "Zm/v", -1 }, { "Zm 9v", -1 }, { "Zm9v\n", -1 }, { "Zm9vYmFyYmF6", -1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cg_base64url_decode(cogent_str(rows[i].text), out, sizeof out),
                         rows[i].n < 0 ? COGENT_INVALID : rows[i].n);
    assert_int_equal(cg_base64url_decode((struct cogent_str){ "Zm\0v", 4 }, out, sizeof out), COGENT_INVALID);
    assert_int_equal(cg_base64url_decode(cogent_str("Zm9v"), out, 2), COGENT_INVALID);
    for (size_t len = 0; len < 7; len++) {
        cg_auto_buf url = { 0 }, plain = { 0 };
        cg_buf_text(&url, "");
        cg_base64url_encode("\xfb\xff\xbf\x00\x01\x02", len, &url);
        cg_base64_encode("\xfb\xff\xbf\x00\x01\x02", len, &plain);
        assert_int_equal(plain.len, (len + 2) / 3 * 4);
        assert_int_equal(cg_base64url_decode(cg_buf_view(&url), out, sizeof out), len);
        assert_memory_equal(out, "\xfb\xff\xbf\x00\x01\x02", len);
    }
}

static void ids(void **state)
{
    (void)state;
    char a[CG_ID_SIZE], b[CG_ID_SIZE], uuid[CG_UUID_SIZE];
    cg_id_make("run_", a);
    cg_id_make("run_", b);
    assert_string_not_equal(a, b);
    assert_true(cg_id_valid("run_", cogent_str(a)));
    assert_false(cg_id_valid("ses_", cogent_str(a)));
    assert_false(cg_id_valid("run_", (struct cogent_str){ a, strlen(a) - 1 }));
    a[10] = 'I';
    assert_false(cg_id_valid("run_", cogent_str(a)));
    a[10] = '\0';
    assert_false(cg_id_valid("run_", (struct cogent_str){ a, 30 }));
    unsigned char ones[16];
    memset(ones, 0xff, sizeof ones);
    assert_string_equal(cg_id_spell("", ones, a), "ZZZZZZZZZZZZZZZZZZZZZZZZZW");
    cg_uuid_make(uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
    assert_null(cg_tenant_mint("no-uuid", "acme"));
    cg_tenant_unref(NULL);
}

struct target {
    char *name, *secret, *table;
    int64_t n;
    int on;
    double d;
};

static const struct cogent_option table[] = {
    { .key = "name",
      .type = COGENT_OPT_STRING,
      .offset = offsetof(struct target, name),
      .preset = "preset",
      .help = "a name" },
    { .key = "secret",
      .type = COGENT_OPT_SECRET,
      .offset = offsetof(struct target, secret),
      .help = "a secret" },
    { .key = "table",
      .type = COGENT_OPT_JSON,
      .offset = offsetof(struct target, table),
      .preset = "{}",
      .help = "a table" },
    { .key = "number",
      .type = COGENT_OPT_INT,
      .offset = offsetof(struct target, n),
      .preset = "7",
      .help = "a number" },
    { .key = "on",
      .type = COGENT_OPT_BOOL,
      .offset = offsetof(struct target, on),
      .preset = "true",
      .help = "on" },
    { .key = "ratio", .type = COGENT_OPT_NUMBER, .offset = offsetof(struct target, d), .help = "a ratio" },
    { 0 },
};

static void options(void **state)
{
    (void)state;
    static const struct {
        const char *given, *error;
    } rows[] = {
        { "{}", NULL },
        { "{\"name\":null}", NULL },
        { "{\"name\":\"x\",\"secret\":\"s\",\"table\":[1],\"number\":8,\"on\":false,\"ratio\":1}", NULL },
        { "{\"nmae\":\"x\"}", "here: nmae is not known; did you mean name?" },
        { "{\"completely\":1}", "here: completely is not known" },
        { "{\"name\":1}", "here: name must be a string" },
        { "{\"number\":1.5}", "here: number must be an integer" },
        { "{\"on\":1}", "here: on must be true or false" },
        { "{\"ratio\":\"1\"}", "here: ratio must be a number" },
        { "[]", "here must be a table" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target t = { 0 };
        struct cg_err err = { 0 };
        cg_auto_json given = cg_json_parse(cogent_str(rows[i].given), NULL);
        int rc = cg_options_fill(table, given, &t, "here", &err);
        assert_int_equal(rc, rows[i].error ? COGENT_INVALID : 0);
        if (rows[i].error)
            assert_string_equal(err.message, rows[i].error);
        else
            assert_string_equal(t.name, i < 2 ? "preset" : "x");
        assert_true(rc < 0 || t.n == (i < 2 ? 7 : 8));
        cg_options_finish(table, &t);
        assert_null(t.name);
    }
    struct target t = { 0 };
    assert_int_equal(cg_options_fill(table, NULL, &t, "here", NULL), 0);
    cg_options_finish(table, &t);
    cg_auto_buf out = { 0 };
    cg_options_markdown(table, &out);
    assert_non_null(strstr(out.ptr, "| `number` | integer | `7` | a number |\n"));
    assert_non_null(strstr(out.ptr, "| `ratio` | number | none | a ratio |\n"));
}

static void errors_end_between_characters(void **state)
{
    (void)state;
    for (int before = 300; before < 330; before++) {
        struct cg_err err;
        char text[400];
        memset(text, 'x', sizeof text);
        snprintf(text + before, sizeof text - (size_t)before, "%s",
                 "\xe2\x82\xac\xf0\x9f\x98\x80 and more words");
        assert_int_equal(cg_err_set(&err, COGENT_INVALID, "%s", text), COGENT_INVALID);
        assert_true(cg_utf8_valid(cogent_str(err.message)));
        assert_true(strlen(err.message) > sizeof err.message - 5 || strlen(err.message) == strlen(text));
    }
}

static void nearest(void **state)
{
    (void)state;
    static const char *const names[] = { "minimum", "maximum", "type", NULL };
    assert_string_equal(cg_nearest("minimun", names), "minimum");
    assert_string_equal(cg_nearest("tpye", names), "type");
    assert_null(cg_nearest("zzzzzz", names));
    assert_null(cg_nearest("", names));
    assert_null(cg_nearest("a word that is far longer than any of the names in the table", names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers), cmocka_unit_test(lent_buffers),
        cmocka_unit_test(escapes), cmocka_unit_test(words),
        cmocka_unit_test(utf8),    cmocka_unit_test(times),
        cmocka_unit_test(hashes),  cmocka_unit_test(base64url),
        cmocka_unit_test(ids),     cmocka_unit_test(options),
        cmocka_unit_test(nearest), cmocka_unit_test(errors_end_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
