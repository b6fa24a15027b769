/* SPDX-License-Identifier: Apache-2.0
 * A provider that hands over each piece of a call as if it were one. */
#include <cogent/provider.h>

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    const char *args = memchr(data.ptr, '}', data.len);
    (void)name;
    if (args)
        cogent_chat_call(arg, cogent_str("call_1"), cogent_str("kit_tool"), cogent_str(args), cogent_str(""));
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    if (result->err)
        cogent_chat_fail(arg, result->err, 0, "the model cannot be reached");
    else
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
    .size = sizeof provider, .name = "half_call", .open = open_it, .close = close_it, .chat = chat
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_provider *const providers[] = { &provider, NULL };
    static const struct cogent_plugin plugin = { .size = sizeof plugin,
                                                 .abi = COGENT_ABI,
                                                 .name = "half_call",
                                                 .version = "1",
                                                 .license = "Apache-2.0",
                                                 .providers = providers };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
