/* SPDX-License-Identifier: Apache-2.0
 * A provider whose turns have no end when the model cannot be reached. */
#include <cogent/provider.h>

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    (void)name;
    cogent_chat_text(arg, data);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    if (!result->err)
        cogent_chat_done(arg, COGENT_FINISH_STOP);
}

static int open_it(const struct cogent_host *host, const void *options, void **self, char *error, size_t size)
{
    (void)host, (void)options, (void)self, (void)error, (void)size;
    return 0;
}

static void close_it(void *self)
{
    (void)self;
}

static int chat(void *self, struct cogent_chat *chat)
{
    static const struct cogent_http_events events = { sizeof events, on_event, on_done };
    static const struct cogent_http_request request = { .size = sizeof request,
                                                        .label = "model",
                                                        .method = "POST",
                                                        .url = "http://127.0.0.1:1/",
                                                        .flags = COGENT_HTTP_SSE };
    (void)self;
    chat->host->http->send(chat->op, &request, &events, chat);
    return 0;
}

static const struct cogent_provider provider = {
    .size = sizeof provider, .name = "endless_turn", .open = open_it, .close = close_it, .chat = chat
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_provider *const providers[] = { &provider, NULL };
    static const struct cogent_plugin plugin = { .size = sizeof plugin,
                                                 .abi = COGENT_ABI,
                                                 .name = "endless_turn",
                                                 .version = "1",
                                                 .license = "Apache-2.0",
                                                 .providers = providers };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
