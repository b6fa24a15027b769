/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/lines.h"

#include <stdio.h>
#include <string.h>

/* What comes out, as one text: "number:line|", "number:!|" for one that is too long. */
static void cut(struct cogent_str text, size_t piece, size_t max, char *out, size_t size)
{
    struct cg_lines lines = { .max = max };
    struct cogent_str line;
    size_t n = 0;
    int rc = 0;
    out[0] = '\0';
    for (size_t at = 0; at <= text.len; at += piece) {
        struct cogent_str in = { text.ptr + at, text.len - at < piece ? text.len - at : piece };
        while ((rc = cg_lines_next(&lines, &in, &line)))
            n += (size_t)snprintf(out + n, size - n, "%zu:%.*s|", lines.number, rc > 0 ? (int)line.len : 1,
                                  rc > 0 ? line.ptr : "!");
        assert_int_equal(in.len, 0);
    }
    rc = cg_lines_last(&lines, &line);
    if (rc)
        snprintf(out + n, size - n, "%zu:%.*s|", lines.number, rc > 0 ? (int)line.len : 1,
                 rc > 0 ? line.ptr : "!");
    cg_lines_finish(&lines);
}

static void every_cut_gives_the_same(void **state)
{
    static const struct {
        const char *text, *out;
    } rows[] = { { "", "" },
                 { "\n", "1:|" },
                 { "a", "1:a|" },
                 { "a\nbb\n", "1:a|2:bb|" },
                 { "a\n\nccc", "1:a|2:|3:ccc|" },
                 { "eightbyt\nninebytes\nx\n", "1:eightbyt|2:!|3:x|" },
                 { "ninebytes", "1:!|" },
                 { "x\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbbbbbbbbbb\nz",
                   "1:x|2:!|3:!|4:z|" } };
    char out[200];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cogent_str text = cogent_str(rows[i].text);
        for (size_t piece = 1; piece <= text.len + 1; piece++) {
            cut(text, piece, 8, out, sizeof out);
            if (strcmp(out, rows[i].out) != 0)
                fail_msg("%s in pieces of %zu: %s", rows[i].text, piece, out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_cut_gives_the_same) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
