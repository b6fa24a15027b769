/* SPDX-License-Identifier: Apache-2.0
 * Texts to vectors by POST /embeddings, as many at a time as the service takes. Asked for is base64, which is a third of
 * the size of digits and needs no reading of numbers; what comes may be either. Vectors are matched by their index.
 */
#include "openai.h"

#include "common/json.h"

#include <stdlib.h>

enum { BATCH = 2048, BODY_MAX = 128 * 1024 * 1024, VALUES_MAX = 65536 };

struct embedding {
    struct cogent_embed *embed;
    const struct openai *self;
    size_t from, n; /* the batch under way */
    int64_t tokens;
    float *values; /* of one vector */
    int entered;   /* inside our callback: release must wait */
    int over, released;
};

static void destroy(struct embedding *e)
{
    free(e->values);
    free(e);
}

static void release(void *data)
{
    struct embedding *e = data;
    e->over = e->released = 1;
    if (!e->entered)
        destroy(e);
}

static int fail(struct embedding *e, int err, uint32_t retry_after_ms, const char *message)
{
    if (e->over)
        return err;
    e->over = 1;
    return cogent_embed_fail(e->embed, err, retry_after_ms, message);
}

/* --- the answer --- */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* float32, little-endian. Returns how many, or 0 when it is none. */
static size_t read_base64(float *out, const char *text, size_t len)
{
    uint32_t bits = 0, word = 0;
    size_t have = 0, bytes = 0, n = 0;
    while (len && text[len - 1] == '=')
        len--;
    for (size_t i = 0; i < len; i++) {
        int value = digit(text[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        word |= (bits >> have & 0xff) << 8 * (bytes % 4);
        if (++bytes % 4)
            continue;
        if (n == VALUES_MAX)
            return 0;
        memcpy(&out[n++], &word, sizeof word);
        word = 0;
    }
    return bytes % 4 ? 0 : n;
}

static size_t read_numbers(float *out, json_t *list)
{
    size_t i;
    json_t *value;
    if (json_array_size(list) > VALUES_MAX)
        return 0;
    json_array_foreach (list, i, value) {
        if (!json_is_number(value))
            return 0;
        out[i] = (float)json_number_value(value);
    }
    return json_array_size(list);
}

static size_t read_vector(float *out, json_t *value)
{
    return json_is_string(value) ? read_base64(out, json_string_value(value), json_string_length(value))
                                 : read_numbers(out, value);
}

/* Returns NULL, or a sentence. The engine sees to it that each input gets one. */
static const char *hand_over(struct embedding *e, json_t *body)
{
    size_t i;
    json_t *row, *data = json_object_get(body, "data"), *tokens = cp_json_at(body, "/usage/prompt_tokens");
    if (json_array_size(data) != e->n)
        return "openai: the service gave another number of vectors than there were texts";
    json_array_foreach (data, i, row) {
        json_t *index = json_object_get(row, "index");
        size_t n = read_vector(e->values, json_object_get(row, "embedding"));
        json_int_t at = json_integer_value(index);
        if (!json_is_integer(index) || at < 0 || (size_t)at >= e->n || n == 0)
            return "openai: the service gave a malformed vector";
        e->over |= cogent_embed_vector(e->embed, e->from + (size_t)at, e->values, n) < 0;
        if (e->over)
            return NULL;
    }
    if (json_is_integer(tokens) && json_integer_value(tokens) > 0)
        e->tokens += json_integer_value(tokens);
    return NULL;
}

static int send_batch(struct embedding *e);

static void take(struct embedding *e, struct cogent_str text)
{
    json_t *body = cp_json_load(text);
    const char *why = body ? hand_over(e, body) : "openai: the service answered with no JSON";
    json_decref(body);
    if (why)
        fail(e, COGENT_UPSTREAM, 0, why);
    if (e->over)
        return;
    e->from += e->n;
    if (e->from < e->embed->n_inputs) {
        send_batch(e);
        return;
    }
    e->over = 1;
    cogent_embed_done(e->embed, e->tokens);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct embedding *e = arg;
    struct openai_failure failure;
    if (e->over)
        return;
    e->entered = 1;
    if (result->err) {
        fail(e, result->err, 0, "openai: the service did not answer");
    } else if (result->status != 200) {
        openai_failure_status(&failure, result->status, result->body);
        int later = failure.err == COGENT_LIMIT || failure.err == COGENT_UNAVAILABLE;
        fail(e, failure.err, later ? result->retry_after_ms : 0, failure.message);
    } else {
        take(e, result->body);
    }
    e->entered = 0;
    if (e->released)
        destroy(e);
}

/* --- the request --- */

static void write_body(struct cp_buf *out, const struct embedding *e)
{
    cp_buf_text(out, "{\"model\":");
    cp_json_quote(out, cogent_str(e->embed->model));
    cp_buf_text(out, ",\"encoding_format\":\"base64\"");
    if (e->embed->dimensions)
        cp_buf_format(out, ",\"dimensions\":%u", e->embed->dimensions);
    cp_buf_text(out, ",\"input\":[");
    for (size_t i = 0; i < e->n; i++) {
        if (i)
            cp_buf_byte(out, ',');
        cp_json_quote(out, e->embed->inputs[e->from + i]);
    }
    cp_buf_text(out, "]}");
}

static int send_batch(struct embedding *e)
{
    static const struct cogent_http_events events = { .size = sizeof events, .done = on_done };
    struct cp_buf body = { 0 };
    struct cogent_http_request request;
    struct cogent_http_header headers[OPENAI_HEADERS];
    size_t left = e->embed->n_inputs - e->from;
    e->n = left < BATCH ? left : BATCH;
    write_body(&body, e);
    openai_http(e->self, e->self->embed_url, cp_buf_peek(&body), headers, &request);
    request.max_body = BODY_MAX;
    int lost = body.failed || cogent_op_none(e->embed->host->http->send(e->embed->op, &request, &events, e));
    cp_buf_finish(&body);
    return lost ? fail(e, COGENT_INTERNAL, 0, "openai: the request could not be sent") : 0;
}

int openai_embed_start(const struct openai *self, struct cogent_embed *embed)
{
    struct embedding *e = calloc(1, sizeof *e);
    float *values = malloc(sizeof *values * VALUES_MAX);
    if (!e || !values) {
        free(e);
        free(values);
        return cogent_embed_fail(embed, COGENT_NO_MEMORY, 0, "openai: out of memory");
    }
    e->embed = embed;
    e->self = self;
    e->values = values;
    embed->data = e;
    embed->release = release;
    return send_batch(e);
}
