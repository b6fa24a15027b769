/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/io/sse.h"

#include <cogent/error.h>
#include <stdio.h>

static void put(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id)
{
    struct cg_buf *out = arg;
    cg_buf_char(out, '[');
    cg_buf_str(out, event);
    cg_buf_char(out, '|');
    cg_buf_str(out, data);
    cg_buf_char(out, '|');
    cg_buf_str(out, id);
    cg_buf_char(out, ']');
}

static const struct {
    const char *in, *out;
} rows[] = {
    { "data: a\n\n", "[|a|]" },
    { "data:a\n\n", "[|a|]" },
    { "data:  a\n\n", "[| a|]" },
    { "data\n\n", "[||]" },
    { "data: a\ndata: b\n\n", "[|a\nb|]" },
    { "event: e\ndata: a\n\ndata: b\n\n", "[e|a|][|b|]" },
    { "event: e\n\ndata: b\n\n", "[|b|]" },
    { "id: 1\ndata: a\n\ndata: b\n\n", "[|a|1][|b|1]" },
    { ": ping\n\ndata: a\n\n", "[|a|]" },
    { "unknown: x\nretry: 1\ndata: a\n\n", "[|a|]" },
    { "\xef\xbb\xbf"
      "data: a\n\n",
      "[|a|]" },
    { "\xef\xbb\xbf\n\xef\xbb\xbf"
      "data: a\n\ndata: b\n\n",
      "[|b|]" },
    { "data: a", "" },
    { "data: a\n", "" },
    { "\n\n\n", "" },
    { "data: {\"a\":\"b: c\"}\n\n", "[|{\"a\":\"b: c\"}|]" },
    { "data: [DONE]\n\n", "[|[DONE]|]" },
};

/* The same with every kind of line end, cut at every byte, and byte by byte. */
static void every_cut(const char *text, size_t len, const char *want)
{
    for (size_t cut = 0; cut <= len + 1; cut++) {
        struct cg_sse sse;
        cg_auto_buf out = { 0 };
        cg_buf_add(&out, "", 0);
        cg_sse_init(&sse, 1000, put, &out);
        if (cut <= len) {
            assert_int_equal(cg_sse_feed(&sse, (struct cogent_str){ text, cut }), 0);
            assert_int_equal(cg_sse_feed(&sse, (struct cogent_str){ text + cut, len - cut }), 0);
        } else {
            for (size_t i = 0; i < len; i++)
                assert_int_equal(cg_sse_feed(&sse, (struct cogent_str){ text + i, 1 }), 0);
        }
        assert_string_equal(out.ptr, want);
        cg_sse_finish(&sse);
    }
}

static void reads(void **state)
{
    (void)state;
    static const char *const ends[] = { "\n", "\r", "\r\n" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t e = 0; e < 3; e++) {
            cg_auto_buf text = { 0 };
            cg_buf_add(&text, "", 0);
            for (const char *p = rows[i].in; *p; p++)
                cg_buf_add(&text, *p == '\n' ? ends[e] : p, *p == '\n' ? strlen(ends[e]) : 1);
            every_cut(text.ptr, text.len, rows[i].out);
        }
    }
    every_cut("id: a\0b\ndata: a\n\n", 17, "[|a|]");
}

static void is_bounded(void **state)
{
    (void)state;
    struct cg_sse sse;
    cg_auto_buf out = { 0 };
    int rc = 0;
    cg_sse_init(&sse, 100, put, &out);
    for (int i = 0; i < 200 && rc == 0; i++)
        rc = cg_sse_feed(&sse, cogent_str("x"));
    assert_int_equal(rc, COGENT_LIMIT);
    cg_sse_finish(&sse);
    cg_sse_init(&sse, 100, put, &out);
    for (rc = 0; rc == 0;)
        rc = cg_sse_feed(&sse, cogent_str("data: x\n"));
    assert_int_equal(rc, COGENT_LIMIT);
    cg_sse_finish(&sse);
    assert_int_equal(out.len, 0);
}

static void writes(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    cg_sse_frame(&out, cogent_str("r-1"), "message", cogent_str("{}"));
    cg_sse_frame(&out, cogent_str(""), "", cogent_str("x"));
    cg_sse_frame(&out, cogent_str(""), NULL, cogent_str("y"));
    assert_string_equal(out.ptr, "id: r-1\nevent: message\ndata: {}\n\ndata: x\n\ndata: y\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads), cmocka_unit_test(is_bounded),
                                        cmocka_unit_test(writes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
