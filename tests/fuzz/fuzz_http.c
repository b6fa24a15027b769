/* SPDX-License-Identifier: Apache-2.0
 * A request: its head, and its body where that is chunked. In pieces it reads as in one. */
#include "fuzz.h"

#include "engine/io/http_chunked.h"
#include "engine/io/http_head.h"

enum { BODY_MAX = 4096 };

/* A reader that waits for more asks again with what it has by then. */
static void read_in_pieces(struct cogent_str all, int whole, const char *words)
{
    uint64_t chance = 0;
    const char *why = NULL;
    struct cg_http_head head;
    for (size_t have = 0; have < all.len;) {
        have += fuzz_piece(&chance, all.len - have);
        int rc = cg_http_head_read((struct cogent_str){ all.ptr, have }, &head, &why);
        if (rc < 0)
            FUZZ_REQUIRE(rc == whole && strcmp(why, words) == 0);
        if (rc > 0)
            FUZZ_REQUIRE(rc == whole);
        if (whole > 0)
            FUZZ_REQUIRE((rc > 0) == (have >= (size_t)whole));
        if (rc)
            return;
    }
}

static void print(const struct cg_http_head *head, struct cg_buf *out)
{
    cg_buf_str(out, head->method);
    cg_buf_char(out, ' ');
    cg_buf_str(out, head->path);
    if (head->query.len)
        cg_buf_char(out, '?');
    cg_buf_str(out, head->query);
    cg_buf_printf(out, " HTTP/1.%d\r\n", head->minor);
    for (size_t i = 0; i < head->n_headers; i++) {
        cg_buf_str(out, cg_http_header(head, i).name);
        cg_buf_text(out, ":");
        cg_buf_str(out, cg_http_header(head, i).value);
        cg_buf_text(out, "\r\n");
    }
    cg_buf_text(out, "\r\n");
}

/* What was understood, written down in the plain form, is understood alike. */
static void read_again(const struct cg_http_head *head)
{
    cg_auto_buf text = { 0 };
    struct cg_http_head again;
    const char *why = NULL;
    print(head, &text);
    int rc = cg_http_head_read(cg_buf_view(&text), &again, &why);
    FUZZ_REQUIRE(rc == (int)text.len);
    FUZZ_REQUIRE(cg_str_same(head->method, again.method) && cg_str_same(head->path, again.path));
    FUZZ_REQUIRE(cg_str_same(head->query, again.query) && head->minor == again.minor);
    FUZZ_REQUIRE(head->length == again.length && head->chunked == again.chunked);
    FUZZ_REQUIRE(head->keep_alive == again.keep_alive && head->expect == again.expect);
    FUZZ_REQUIRE(head->n_headers == again.n_headers);
    for (size_t i = 0; i < head->n_headers; i++)
        FUZZ_REQUIRE(cg_str_same(cg_http_header(head, i).name, cg_http_header(&again, i).name) &&
                     cg_str_same(cg_http_header(head, i).value, cg_http_header(&again, i).value));
}

static void check(const struct cg_http_head *head)
{
    bool all_of_it = cg_str_eq(head->path, "*") && cg_str_eq(head->method, "OPTIONS");
    FUZZ_REQUIRE(all_of_it || (head->path.len && head->path.ptr[0] == '/'));
    FUZZ_REQUIRE(head->minor == 0 || cg_http_header_find(head, "host").ptr);
    FUZZ_REQUIRE(!(head->chunked && head->length >= 0));
    FUZZ_REQUIRE(head->length >= -1);
    for (size_t i = 0; i < head->n_headers; i++) {
        struct cogent_str v = cg_http_header(head, i).value;
        FUZZ_REQUIRE(cg_http_header(head, i).name.len);
        for (size_t k = 0; k < v.len; k++)
            FUZZ_REQUIRE((unsigned char)v.ptr[k] >= 0x20 || v.ptr[k] == '\t');
    }
}

/* The end: bytes used when the body is complete, 0 when more is wanted, else the refusal. */
static int64_t read_body(struct cogent_str bytes, bool pieces, struct cg_buf *out)
{
    struct cg_chunked c = { 0 };
    uint64_t chance = 0;
    bool done = false;
    for (size_t at = 0; at < bytes.len;) {
        size_t n = pieces ? fuzz_piece(&chance, bytes.len - at) : bytes.len;
        int64_t used = cg_chunked_read(&c, (struct cogent_str){ bytes.ptr + at, n }, out, BODY_MAX, &done);
        if (used < 0)
            return used;
        FUZZ_REQUIRE((size_t)used <= n && (done || (size_t)used == n));
        at += (size_t)used;
        if (done)
            return (int64_t)at;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cogent_str all = fuzz_text(data, size);
    struct cg_http_head head;
    const char *why = NULL;
    int rc = cg_http_head_read(all, &head, &why);
    FUZZ_REQUIRE(rc <= (int)size && (rc >= 0 || (why && *why)));
    read_in_pieces(all, rc, why);
    if (rc <= 0)
        return 0;
    check(&head);
    read_again(&head);
    if (!head.chunked)
        return 0;
    cg_auto_buf one = { 0 };
    cg_auto_buf many = { 0 };
    struct cogent_str body = { all.ptr + rc, all.len - (size_t)rc };
    int64_t a = read_body(body, false, &one), b = read_body(body, true, &many);
    FUZZ_REQUIRE(a == b && one.len <= BODY_MAX);
    if (a > 0)
        FUZZ_REQUIRE(cg_str_same(cg_buf_view(&one), cg_buf_view(&many)));
    return 0;
}
