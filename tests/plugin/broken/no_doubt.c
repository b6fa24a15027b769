/* SPDX-License-Identifier: Apache-2.0
 * It says that a write failed, which was sent and not answered. */
#include "broken.h"

static void on_answer(void *arg, const struct cogent_http_result *result)
{
    struct cogent_call *call = arg;
    if (result->err)
        cogent_fail(call, COGENT_UNAVAILABLE, "the service cannot be reached");
    else
        cogent_done(call, "{}");
}

static int run(struct cogent_call *call)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_answer };
    static const struct cogent_http_request request = { .size = sizeof request,
                                                        .label = "kit",
                                                        .method = "POST",
                                                        .url = "http://127.0.0.1:1/",
                                                        .flags = COGENT_HTTP_ONCE };
    call->host->http->send(call->op, &request, &events, call);
    return 0;
}

BROKEN("no_doubt", .effect = COGENT_WRITE, .once = COGENT_ONCE_NEVER, .ask = "Do it")
