/* SPDX-License-Identifier: Apache-2.0
 * A gzipped body: in pieces it is what it is in one, and never more at a time than was asked for. */
#include "fuzz.h"

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/io/gunzip.h"

enum { ALL_MAX = 1 << 20 };

/* 0 when all was taken, COGENT_INVALID, or 1 when it grew beyond ALL_MAX. */
static int inflate_all(struct cogent_str all, bool pieces, struct cg_buf *out, bool *whole)
{
    struct cg_gunzip *g = cg_gunzip_create();
    uint64_t chance = 0;
    char block[512];
    int n = 0;
    FUZZ_REQUIRE(g);
    while (n >= 0 && all.len && out->len < ALL_MAX) {
        size_t piece = pieces ? fuzz_piece(&chance, all.len) : all.len, size = pieces ? 37 : sizeof block;
        struct cogent_str in = { all.ptr, piece };
        while ((n = cg_gunzip_read(g, &in, block, size)) > 0 && out->len < ALL_MAX) {
            FUZZ_REQUIRE((size_t)n <= size);
            cg_buf_add(out, block, (size_t)n);
        }
        FUZZ_REQUIRE(n != 0 || in.len == 0);
        all.ptr += piece;
        all.len -= piece;
    }
    *whole = cg_gunzip_whole(g);
    cg_gunzip_destroy(g);
    FUZZ_REQUIRE(n >= 0 || n == COGENT_INVALID);
    return n < 0 ? n : out->len >= ALL_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cg_auto_buf one = { 0 };
    cg_auto_buf many = { 0 };
    bool a_whole, b_whole;
    int a = inflate_all(fuzz_text(data, size), false, &one, &a_whole);
    int b = inflate_all(fuzz_text(data, size), true, &many, &b_whole);
    if (a == 1 || b == 1)
        return 0;
    FUZZ_REQUIRE(a == b && (a < 0 || a_whole == b_whole));
    if (a == 0)
        FUZZ_REQUIRE(cg_str_same(cg_buf_view(&one), cg_buf_view(&many)));
    return 0;
}
