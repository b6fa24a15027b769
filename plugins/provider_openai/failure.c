/* SPDX-License-Identifier: Apache-2.0
 * What went wrong, in one bounded sentence. The words of a refusal of our key are left out: services repeat parts of
 * the key in them.
 */
#include "openai.h"

#include "common/json.h"
#include "common/words.h"

#include <stdio.h>

enum { MAX_BODY = 64 * 1024, MAX_WORDS = 300 };

static int class_of(int status)
{
    if (status == 401 || status == 403)
        return COGENT_AUTH;
    if (status == 429)
        return COGENT_LIMIT;
    if (status == 408)
        return COGENT_TIMEOUT;
    return status >= 500 ? COGENT_UNAVAILABLE : COGENT_UPSTREAM;
}

/* OpenAI's form first, then those of the local servers. */
static void words(struct cp_buf *out, json_t *body)
{
    static const char *const places[] = { "/error/message", "/error", "/message", "/detail" };
    for (size_t i = 0; i < sizeof places / sizeof *places && !out->len; i++) {
        json_t *text = cp_json_at(body, places[i]);
        if (json_is_string(text))
            cp_words(out, cogent_str(json_string_value(text)), MAX_WORDS);
    }
}

static json_t *load(struct cogent_str body)
{
    return body.len && body.len <= MAX_BODY ? cp_json_load(body) : NULL;
}

void openai_failure_status(struct openai_failure *out, int status, struct cogent_str body)
{
    struct cp_buf text = { 0 };
    out->err = class_of(status);
    if (out->err != COGENT_AUTH) {
        json_t *json = load(body);
        words(&text, json);
        json_decref(json);
    }
    snprintf(out->message, sizeof out->message, "openai: the service answered %d%s%s", status,
             text.len ? ": " : "", text.len ? text.ptr : "");
    cp_buf_finish(&text);
}

static int code_is(json_t *error, const char *word)
{
    json_t *code = cp_json_at(error, "/code"), *type = cp_json_at(error, "/type");
    return (json_is_string(code) && strstr(json_string_value(code), word)) ||
           (json_is_string(type) && strstr(json_string_value(type), word));
}

static int class_of_object(json_t *error)
{
    json_t *code = cp_json_at(error, "/code");
    if (json_is_integer(code) && json_integer_value(code) >= 400 && json_integer_value(code) < 600)
        return class_of((int)json_integer_value(code));
    if (code_is(error, "rate_limit") || code_is(error, "insufficient_quota"))
        return COGENT_LIMIT;
    if (code_is(error, "invalid_api_key") || code_is(error, "authentication"))
        return COGENT_AUTH;
    return code_is(error, "server_error") || code_is(error, "overloaded") ? COGENT_UNAVAILABLE
                                                                          : COGENT_UPSTREAM;
}

void openai_failure_object(struct openai_failure *out, struct cogent_str body)
{
    struct cp_buf text = { 0 };
    json_t *json = load(body);
    json_t *inner = cp_json_at(json, "/error");
    out->err = class_of_object(json_is_object(inner) ? inner : json);
    if (out->err != COGENT_AUTH)
        words(&text, json);
    json_decref(json);
    snprintf(out->message, sizeof out->message, "openai: the service broke off with an error%s%s",
             text.len ? ": " : "", text.len ? text.ptr : "");
    cp_buf_finish(&text);
}
