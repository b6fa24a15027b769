/* SPDX-License-Identifier: Apache-2.0
 * It crashes in the callback of a transfer. */
#include "broken.h"

static void on_answer(void *arg, const struct cogent_http_result *result)
{
    struct cogent_call *call = arg;
    cogent_fail(call, result->err + *(volatile int *)(uintptr_t)8, "no");
}

static int run(struct cogent_call *call)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_answer };
    static const struct cogent_http_request request = { .size = sizeof request,
                                                        .label = "kit",
                                                        .method = "GET",
                                                        .url = "http://127.0.0.1:1/",
                                                        .total_ms = 1000 };
    call->host->http->send(call->op, &request, &events, call);
    return 0;
}

BROKEN("crash_transfer", .timeout_ms = 2000)
