/* SPDX-License-Identifier: Apache-2.0
 * Any service that speaks OpenAI's chat completions: options, open, close, and the start of a turn.
 */
#include "openai.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define AT(member) offsetof(struct openai_options, member)

static const struct cogent_option options[] = {
    { COGENT_OPT_STRING, "base", "https://api.openai.com/v1", AT(base),
      "Where the service listens; /chat/completions and /embeddings are put after it." },
    { COGENT_OPT_SECRET, "key", NULL, AT(key), "Sent as bearer token. Local servers need none." },
    { COGENT_OPT_STRING, "organization", NULL, AT(organization), "Sent as OpenAI-Organization." },
    { COGENT_OPT_STRING, "max_tokens_field", "max_completion_tokens", AT(max_tokens_field),
      "What the limit is called: max_completion_tokens, or max_tokens for older local servers." },
    { COGENT_OPT_BOOL, "include_usage", "true", AT(include_usage),
      "Ask for token counts; false for servers that refuse stream_options. Counts are then estimated." },
    { COGENT_OPT_NUMBER, "connect_timeout", "5", AT(connect_timeout),
      "Seconds until the connection stands." },
    { COGENT_OPT_NUMBER, "first_timeout", "60", AT(first_timeout),
      "Seconds until the first byte of the answer." },
    { COGENT_OPT_NUMBER, "gap_timeout", "30", AT(gap_timeout), "Seconds between two bytes of the answer." },
    { COGENT_OPT_NUMBER, "total_timeout", "300", AT(total_timeout), "Seconds for the whole answer." },
    { 0 },
};

/* Visible characters of ASCII only: what may stand in a URL or a header without harm. */
static int plain(const char *text, int spaces)
{
    for (; *text; text++)
        if ((unsigned char)*text > '~' || (unsigned char)*text < (spaces ? ' ' : '!'))
            return 0;
    return 1;
}

static const char *check_base(const char *base)
{
    const char *host = strstr(base, "://");
    if (!host || (strncasecmp(base, "http://", 7) != 0 && strncasecmp(base, "https://", 8) != 0))
        return "base: an http:// or https:// address";
    if (!plain(base, 0) || strpbrk(base, "?#\\") || !host[3] || host[3] == '/')
        return "base: an address without spaces, query or fragment";
    if (memchr(host + 3, '@', strcspn(host + 3, "/")))
        return "base: no user or password in the address; use key";
    return NULL;
}

static int timeout_valid(double seconds)
{
    return seconds >= 0 && seconds <= 86400;
}

static const char *check(const struct openai_options *o)
{
    const char *why = o->base ? check_base(o->base) : "base: missing";
    if (why)
        return why;
    if ((o->key && !plain(o->key, 0)) || (o->organization && !plain(o->organization, 0)))
        return "key, organization: visible ASCII characters only";
    if (strcmp(o->max_tokens_field, "max_completion_tokens") != 0 &&
        strcmp(o->max_tokens_field, "max_tokens") != 0)
        return "max_tokens_field: \"max_completion_tokens\" or \"max_tokens\"";
    if (!timeout_valid(o->connect_timeout) || !timeout_valid(o->first_timeout) ||
        !timeout_valid(o->gap_timeout) || !timeout_valid(o->total_timeout))
        return "timeouts: 0 to 86400 seconds";
    return NULL;
}

static void close_provider(void *arg)
{
    struct openai *self = arg;
    if (!self)
        return;
    free(self->url);
    free(self->embed_url);
    free(self->bearer);
    free(self);
}

static char *url_of(const char *base, const char *path)
{
    struct cp_buf url = { 0 };
    size_t n = strlen(base);
    while (base[n - 1] == '/')
        n--;
    cp_buf_add(&url, base, n);
    cp_buf_text(&url, path);
    return cp_buf_take(&url);
}

static int open_provider(const struct cogent_host *host, const void *arg, void **out, char *error,
                         size_t error_size)
{
    const struct openai_options *o = arg;
    const char *why = check(o);
    (void)host;
    if (why) {
        snprintf(error, error_size, "%s", why);
        return COGENT_INVALID;
    }
    struct openai *self = calloc(1, sizeof *self);
    if (!self)
        return COGENT_NO_MEMORY;
    struct cp_buf bearer = { 0 };
    self->options = o;
    self->url = url_of(o->base, "/chat/completions");
    self->embed_url = url_of(o->base, "/embeddings");
    if (o->key && *o->key) {
        cp_buf_format(&bearer, "Bearer %s", o->key);
        self->bearer = cp_buf_take(&bearer);
    }
    if (!self->url || !self->embed_url || (o->key && *o->key && !self->bearer)) {
        close_provider(self);
        return COGENT_NO_MEMORY;
    }
    *out = self;
    return 0;
}

static int chat_start(void *arg, struct cogent_chat *chat)
{
    const struct openai *self = arg;
    struct cp_buf body = { 0 };
    const char *why = NULL;
    int err = openai_request(self, chat, &body, &why);
    err = err ? cogent_chat_fail(chat, err, 0, why) : openai_stream_start(self, chat, cp_buf_peek(&body));
    cp_buf_finish(&body);
    return err;
}

static uint32_t ms(double seconds)
{
    return (uint32_t)(seconds * 1000);
}

void openai_http(const struct openai *self, const char *url, struct cogent_str body,
                 struct cogent_http_header headers[OPENAI_HEADERS], struct cogent_http_request *out)
{
    const struct openai_options *o = self->options;
    size_t n = 0;
    headers[n++] = (struct cogent_http_header){ "Content-Type", "application/json" };
    headers[n++] = (struct cogent_http_header){ "Accept", "text/event-stream, application/json" };
    if (self->bearer)
        headers[n++] = (struct cogent_http_header){ "Authorization", self->bearer };
    if (o->organization && *o->organization)
        headers[n++] = (struct cogent_http_header){ "OpenAI-Organization", o->organization };
    *out = (struct cogent_http_request){
        .size = sizeof *out,
        .label = "model",
        .method = "POST",
        .url = url,
        .headers = headers,
        .n_headers = n,
        .body = body,
        .connect_ms = ms(o->connect_timeout),
        .first_ms = ms(o->first_timeout),
        .gap_ms = ms(o->gap_timeout),
        .total_ms = ms(o->total_timeout),
    };
}

static int embed_start(void *arg, struct cogent_embed *embed)
{
    return openai_embed_start(arg, embed);
}

static const struct cogent_provider provider = {
    .size = sizeof provider,
    .name = "openai",
    .options = options,
    .options_size = sizeof(struct openai_options),
    .open = open_provider,
    .close = close_provider,
    .chat = chat_start,
    .embed = embed_start,
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_provider *const providers[] = { &provider, NULL };
    static const struct cogent_plugin plugin = {
        .size = sizeof plugin,
        .abi = COGENT_ABI,
        .name = "provider_openai",
        .version = "0.1.0",
        .license = "Apache-2.0",
        .providers = providers,
    };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
