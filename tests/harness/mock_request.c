/* SPDX-License-Identifier: Apache-2.0 */
#include "mock_request.h"

#include <event2/buffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mock_reply_json(struct evhttp_request *req, int status, json_t *body)
{
    struct evbuffer *out = evbuffer_new();
    char *text = json_dumps(body, JSON_COMPACT);
    evbuffer_add(out, text, strlen(text));
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/json");
    evhttp_send_reply(req, status, NULL, out);
    evbuffer_free(out);
    free(text);
    json_decref(body);
}

void mock_reply_error(struct evhttp_request *req, int status, const char *type, const char *code,
                      const char *message)
{
    mock_reply_json(req, status,
                    json_pack("{s:{s:s, s:s, s:n, s:s?}}", "error", "message", message, "type", type, "param",
                              "code", code));
}

static void *refuse(struct evhttp_request *req, const char *message)
{
    mock_reply_error(req, 400, "invalid_request_error", NULL, message);
    return NULL;
}

json_t *mock_request_read(struct evhttp_request *req)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t n = evbuffer_get_length(in);
    const char *type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST)
        return refuse(req, "Only POST requests are accepted.");
    if (!type || strncmp(type, "application/json", 16) != 0)
        return refuse(req, "Content-Type must be application/json.");
    json_t *body = json_loadb((const char *)evbuffer_pullup(in, -1), n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(body))
        return body;
    json_decref(body);
    return refuse(req, "We could not parse the JSON body of your request.");
}

/* --- the checks that the real one makes, too --- */

static const char *member(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int name_valid(const char *name)
{
    size_t n = name ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") : 0;
    return n >= 1 && n <= 64 && name[n] == '\0';
}

static const char *check_tools(json_t *body)
{
    json_t *tools = json_object_get(body, "tools"), *tool;
    size_t i;
    if (tools && (!json_is_array(tools) || json_array_size(tools) == 0))
        return "Invalid 'tools': empty array.";
    json_array_foreach (tools, i, tool) {
        json_t *function = json_object_get(tool, "function"),
               *schema = json_object_get(function, "parameters");
        const char *type = member(schema, "type");
        if (!member(tool, "type") || strcmp(member(tool, "type"), "function") != 0)
            return "Invalid 'tools': type must be function.";
        if (!name_valid(member(function, "name")))
            return "Invalid 'tools[].function.name': string does not match pattern.";
        if (schema && (!type || strcmp(type, "object") != 0))
            return "Invalid schema for function: schema must be a JSON Schema of 'type: \"object\"'.";
    }
    return NULL;
}

/* The ids of one assistant message's calls must be answered one by one by the tool messages after it. */
static int answered(json_t *messages, size_t at, json_t *calls)
{
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const char *id = member(json_array_get(calls, i), "id");
        int found = 0;
        for (size_t j = 1; j <= json_array_size(calls); j++) {
            json_t *m = json_array_get(messages, at + j);
            const char *role = member(m, "role"), *of = member(m, "tool_call_id");
            found += role && of && id && strcmp(role, "tool") == 0 && strcmp(of, id) == 0;
        }
        if (found != 1)
            return 0;
    }
    return 1;
}

static const char *check_message(json_t *messages, size_t i)
{
    json_t *m = json_array_get(messages, i), *calls = json_object_get(m, "tool_calls"), *call;
    const char *role = member(m, "role");
    json_t *content = json_object_get(m, "content");
    size_t j;
    if (!role || (!json_is_string(content) && !json_is_array(content) && !json_array_size(calls)))
        return "Invalid 'messages': a message needs a role and a content.";
    if (calls && (strcmp(role, "assistant") != 0 || json_array_size(calls) == 0))
        return "Invalid 'messages[].tool_calls'.";
    json_array_foreach (calls, j, call) {
        json_t *function = json_object_get(call, "function");
        if (!name_valid(member(function, "name")) || !member(function, "arguments") || !member(call, "type"))
            return "Invalid 'messages[].tool_calls[].function'.";
    }
    if (calls && !answered(messages, i, calls))
        return "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
               "'tool_call_id'.";
    if (strcmp(role, "tool") == 0 &&
        (i == 0 || strcmp(member(json_array_get(messages, i - 1), "role"), "user") == 0))
        return "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
    return NULL;
}

static const char *check(json_t *body)
{
    json_t *messages = json_object_get(body, "messages");
    const char *why = check_tools(body);
    if (!json_array_size(messages))
        return "Missing required parameter: 'messages'.";
    for (size_t i = 0; i < json_array_size(messages) && !why; i++)
        why = check_message(messages, i);
    if (!why && json_object_get(body, "stream_options") && !json_is_true(json_object_get(body, "stream")))
        why = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
    return why;
}

/* --- turns --- */

/* Rounds of calls since the user spoke last: a new question begins at the first turn again. Records go in the user's
 * role, too, and are none. */
static size_t rounds(json_t *messages)
{
    size_t n = 0, i;
    json_t *m;
    json_array_foreach (messages, i, m) {
        const char *role = member(m, "role"), *content = member(m, "content");
        if (strcmp(role, "user") == 0 && !(content && strncmp(content, "Record [", 8) == 0))
            n = 0;
        else if (json_array_size(json_object_get(m, "tool_calls")))
            n++;
    }
    return n;
}

json_t *mock_request_turn(struct evhttp_request *req, json_t *models, json_t *body)
{
    const char *why = check(body), *model = member(body, "model");
    if (why)
        return refuse(req, why);
    json_t *turns = model ? json_object_get(models, model) : NULL;
    size_t n = json_array_size(turns), at = rounds(json_object_get(body, "messages"));
    if (n)
        return json_array_get(turns, at < n ? at : n - 1);
    mock_reply_error(req, 404, "invalid_request_error", "model_not_found", "The model does not exist.");
    return NULL;
}

/* --- filling in --- */

static json_t *last_result(json_t *body)
{
    json_t *messages = json_object_get(body, "messages");
    for (size_t i = json_array_size(messages); i-- > 0;) {
        json_t *m = json_array_get(messages, i);
        const char *content = member(m, "content");
        if (strcmp(member(m, "role"), "tool") != 0 || !content)
            continue;
        const char *json =
            strpbrk(content, "{[\""); /* past a line that is not JSON, as "Cite this result as [3]." */
        const char *line = strchr(content, '\n');
        if (line && content[0] != '{' && content[0] != '[')
            json = line + 1;
        return json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
    }
    return NULL;
}

static json_t *at(json_t *value, const char *pointer, size_t len)
{
    char key[128];
    const char *end = pointer + len;
    while (value && pointer < end && *pointer == '/') {
        const char *next = memchr(pointer + 1, '/', (size_t)(end - pointer) - 1);
        if (!next)
            next = end;
        snprintf(key, sizeof key, "%.*s", (int)(next - pointer) - 1, pointer + 1);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        pointer = next;
    }
    return value;
}

static void put(FILE *out, json_t *value)
{
    char *text = value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    fputs(json_is_string(value) ? json_string_value(value) : text ? text : "(nothing)", out);
    free(text);
}

char *mock_request_fill(json_t *body, const char *text)
{
    static const char tool[] = "{{tool:", request[] = "{{request:";
    char *out = NULL;
    size_t size = 0;
    json_t *result = last_result(body);
    FILE *file = open_memstream(&out, &size);
    for (const char *from; (from = strstr(text, "{{"));) {
        int of_request = strncmp(from, request, sizeof request - 1) == 0;
        const char *pointer = from + (of_request ? sizeof request : sizeof tool) - 1,
                   *end = strstr(from, "}}");
        if (!end || (!of_request && strncmp(from, tool, sizeof tool - 1) != 0))
            break;
        fwrite(text, 1, (size_t)(from - text), file);
        put(file, at(of_request ? body : result, pointer, (size_t)(end - pointer)));
        text = end + 2;
    }
    fputs(text, file);
    fclose(file);
    json_decref(result);
    return out;
}
