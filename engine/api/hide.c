/* SPDX-License-Identifier: Apache-2.0 */
#include "hide.h"

#include "engine/run/session.h"

/* Takes what the reader may not read out of a list of records or citations. */
static bool blank_records(const struct cg_request *r, json_t *list)
{
    size_t i;
    json_t *record;
    bool hidden = false;
    json_array_foreach (list, i, record) {
        const struct cg_kind *kind = cg_kind_find(r->env->run->kinds, cg_json_str(record, "type", ""));
        if (kind && cg_caller_may(r->caller, kind->read))
            continue;
        json_array_set_new(list, i,
                           json_pack("{s:O?, s:b}", "type", json_object_get(record, "type"), "hidden", 1));
        hidden = true;
    }
    return hidden;
}

static bool blank_result(const struct cg_request *r, json_t *body)
{
    const char *name = cg_json_str(body, "tool", NULL);
    const struct cg_tool *tool = name ? cg_tool_find(r->env->run->plugins, cogent_str(name)) : NULL;
    if (!name || !json_object_get(body, "result") ||
        (tool && cg_caller_may(r->caller, tool->api->permission)))
        return false;
    json_object_set_new(body, "result", json_null());
    return true;
}

/* What was said before the question, when its reader may no longer read what it rests on. */
static bool blank_history(const struct cg_request *r, json_t *body)
{
    if (cg_session_may_read(r->caller, json_object_get(body, "needs")))
        return false;
    json_object_set_new(body, "history", json_array());
    return true;
}

void cg_hide_lost(const struct cg_request *r, json_t *rows, bool *hidden)
{
    static const char *const texts[] = { "text", "raw", "content" };
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        json_t *body = json_object_get(row, "body");
        json_object_del(body, "system");
        json_object_del(body, "permissions");
        *hidden = blank_records(r, json_object_get(body, "records")) || *hidden;
        *hidden = blank_records(r, json_object_get(body, "cites")) || *hidden;
        *hidden = blank_result(r, body) || *hidden;
        *hidden = blank_history(r, body) || *hidden;
    }
    if (!*hidden)
        return;
    json_array_foreach (rows, i, row) {
        json_t *body = json_object_get(row, "body");
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            if (json_object_get(body, texts[t]))
                json_object_set_new(body, texts[t], json_string(CG_HIDDEN_WORDS));
        }
    }
}
