/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

#include "common/json.h"

json_t *th_result_at(const struct th_tool *tool, json_t *body)
{
    return cp_json_at(body, tool->result.at);
}

/* "a.b.0" from a row; members and places. */
static json_t *walk(json_t *value, const char *path)
{
    char pointer[256];
    size_t n = 0;
    json_t *plain = json_object_get(value, path); /* a name may hold dots itself */
    if (plain)
        return json_is_null(plain) ? NULL : plain;
    pointer[n++] = '/';
    for (; *path && n + 2 < sizeof pointer; path++) {
        if (*path == '~' || *path == '/') {
            pointer[n++] = '~';
            pointer[n++] = *path == '~' ? '0' : '1';
        } else {
            pointer[n++] = *path == '.' ? '/' : *path;
        }
    }
    pointer[n] = '\0';
    return *path ? NULL : cp_json_at(value, pointer);
}

static json_t *keep_row(const struct th_tool *tool, json_t *row)
{
    if (!json_is_object(row) && !json_is_array(row))
        return json_incref(row);
    json_t *out = json_object();
    for (size_t i = 0; i < tool->result.n_keep; i++) {
        json_t *value = walk(row, tool->result.keep[i].path);
        if (value && json_object_set(out, tool->result.keep[i].name, value) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *keep(const struct th_tool *tool, json_t *value)
{
    json_t *row;
    size_t i;
    if (!tool->result.n_keep)
        return json_incref(value);
    if (!json_is_array(value))
        return keep_row(tool, value);
    json_t *out = json_array();
    json_array_foreach (value, i, row) {
        if (json_array_append_new(out, keep_row(tool, row)) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static int function(const struct th_tool *tool, json_t *value, json_t **out, struct th_problem *problem)
{
    int err = th_apply(tool->service->host, tool->result.function, value, out);
    return err ? th_problem(problem, err, "%s, %s: the function of its result failed", tool->service->name,
                            tool->abi.name)
               : 0;
}

int th_result_shape(const struct th_tool *tool, json_t *value, json_t **out, struct th_problem *problem)
{
    *out = NULL;
    if (!value)
        return 0;
    if (tool->result.function)
        return function(tool, value, out, problem);
    *out = keep(tool, value);
    return *out ? 0 : th_problem(problem, COGENT_NO_MEMORY, "out of memory");
}
