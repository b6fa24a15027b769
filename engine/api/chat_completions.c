/* SPDX-License-Identifier: Apache-2.0
 * POST /v1/chat/completions: the dialect that existing clients speak. The last user message is the question, those
 * before it are the history; a system message of the client's is not obeyed: the tenant's template is the system. */
#include "question.h"

static struct cogent_str content_text(const json_t *content, struct cg_buf *out)
{
    size_t i;
    json_t *part;
    if (json_is_string(content))
        return (struct cogent_str){ json_string_value(content), json_string_length(content) };
    json_array_foreach (content, i, part) {
        if (strcmp(cg_json_str(part, "type", ""), "text") == 0)
            cg_buf_text(out, cg_json_str(part, "text", ""));
    }
    return cg_buf_view(out);
}

static json_t *history_of(const json_t *messages, size_t until)
{
    json_t *history = json_array();
    for (size_t i = 0; i < until; i++) {
        const json_t *m = json_array_get(messages, i);
        const char *role = cg_json_str(m, "role", "");
        cg_auto_buf text = { 0 };
        struct cogent_str content = content_text(json_object_get(m, "content"), &text);
        if ((strcmp(role, "user") == 0 || strcmp(role, "assistant") == 0) && content.len)
            json_array_append_new(history,
                                  json_pack("{s:s, s:o}", "role", role, "content", cg_json_strn(content)));
    }
    return history;
}

void cg_route_chat_completions(struct cg_request *r)
{
    const json_t *messages = json_object_get(r->body, "messages");
    size_t n = json_array_size(messages);
    const json_t *last = n ? json_array_get(messages, n - 1) : NULL;
    if (!last || strcmp(cg_json_str(last, "role", ""), "user") != 0) {
        cg_answer_error(r, COGENT_INVALID, "messages_invalid",
                        "messages must be a list that ends with a message of role user.");
        return;
    }
    cg_auto_buf text = { 0 };
    cg_auto_json history = history_of(messages, n - 1);
    const json_t *tools = json_object_get(json_object_get(r->body, "cogent"), "tools");
    bool stream = cg_json_bool(r->body, "stream", false);
    const struct cg_run_request request = {
        .caller = r->caller,
        .query = content_text(json_object_get(last, "content"), &text),
        .history = history,
        .tools = tools,
        .model = cg_json_str(r->body, "model", NULL),
    };
    bool usage = cg_json_bool(json_object_get(r->body, "stream_options"), "include_usage", false);
    cg_question_ask(r, &request, stream ? CG_AS_OPENAI : CG_AS_OPENAI_WHOLE, usage);
}
