/* SPDX-License-Identifier: Apache-2.0
 * What an answer may cite: retrieved records, and the rows of results of tools that say which kind they are. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/utf8.h"

enum { QUOTE_MAX = 300, ROWS_MAX = 20 };

/* "number 536365, total 139.12, currency GBP": the scalars of a row, as the model saw them. */
static json_t *quote_of(const json_t *row)
{
    const char *key;
    json_t *value;
    cg_auto_buf out = { 0 };
    json_object_foreach ((json_t *)row, key, value) {
        if (json_is_object(value) || json_is_array(value) || json_is_null(value))
            continue;
        cg_buf_printf(&out, "%s%s ", out.len ? ", " : "", key);
        if (json_is_string(value))
            cg_buf_add(&out, json_string_value(value), json_string_length(value));
        else
            cg_json_add(&out, value);
    }
    struct cogent_str text = cg_buf_view(&out);
    text.len = cg_utf8_cut(text, QUOTE_MAX);
    return cg_json_strn(text);
}

static json_t *row_id(const struct cg_kind *kind, const json_t *row)
{
    cg_auto_buf made = { 0 };
    static const char *const names[] = { "id", "number", "code", "sku" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *id = json_object_get(row, names[i]);
        if (json_is_string(id))
            return json_incref(id);
        if (json_is_integer(id)) {
            cg_json_add(&made, id);
            return cg_json_strn(cg_buf_view(&made));
        }
    }
    if (!kind->id || !json_is_object(row))
        return NULL;
    cg_kind_fill(kind->id, NULL, row, NULL, false, &made);
    return cg_json_strn(cg_buf_view(&made));
}

static json_t *candidate(const struct cg_run *run, const struct cg_kind *kind, const char *tool,
                         const json_t *row, const char *as_of)
{
    json_t *id = row_id(kind, row);
    if (!id)
        return NULL;
    cg_auto_buf title = { 0 }, url = { 0 }, via = { 0 };
    cg_auto_json columns = json_pack("{s:O}", "id", id); /* a row may call it number, code or sku */
    cg_kind_fill(kind->title, columns, row, run->caller->fields, false, &title);
    if (kind->url)
        cg_kind_fill(kind->url, columns, row, run->caller->fields, true, &url);
    cg_buf_printf(&via, "tool:%s", tool);
    json_t *c =
        json_pack("{s:s, s:o, s:s, s:o, s:s, s:s}", "type", kind->name, "id", id, "title",
                  title.len ? title.ptr : kind->name, "quote", quote_of(row), "via", via.ptr, "as_of", as_of);
    /* A link that begins nowhere is no link. */
    if (c && url.len > 7 && strncmp(url.ptr, "http", 4) == 0)
        json_object_set_new(c, "url", json_string(url.ptr));
    return c;
}

json_t *cg_cite_result(const struct cg_run *run, const struct cg_tool *tool, const json_t *result)
{
    json_t *list = json_array();
    const char *name = COGENT_HAS(tool->api, cite) ? tool->api->cite : NULL;
    const struct cg_kind *kind = name ? cg_kind_find(run->env->kinds, name) : NULL;
    if (!kind || !cg_caller_may(run->caller, kind->read))
        return list;
    char as_of[CG_TIME_SIZE];
    cg_time_format(cg_now_us(), as_of);
    const json_t *rows = json_is_array(result) ? result : json_object_get(result, "items");
    if (!json_is_array(rows) || (!json_is_array(result) && json_object_get(result, "id"))) {
        json_t *c = candidate(run, kind, tool->api->name, result, as_of);
        if (c)
            json_array_append_new(list, c);
        return list;
    }
    for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++) {
        json_t *c = candidate(run, kind, tool->api->name, json_array_get(rows, i), as_of);
        if (!c)
            break; /* numbers count on: a gap would shift them */
        json_array_append_new(list, c);
    }
    return list;
}
