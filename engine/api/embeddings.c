/* SPDX-License-Identifier: Apache-2.0
 * POST /v1/embeddings: vectors of texts, in OpenAI's form. `model` is a chain of the configuration; it has one link, as
 * vectors of two models do not compare. */
#include "request.h"

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"

#include <stdlib.h>

enum { INPUTS_MAX = 2048, DIMENSIONS_MAX = 65536 };

struct embedding {
    struct cg_request *r;
    struct cogent_str *inputs;
    size_t n, bytes;
    float *values; /* n * width */
    size_t width;
    uint32_t dimensions; /* wanted; 0: the model's own */
    bool base64, failed;
    const char *link, *provider;
    int64_t began_us;
};

static void embedding_free(struct embedding *e)
{
    free(e->inputs);
    free(e->values);
    free(e);
}

static void on_gone(struct cg_request *r)
{
    cg_op_cancel(r->env->loop, r->op, COGENT_CANCELLED); /* nothing calls back any more */
    embedding_free(r->data);
}

/* The answer. */

/* float32, little-endian, whatever this machine's order is. */
static void add_base64(struct cg_buf *out, struct cg_buf *bytes, const float *values, size_t n)
{
    cg_buf_clear(bytes);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        const unsigned char le[] = { (unsigned char)bits, (unsigned char)(bits >> 8),
                                     (unsigned char)(bits >> 16), (unsigned char)(bits >> 24) };
        cg_buf_add(bytes, le, sizeof le);
    }
    cg_buf_char(out, '"');
    cg_base64_encode(cg_buf_view(bytes).ptr, cg_buf_view(bytes).len, out);
    cg_buf_char(out, '"');
}

/* Nine digits read back as the same float32. */
static void add_numbers(struct cg_buf *out, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cg_buf_printf(out, "%c%.9g", i ? ',' : '[', (double)values[i]);
    cg_buf_char(out, ']');
}

/* Written at once: a tree of a million numbers would cost more than they do. */
static void answer(struct embedding *e, int64_t tokens)
{
    cg_auto_buf out = { 0 }, bytes = { 0 };
    const char *model = cg_json_str(e->r->body, "model", "");
    cg_buf_text(&out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < e->n; i++) {
        cg_buf_printf(&out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "", i);
        if (e->base64)
            add_base64(&out, &bytes, e->values + i * e->width, e->width);
        else
            add_numbers(&out, e->values + i * e->width, e->width);
        cg_buf_char(&out, '}');
    }
    cg_buf_text(&out, "],\"model\":");
    cg_buf_json(&out, cogent_str(model));
    cg_buf_printf(&out, ",\"usage\":{\"prompt_tokens\":%lld,\"total_tokens\":%lld}}\n", (long long)tokens,
                  (long long)tokens);
    if (out.failed || bytes.failed)
        cg_answer_error(e->r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
    else
        cg_answer_text(e->r, 200, cg_buf_view(&out));
}

static void on_vector(void *arg, size_t index, const float *values, size_t n)
{
    struct embedding *e = arg;
    if (!e->values) {
        e->width = n;
        e->values = calloc(e->n * n, sizeof *e->values);
    }
    e->failed = e->failed || !e->values;
    if (!e->failed)
        memcpy(e->values + index * n, values, n * sizeof *values);
}

static void measure(const struct embedding *e, const char *outcome)
{
    struct cg_metrics *m = e->r->env->run->metrics;
    int64_t us = cg_mono_us() - e->began_us;
    cg_metric_add(m, CG_M_LLM_REQUESTS, 1, e->provider, e->link, outcome);
    cg_metric_time(m, CG_M_LLM_LATENCY, us, e->provider, e->link);
    cg_log(CG_INFO, "provider.embed", CG_S("request", cg_exchange_id(e->r->x)), CG_S("model", e->link),
           CG_S("outcome", outcome), CG_I("ms", us / 1000));
}

static void on_done(void *arg, int err, int64_t tokens, uint32_t retry_ms, const char *why)
{
    struct embedding *e = arg;
    struct cg_request *r = e->r;
    (void)retry_ms;
    r->gone = NULL;
    measure(e, err == 0 ? "ok" : cogent_err_name(err));
    /* A provider's own refusal of our key or wish is not the caller's error. */
    int shown = err == COGENT_LIMIT                                  ? COGENT_UNAVAILABLE
                : err == COGENT_TIMEOUT || err == COGENT_UNAVAILABLE ? err
                                                                     : COGENT_UPSTREAM;
    if (err < 0)
        cg_answer_error(r, shown, "provider_failed", "The model gave no vectors: %s.",
                        why && *why ? why : cogent_err_name(err));
    else if (e->failed)
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
    else if (e->dimensions && e->width != e->dimensions)
        cg_answer_error(r, COGENT_UPSTREAM, "provider_failed",
                        "The model gave vectors of %zu dimensions where %u were wanted.", e->width,
                        e->dimensions);
    else
        answer(e, tokens ? tokens : (int64_t)(e->bytes + 3) / 4);
    embedding_free(e);
}

/* The request. */

static bool take_text(struct embedding *e, const json_t *text)
{
    if (!json_is_string(text) || json_string_length(text) == 0)
        return false;
    e->inputs[e->n++] = (struct cogent_str){ json_string_value(text), json_string_length(text) };
    e->bytes += json_string_length(text);
    return true;
}

/* NULL, or what is wrong. */
static const char *take_input(struct embedding *e, const json_t *input)
{
    size_t i, n = json_is_array(input) ? json_array_size(input) : 1;
    json_t *text;
    if (n < 1 || n > INPUTS_MAX)
        return "input must be a text, or a list of 1 to 2048 of them.";
    if (json_is_array(input) && !json_is_string(json_array_get(input, 0)))
        return "input must be text: numbers of one tokenizer's words (token ids) mean nothing to another model.";
    e->inputs = calloc(n, sizeof *e->inputs);
    if (!e->inputs)
        return "Out of memory; try again.";
    if (!json_is_array(input))
        return take_text(e, input) ? NULL : "input must be a text that is not empty, or a list of them.";
    json_array_foreach (input, i, text) {
        if (!take_text(e, text))
            return "input must be texts that are not empty.";
    }
    return NULL;
}

static const char *take_wishes(struct embedding *e, const json_t *body, const json_t *chain)
{
    const json_t *dimensions = json_object_get(body, "dimensions");
    const json_t *format = json_object_get(body, "encoding_format");
    if (!dimensions || json_is_null(dimensions))
        dimensions = json_object_get(chain, "dimensions");
    if (dimensions && (!json_is_integer(dimensions) || json_integer_value(dimensions) < 1 ||
                       json_integer_value(dimensions) > DIMENSIONS_MAX))
        return "dimensions must be a number from 1 to 65536.";
    e->dimensions = (uint32_t)json_integer_value(dimensions);
    e->base64 = json_is_string(format) && strcmp(json_string_value(format), "base64") == 0;
    if (format && !json_is_null(format) && !e->base64 &&
        (!json_is_string(format) || strcmp(json_string_value(format), "float") != 0))
        return "encoding_format must be float or base64.";
    return take_input(e, json_object_get(body, "input"));
}

static void unknown_model(struct cg_request *r)
{
    const char *name;
    json_t *unused;
    cg_auto_buf names = { 0 };
    json_object_foreach ((json_t *)r->env->embeddings, name, unused)
        cg_buf_printf(&names, "%s%s", names.len ? ", " : "", name);
    if (names.len)
        cg_answer_error(r, COGENT_NOT_FOUND, "model_not_found", "model must be one that makes vectors: %s.",
                        names.ptr);
    else
        cg_answer_error(
            r, COGENT_NOT_FOUND, "model_not_found",
            "No model of this server makes vectors (models = { embed = { \"provider/model\" } }).");
}

static void start(struct embedding *e)
{
    static const struct cg_embed_events events = { on_vector, on_done };
    char name[64];
    struct cg_request *r = e->r;
    size_t n = strcspn(e->link, "/");
    cg_str_copy(name, sizeof name, (struct cogent_str){ e->link, n });
    const struct cg_provider *provider = cg_provider_find(r->env->run->plugins, name);
    const struct cogent_embed request = { .model = e->link[n] ? e->link + n + 1 : "",
                                          .inputs = e->inputs,
                                          .n_inputs = e->n,
                                          .dimensions = e->dimensions };
    r->data = e;
    r->gone = on_gone;
    e->provider = provider->name;
    e->began_us = cg_mono_us();
    if (cogent_op_none(cg_invoke_embed(&r->env->run->invoke, r->op, provider, &request, &events, e)))
        on_done(e, COGENT_NO_MEMORY, 0, 0, "out of memory");
}

void cg_route_embeddings(struct cg_request *r)
{
    const json_t *chain = json_object_get(r->env->embeddings, cg_json_str(r->body, "model", ""));
    if (!chain) {
        unknown_model(r);
        return;
    }
    struct embedding *e = calloc(1, sizeof *e);
    const char *why = e ? take_wishes(e, r->body, chain) : "Out of memory; try again.";
    if (why) {
        if (e)
            embedding_free(e);
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "%s", why);
        return;
    }
    e->r = r;
    e->link = cg_json_str(chain, "link", "");
    start(e);
}
