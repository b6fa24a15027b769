/* SPDX-License-Identifier: Apache-2.0
 * The lines of an import: in pieces they are the lines of the whole. */
#include "fuzz.h"

#include "engine/base/lines.h"

enum { LINE_MAX_BYTES = 64 };

static void tell(struct cg_buf *out, int rc, struct cogent_str line)
{
    FUZZ_REQUIRE(rc == 1 || rc == COGENT_LIMIT);
    if (rc != 1) {
        cg_buf_text(out, "long;");
        return;
    }
    FUZZ_REQUIRE(line.len <= LINE_MAX_BYTES && (!line.len || !memchr(line.ptr, '\n', line.len)));
    cg_buf_printf(out, "%zu:", line.len);
    cg_buf_str(out, line);
}

static size_t read_lines(struct cogent_str all, bool pieces, struct cg_buf *out)
{
    struct cg_lines lines = { .max = LINE_MAX_BYTES };
    struct cogent_str line = { 0 };
    uint64_t chance = 0;
    int rc;
    while (all.len) {
        size_t n = pieces ? fuzz_piece(&chance, all.len) : all.len;
        struct cogent_str in = { all.ptr, n };
        while ((rc = cg_lines_next(&lines, &in, &line)) != 0)
            tell(out, rc, line);
        all.ptr += n;
        all.len -= n;
    }
    if ((rc = cg_lines_last(&lines, &line)) != 0)
        tell(out, rc, line);
    size_t number = lines.number;
    cg_lines_finish(&lines);
    return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cg_auto_buf one = { 0 };
    cg_auto_buf many = { 0 };
    size_t a = read_lines(fuzz_text(data, size), false, &one);
    size_t b = read_lines(fuzz_text(data, size), true, &many);
    FUZZ_REQUIRE(a == b && cg_str_same(cg_buf_view(&one), cg_buf_view(&many)));
    return 0;
}
