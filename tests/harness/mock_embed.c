/* SPDX-License-Identifier: Apache-2.0
 * README.md in this folder says which model behaves how.
 */
#include "mock_embed.h"

#include "mock_request.h"

#include <event2/buffer.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS_MAX = 2048, DIMENSIONS = 16, DIMENSIONS_MAX = 4096 };

static void fill(float *out, size_t n, const char *text)
{
    uint64_t x = 0xcbf29ce484222325u;
    double sum = 0;
    for (; *text; text++)
        x = (x ^ (unsigned char)*text) * 0x100000001b3u;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (float)((double)(x >> 40) / (1 << 23) - 1);
        sum += (double)out[i] * (double)out[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((double)out[i] / sqrt(sum));
}

/* float32 of this machine, which is little-endian wherever the tests run. */
static json_t *base64(const float *values, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)values;
    size_t len = n * sizeof *values, at = 0;
    char *text = malloc(len * 4 / 3 + 8);
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? bytes[i + 2] : 0u);
        for (size_t k = 0; k < 4; k++)
            text[at++] = k <= left ? letters[v >> (18 - 6 * k) & 63] : '=';
    }
    json_t *out = json_stringn(text, at);
    free(text);
    return out;
}

static json_t *numbers(const float *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real((double)values[i]));
    return list;
}

static json_t *row(const char *text, size_t index, size_t n, int packed)
{
    float values[DIMENSIONS_MAX];
    fill(values, n, text);
    return json_pack("{s:s, s:I, s:o}", "object", "embedding", "index", (json_int_t)index, "embedding",
                     packed ? base64(values, n) : numbers(values, n));
}

static const char *check(json_t *body, json_t *inputs)
{
    size_t i;
    json_t *input;
    json_t *n = json_object_get(body, "dimensions");
    if (json_array_size(inputs) < 1 || json_array_size(inputs) > INPUTS_MAX)
        return "'$.input' is invalid.";
    json_array_foreach (inputs, i, input) {
        if (!json_is_string(input) || json_string_length(input) == 0)
            return "'$.input' is invalid.";
    }
    if (n && (!json_is_integer(n) || json_integer_value(n) < 1 || json_integer_value(n) > DIMENSIONS_MAX))
        return "Invalid 'dimensions'.";
    return NULL;
}

static void answer(struct evhttp_request *req, json_t *body, json_t *inputs, const char *model)
{
    const char *format = json_string_value(json_object_get(body, "encoding_format"));
    int packed = format && strcmp(format, "base64") == 0 && strcmp(model, "embed-numbers") != 0;
    json_t *data = json_array(), *input;
    size_t n = (size_t)json_integer_value(json_object_get(body, "dimensions")), i, bytes = 0;
    if (!n || strcmp(model, "embed-stubborn") == 0)
        n = DIMENSIONS;
    json_array_foreach (inputs, i, input) {
        json_t *one = row(json_string_value(input), i, n, packed);
        bytes += json_string_length(input);
        if (strcmp(model, "embed-shuffled") == 0)
            json_array_insert_new(data, 0, one);
        else
            json_array_append_new(data, one);
    }
    json_int_t tokens = (json_int_t)(bytes / 4 + 1);
    mock_reply_json(req, 200,
                    json_pack("{s:s, s:o, s:s, s:{s:I, s:I}}", "object", "list", "data", data, "model", model,
                              "usage", "prompt_tokens", tokens, "total_tokens", tokens));
}

void mock_embed(struct evhttp_request *req, json_t *body)
{
    static const char *const models[] = { "embed", "embed-numbers", "embed-shuffled", "embed-stubborn" };
    const char *model = json_string_value(json_object_get(body, "model"));
    json_t *input = json_object_get(body, "input");
    json_t *inputs =
        json_is_array(input) ? json_incref(input) : json_pack("[O]", input ? input : json_null());
    const char *why = check(body, inputs);
    size_t known = 0;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        known += model && strcmp(model, models[i]) == 0;
    if (model && strcmp(model, "embed-busy") == 0)
        mock_reply_error(req, 429, "requests", "rate_limit_exceeded", "Rate limit reached.");
    else if (!known)
        mock_reply_error(req, 404, "invalid_request_error", "model_not_found", "The model does not exist.");
    else if (why)
        mock_reply_error(req, 400, "invalid_request_error", NULL, why);
    else
        answer(req, body, inputs, model);
    json_decref(inputs);
}
