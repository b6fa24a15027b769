/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/io/http_chunked.h"
#include "engine/io/http_head.h"

#include <stdio.h>
#include <stdlib.h>

#define H "Host: a\r\n"

static const struct {
    const char *text;
    int status; /* 0: a whole head; 1: more is needed */
} rows[] = {
    { "GET / HTTP/1.1\r\n" H "\r\n", 0 },
    { "\r\nGET / HTTP/1.1\r\n" H "\r\n", 0 },
    { "GET /a?b=c HTTP/1.0\r\n\r\n", 0 },
    { "GET http://a/x HTTP/1.1\r\n" H "\r\n", 0 },
    { "GET http://a HTTP/1.1\r\n" H "\r\n", 0 },
    { "M-SEARCH / HTTP/1.1\r\n" H "\r\n", 0 },
    { "GET / HTTP/1.1\r\n" H "A:b\r\nC: \t d \r\nE:\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\n" H "A: \xc3\xa9\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 0 },
    /* Not whole. */
    { "", 1 },
    { "GET", 1 },
    { "GET / HTTP/1.1\r", 1 },
    { "GET / HTTP/1.1\r\n" H, 1 },
    { "GET / HTTP/1.1\r\n" H "\r", 1 },
    /* The request line. */
    { "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET /\r\n" H "\r\n", 400 },
    { "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
    { " GET / HTTP/1.1\r\n" H "\r\n", 400 },
    { "G(T / HTTP/1.1\r\n" H "\r\n", 400 },
    { "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET x HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET * HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET http:///x HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET https://a/ HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET /#a HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET /\x7f HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET /\t HTTP/1.1\r\n" H "\r\n", 400 },
    { "GET / HTTP/1.2\r\n" H "\r\n", 505 },
    { "GET / HTTP/2.0\r\n" H "\r\n", 505 },
    { "GET / HTTP/4294967297.1\r\n" H "\r\n", 400 },
    { "GET / http/1.1\r\n" H "\r\n", 400 },
    { "GET / HTTP/1.1x\r\n" H "\r\n", 400 },
    /* Lines. */
    { "GET / HTTP/1.1\n" H "\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H " folded\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "\tfolded\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "A(: b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n", 400 },
    /* What may stand once. */
    { "GET / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: a\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    /* Framing. */
    { "GET / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 400 },
    { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" H "Expect: x\r\n\r\n", 417 },
};

static int read_text(const char *text, size_t len, struct cg_http_head *head)
{
    const char *why = NULL;
    /* A copy of exactly this size: reading beyond it is found. */
    char *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, text, len);
    int n = cg_http_head_read((struct cogent_str){ copy, len }, head, &why);
    if (n < 0 && !why)
        fail_msg("no reason: %s", text);
    free(copy);
    return n;
}

/* The sentence says which header, and what is wrong with it. */
static void refusals_say_which(void **state)
{
    static const struct {
        const char *headers, *says;
    } told[] = {
        { "Host: a\r\nhost: b\r\n", "The header Host stands twice." },
        { "Host: a\r\nAUTHORIZATION: a\r\nauthorization: a\r\n", "The header Authorization stands twice." },
        { "Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n",
          "The header Content-Length stands twice." },
        { "Host: a\r\nContent-Length: 12345678901234567890123\r\n",
          "Content-Length has more than 18 digits: no body is as large." },
        { "Host: a\r\nContent-Length: 1234567890123456789012x\r\n", "Content-Length is not a number." },
        { "Host: a\r\nContent-Length:\r\n", "Content-Length is empty." },
    };
    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        char text[200];
        const char *why = NULL;
        struct cg_http_head head;
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", told[i].headers);
        assert_int_equal(cg_http_head_read(cogent_str(text), &head, &why), -400);
        assert_string_equal(why, told[i].says);
    }
}

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_http_head head;
        size_t len = strlen(rows[i].text);
        int n = read_text(rows[i].text, len, &head);
        int want = rows[i].status == 0 ? (int)len : rows[i].status == 1 ? 0 : -rows[i].status;
        if (n != want)
            fail_msg("%s: %d, wanted %d", rows[i].text, n, want);
        /* No beginning of a good head is refused, none is taken for a whole one. */
        for (size_t k = 0; rows[i].status == 0 && k < len; k++)
            assert_int_equal(read_text(rows[i].text, k, &head), 0);
    }
}

static void nul_is_refused_everywhere(void **state)
{
    (void)state;
    static const char good[] = "GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    char text[sizeof good];
    for (size_t i = 0; i < sizeof good - 1; i++) {
        struct cg_http_head head;
        memcpy(text, good, sizeof good);
        text[i] = '\0';
        assert_true(read_text(text, sizeof good - 1, &head) < 0);
    }
}

static void parts(void **state)
{
    (void)state;
    struct cg_http_head head;
    const char *why;
    struct cogent_str text =
        cogent_str("POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-One:  two  \r\nContent-Length: 17\r\n"
                   "Connection: Keep-Alive\r\n\r\nbody");
    assert_int_equal(cg_http_head_read(text, &head, &why), (int)text.len - 4);
    assert_true(cg_str_eq(head.method, "POST"));
    assert_true(cg_str_eq(head.path, "/a%20b"));
    assert_true(cg_str_eq(head.query, "c=d"));
    assert_true(cg_str_eq(cg_http_header_find(&head, "x-one"), "two"));
    assert_null(cg_http_header_find(&head, "x-two").ptr);
    assert_int_equal(head.length, 17);
    assert_true(head.keep_alive && !head.chunked && !head.expect);
    static const struct {
        const char *lines;
        bool keep;
    } ends[] = {
        { "HTTP/1.1\r\n" H, true },
        { "HTTP/1.1\r\n" H "Connection: close\r\n", false },
        { "HTTP/1.1\r\n" H "Connection: TE , Close\r\n", false },
        { "HTTP/1.1\r\n" H "Connection: te\r\nConnection: close\r\n", false },
        { "HTTP/1.1\r\n" H "Connection: closed\r\n", true },
        { "HTTP/1.1\r\n" H "Connection: ,,\r\n", true },
        { "HTTP/1.0\r\n", false },
        { "HTTP/1.0\r\nConnection: keep-alive\r\n", true },
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char all[200];
        snprintf(all, sizeof all, "GET / %s\r\n", ends[i].lines);
        assert_true(read_text(all, strlen(all), &head) > 0);
        if (head.keep_alive != ends[i].keep)
            fail_msg("%s", ends[i].lines);
    }
}

static int long_head(size_t target, size_t headers, size_t value, bool end)
{
    struct cg_http_head head;
    cg_auto_buf text = { 0 };
    cg_buf_text(&text, "GET /");
    for (size_t i = 0; i < target; i++)
        cg_buf_char(&text, 'a');
    cg_buf_text(&text, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < headers; i++) {
        cg_buf_printf(&text, "H%zu: ", i);
        for (size_t k = 0; k < value; k++)
            cg_buf_char(&text, 'v');
        cg_buf_text(&text, "\r\n");
    }
    cg_buf_text(&text, end ? "\r\n" : "");
    return read_text(text.ptr, text.len, &head);
}

static void sizes(void **state)
{
    (void)state;
    assert_true(long_head(8000, 0, 0, true) > 0);
    assert_int_equal(long_head(9000, 0, 0, true), -414);
    assert_true(long_head(0, 63, 10, true) > 0);
    assert_int_equal(long_head(0, 64, 10, true), -431);
    assert_int_equal(long_head(0, 1, 9000, true), -431);
    assert_true(long_head(0, 3, 8000, true) > 0);
    assert_int_equal(long_head(0, 5, 8000, false), -431);
    assert_int_equal(long_head(0, 5, 8000, true), -431);
}

static const struct {
    const char *text, *data; /* NULL: refused */
    size_t left;             /* bytes behind the body */
} bodies[] = {
    { "0\r\n\r\n", "", 0 },
    { "3\r\nabc\r\n0\r\n\r\n", "abc", 0 },
    { "A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\nGET", "0123456789x", 3 },
    { "003;a=\"b\"\r\nabc\r\n0\r\nT: 1\r\nU: 2\r\n\r\n", "abc", 0 },
    { "0x3\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { "+3\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { " 3\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { "-0\r\n\r\n", NULL, 0 },
    { "3 zz\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { "\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { ";x\r\n\r\n", NULL, 0 },
    { "3\nabc\r\n0\r\n\r\n", NULL, 0 },
    { "3\r\nabcd\r\n0\r\n\r\n", NULL, 0 },
    { "3\r\nabc\n0\r\n\r\n", NULL, 0 },
    { "3\r\nabc\r\r0\r\n\r\n", NULL, 0 },
    { "0\r\n folded\r\n\r\n", NULL, 0 },
    { "0\r\nT: \x01\r\n\r\n", NULL, 0 },
    { "0\r\n\rx", NULL, 0 },
    { "3;\x01\r\nabc\r\n0\r\n\r\n", NULL, 0 },
    { "ffffffffffffffff1\r\n", NULL, 0 },
    { "zz\r\n", NULL, 0 },
};

static void chunked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        for (size_t step = 1; step <= strlen(bodies[i].text); step++) {
            struct cg_chunked c = { 0 };
            cg_auto_buf out = { 0 };
            cg_buf_add(&out, "", 0);
            bool done = false, refused = false;
            size_t at = 0, len = strlen(bodies[i].text);
            while (at < len && !done && !refused) {
                size_t n = len - at < step ? len - at : step;
                int64_t used =
                    cg_chunked_read(&c, (struct cogent_str){ bodies[i].text + at, n }, &out, 100, &done);
                refused = used < 0;
                at += refused ? 0 : (size_t)used;
            }
            if (refused == (bodies[i].data != NULL) || (!refused && (!done || len - at != bodies[i].left)))
                fail_msg("%s by %zu: refused %d, done %d, at %zu", bodies[i].text, step, refused, done, at);
            if (!refused)
                assert_string_equal(out.ptr, bodies[i].data);
        }
    }
    struct cg_chunked c = { 0 };
    cg_auto_buf out = { 0 };
    bool done;
    assert_int_equal(cg_chunked_read(&c, cogent_str("3\r\nabc"), &out, 2, &done), -413);
    /* Extensions and trailers have an end. */
    static const char *const begins[] = { "1;", "0\r\nT:" };
    for (size_t i = 0; i < 2; i++) {
        int64_t rc = 0;
        c = (struct cg_chunked){ 0 };
        cg_chunked_read(&c, cogent_str(begins[i]), &out, 2, &done);
        for (int k = 0; k < 10000 && rc >= 0; k++)
            rc = cg_chunked_read(&c, cogent_str("x"), &out, 2, &done);
        assert_int_equal(rc, -400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(refusals_say_which),
        cmocka_unit_test(nul_is_refused_everywhere),
        cmocka_unit_test(parts),
        cmocka_unit_test(sizes),
        cmocka_unit_test(chunked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
