/* SPDX-License-Identifier: Apache-2.0
 * One decision's table: about, on, tool, kind, role, before, after, decide, cases. */
#include "bundle.h"

#include <stdlib.h>

void cg_script_finish(struct cg_script *script)
{
    free(script->source);
    json_decref(script->tools);
    json_decref(script->kinds);
    json_decref(script->roles);
    json_decref(script->cases);
    json_decref(script->before);
    json_decref(script->after);
    *script = (struct cg_script){ 0 };
}

static int wrong(const struct cg_script *script, struct cg_err *err, const char *key, const char *what)
{
    return cg_err_set(err, COGENT_INVALID, "%s: %s: %s", script->file, key, what);
}

/* A text or a list of texts, as a list; *out stays NULL when the key is missing. */
static int read_words(const struct cg_script *script, json_t *table, const char *key, json_t **out,
                      struct cg_err *err)
{
    json_t *value = json_object_get(table, key), *item;
    size_t i;
    if (!value)
        return 0;
    if (json_is_string(value))
        *out = json_pack("[O]", value);
    else if (json_is_array(value))
        *out = json_incref(value);
    else
        return wrong(script, err, key, "a text or a list of texts is wanted");
    json_array_foreach (*out, i, item)
        if (!json_is_string(item))
            return wrong(script, err, key, "a text or a list of texts is wanted");
    return 0;
}

static int read_points(struct cg_script *script, json_t *table, struct cg_err *err)
{
    json_t *points = NULL, *item;
    size_t i;
    int rc = read_words(script, table, "on", &points, err);
    if (rc == 0 && json_array_size(points) == 0)
        rc = wrong(script, err, "on", "missing: say at which point the decision is asked");
    json_array_foreach (points, i, item) {
        unsigned bit = 0;
        for (int p = 0; p < CG_POINTS; p++)
            if (strcmp(cg_point_name((enum cg_point)p), json_string_value(item)) == 0)
                bit = 1u << p;
        if (!bit && rc == 0)
            rc =
                wrong(script, err, "on",
                      "request, retrieve, prompt, tools, tool_call, tool_result and response are the points");
        script->points |= bit;
    }
    json_decref(points);
    return rc;
}

static int check_keys(const struct cg_script *script, json_t *table, struct cg_err *err)
{
    static const char *const known[] = { "about",  "on",    "tool",   "kind",  "role",
                                         "before", "after", "decide", "cases", NULL };
    const char *key;
    json_t *value;
    json_object_foreach (table, key, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return wrong(script, err, key,
                         "not known; about on tool kind role before after decide cases are");
    }
    return 0;
}

int cg_script_read(struct cg_script *script, json_t *table, struct cg_err *err)
{
    int rc = json_is_object(table)
                 ? check_keys(script, table, err)
                 : cg_err_set(err, COGENT_INVALID, "%s: a list, not a decision", script->file);
    if (rc == 0)
        rc = read_points(script, table, err);
    if (rc == 0)
        rc = read_words(script, table, "tool", &script->tools, err);
    if (rc == 0)
        rc = read_words(script, table, "kind", &script->kinds, err);
    if (rc == 0)
        rc = read_words(script, table, "role", &script->roles, err);
    if (rc == 0)
        rc = read_words(script, table, "before", &script->before, err);
    if (rc == 0)
        rc = read_words(script, table, "after", &script->after, err);
    if (rc)
        return rc;
    if (!json_object_get(json_object_get(table, "decide"), "$fn"))
        return wrong(script, err, "decide", "a function(subject, ctx) is wanted");
    json_t *cases = json_object_get(table, "cases");
    if (cases && !json_is_array(cases) && !(json_is_object(cases) && json_object_size(cases) == 0))
        return wrong(script, err, "cases", "a list is wanted");
    script->cases = json_incref(json_is_array(cases) ? cases : NULL);
    return 0;
}

/* * stands for any text, as in `tool = "create_*"`. */
static bool glob(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = text;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Whether one of the patterns fits `value`: a text, or one of a list. */
static bool names(const json_t *patterns, const json_t *value)
{
    size_t i;
    json_t *pattern, *item;
    if (json_is_array(value)) {
        json_array_foreach (value, i, item)
            if (names(patterns, item))
                return true;
        return false;
    }
    if (!json_is_string(value))
        return false;
    json_array_foreach (patterns, i, pattern)
        if (glob(json_string_value(pattern), json_string_value(value)))
            return true;
    return false;
}

bool cg_script_asked(const struct cg_script *script, enum cg_point point, const json_t *subject,
                     const json_t *ctx)
{
    if (!(script->points & 1u << point))
        return false;
    if (script->tools && !names(script->tools, json_object_get(subject, "tool")))
        return false;
    if (script->kinds && !names(script->kinds, json_object_get(subject, "kind")) &&
        !names(script->kinds, json_object_get(subject, "kinds")))
        return false;
    return !script->roles || names(script->roles, json_object_get(json_object_get(ctx, "user"), "roles"));
}
