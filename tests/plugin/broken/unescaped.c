/* SPDX-License-Identifier: Apache-2.0
 * It puts an argument into its result as it came. */
#include "broken.h"

#include <stdio.h>

static int run(struct cogent_call *call)
{
    char text[64], result[96];
    if (cogent_arg_string(call, "/text", text, sizeof text) < 0)
        return cogent_fail(call, COGENT_INVALID, "text: at most 63 bytes");
    snprintf(result, sizeof result, "{\"text\":\"%s\"}", text);
    return cogent_done(call, result);
}

BROKEN("unescaped",
       .args = "{\"properties\":{\"text\":{\"type\":\"string\",\"maxLength\":40}},\"required\":[\"text\"]}")
