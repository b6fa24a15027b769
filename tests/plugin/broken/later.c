/* SPDX-License-Identifier: Apache-2.0
 * It answers later, over two transfers and a timer, and frees what it held: not broken at all. */
#include "broken.h"

#include <stdlib.h>

struct work {
    struct cogent_call *call;
    int left;
    char *text;
};

static void ask(void *arg);

static void drop(void *data)
{
    struct work *work = data;
    free(work->text);
    free(work);
}

static void on_answer(void *arg, const struct cogent_http_result *result)
{
    struct work *work = arg;
    struct cogent_call *call = work->call;
    if (result->err)
        cogent_fail(call, result->err, "the service cannot be reached");
    else if (--work->left)
        call->host->timer->after(call->op, "pause", 2, ask, work);
    else
        cogent_done(call, "{\"asked\":2}");
}

static void ask(void *arg)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_answer };
    static const struct cogent_http_request request = { .size = sizeof request,
                                                        .label = "service",
                                                        .method = "GET",
                                                        .url = "http://127.0.0.1:1/",
                                                        .total_ms = 1000 };
    struct work *work = arg;
    work->call->host->http->send(work->call->op, &request, &events, work);
}

static int run(struct cogent_call *call)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return COGENT_NO_MEMORY;
    work->call = call;
    work->left = 2;
    work->text = malloc(100);
    call->data = work;
    call->release = drop;
    ask(work);
    return 0;
}

BROKEN("later", .timeout_ms = 2000)
