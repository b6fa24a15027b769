/* SPDX-License-Identifier: Apache-2.0
 * Server-sent events: in pieces they read as in one, and what is written is read back. */
#include "fuzz.h"

#include "engine/base/err.h"
#include "engine/io/sse.h"

enum { EVENT_MAX = 2048 };

static void add(struct cg_buf *out, struct cogent_str s)
{
    cg_buf_printf(out, "%zu:", s.len);
    cg_buf_str(out, s);
}

static void on_event(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id)
{
    struct cg_buf *out = arg;
    FUZZ_REQUIRE(data.len <= EVENT_MAX);
    add(out, event);
    add(out, data);
    add(out, id);
}

static int feed(struct cogent_str bytes, bool pieces, struct cg_buf *out)
{
    struct cg_sse sse;
    uint64_t chance = 0;
    int rc = 0;
    cg_sse_init(&sse, EVENT_MAX, on_event, out);
    for (size_t at = 0; at < bytes.len && rc == 0;) {
        size_t n = pieces ? fuzz_piece(&chance, bytes.len - at) : bytes.len;
        rc = cg_sse_feed(&sse, (struct cogent_str){ bytes.ptr + at, n });
        at += n;
    }
    cg_sse_finish(&sse);
    return rc;
}

/* One event whose data is the first line of the input. */
static void write_and_read(struct cogent_str line)
{
    cg_auto_buf frame = { 0 };
    cg_auto_buf got = { 0 };
    cg_auto_buf wanted = { 0 };
    struct cogent_str id = cogent_str("run_1-2.3");
    size_t n = 0;
    while (n < line.len && n < EVENT_MAX / 2 && line.ptr[n] != '\r' && line.ptr[n] != '\n')
        n++;
    line.len = n;
    cg_sse_frame(&frame, id, "message", line);
    FUZZ_REQUIRE(feed(cg_buf_view(&frame), false, &got) == 0);
    add(&wanted, cogent_str("message"));
    add(&wanted, line);
    add(&wanted, id);
    FUZZ_REQUIRE(cg_str_same(cg_buf_view(&got), cg_buf_view(&wanted)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cogent_str all = fuzz_text(data, size);
    cg_auto_buf one = { 0 };
    cg_auto_buf many = { 0 };
    int a = feed(all, false, &one), b = feed(all, true, &many);
    FUZZ_REQUIRE(a == b && (a == 0 || a == COGENT_LIMIT));
    FUZZ_REQUIRE(cg_str_same(cg_buf_view(&one), cg_buf_view(&many)));
    write_and_read(all);
    return 0;
}
