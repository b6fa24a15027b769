/* SPDX-License-Identifier: Apache-2.0
 * POST /v1/assistant/chat and its stream: the ERP's own contract. */
#include "question.h"

static const struct {
    const char *name;
    json_type type;
    const char *must;
} members[] = {
    { "query", JSON_STRING, "a string" },  { "session", JSON_STRING, "a string" },
    { "history", JSON_ARRAY, "a list" },   { "context", JSON_OBJECT, "an object" },
    { "locale", JSON_STRING, "a string" }, { "time_zone", JSON_STRING, "a string" },
    { "model", JSON_STRING, "a string" },
};

/* false: answered. */
static bool check(struct cg_request *r)
{
    char query[8];
    if (cg_query_param(r, "query", query, sizeof query) || cg_exchange_head(r->x)->query.len) {
        cg_answer_error(r, COGENT_INVALID, "query_in_url",
                        "Questions do not belong in a URL: send {\"query\": ...} as the body.");
        return false;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *v = json_object_get(r->body, members[i].name);
        if (v && !json_is_null(v) && json_typeof(v) != members[i].type) {
            cg_answer_error(r, COGENT_INVALID, "body_invalid", "%s must be %s.", members[i].name,
                            members[i].must);
            return false;
        }
    }
    const json_t *tools = json_object_get(r->body, "tools");
    if (tools && !json_is_boolean(tools) && !json_is_array(tools) && !json_is_null(tools)) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "tools must be true, false or a list of names.");
        return false;
    }
    const json_t *context = json_object_get(r->body, "context");
    if (json_is_object(context) && (!*cg_json_str(context, "type", "") || !*cg_json_str(context, "id", ""))) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid",
                        "context must have type and id, both text: the record on the user's screen.");
        return false;
    }
    const char *session = cg_json_str(r->body, "session", NULL);
    if (session && !cg_id_valid("ses_", cogent_str(session))) {
        cg_answer_error(r, COGENT_INVALID, "session_invalid", "session is not one that this server gave.");
        return false;
    }
    return true;
}

static void chat(struct cg_request *r, enum cg_dialect_kind kind)
{
    if (!check(r))
        return;
    const json_t *query = json_object_get(r->body, "query"), *history = json_object_get(r->body, "history"),
                 *context = json_object_get(r->body, "context");
    const struct cg_run_request request = {
        .caller = r->caller,
        .query = { json_is_string(query) ? json_string_value(query) : "", json_string_length(query) },
        .history = json_is_array(history) ? history : NULL,
        .context = json_is_object(context) ? context : NULL,
        .tools = json_object_get(r->body, "tools"),
        .model = cg_json_str(r->body, "model", NULL),
        .session = cg_json_str(r->body, "session", NULL),
        .locale = cg_json_str(r->body, "locale", NULL),
        .time_zone = cg_json_str(r->body, "time_zone", NULL),
        .detach = cg_json_bool(r->body, "detach", false),
    };
    cg_question_ask(r, &request, kind, false);
}

void cg_route_assistant_chat(struct cg_request *r)
{
    chat(r, CG_AS_ASSISTANT_WHOLE);
}

void cg_route_assistant_stream(struct cg_request *r)
{
    chat(r, CG_AS_ASSISTANT);
}
