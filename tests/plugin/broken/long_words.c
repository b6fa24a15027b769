/* SPDX-License-Identifier: Apache-2.0
 * It fails with more words than are kept, cut in the middle of a character. */
#include "broken.h"

static int run(struct cogent_call *call)
{
    char words[1200];
    words[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof words; i += 2)
        memcpy(words + i, "\xc3\xa4", 3);
    return cogent_fail(call, COGENT_DENIED, words);
}

BROKEN("long_words", .hidden = 0)
