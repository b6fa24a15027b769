/* SPDX-License-Identifier: Apache-2.0
 * Values made from a JSON Schema. What the schema does not accept in the end is not used, so that a keyword which is
 * not understood here costs a value, not a wrong finding. */
#include "plugin_kit.h"

#include <stdlib.h>

enum { DEPTH_MAX = 12, TEXT_MOST = 4096, ITEMS_MOST = 20 };

struct maker {
    const json_t *root;
    enum cg_args_kind kind;
};

static json_t *make(const struct maker *m, const json_t *schema, int depth);

/* Texts for the formats that the engine checks. */
static const struct {
    const char *format, *text;
} formats[] = { { "date", "2026-01-31" },
                { "date-time", "2026-01-31T12:00:00Z" },
                { "decimal", "1.00" },
                { "email", "kit@example.com" },
                { "uuid", "00000000-0000-4000-8000-000000000000" },
                { "uri", "https://example.com/" } };

static const char *of_format(const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].format, format) == 0)
            return formats[i].text;
    }
    return NULL;
}

/* n characters; odd ones begin with what unsafe code trips over. */
static json_t *text_of(size_t n, bool odd)
{
    static const char *const signs[] = { "\"", "\\", "%",  "n", "%", "s", "\n", "\xf0\x9f\x98\x80",
                                         "'",  "<",  "\t", "/" };
    cg_auto_buf text = { 0 };
    for (size_t i = 0; i < n; i++)
        cg_buf_text(&text, odd && i < sizeof signs / sizeof signs[0] ? signs[i] : "a");
    return json_string(text.ptr ? text.ptr : "");
}

static json_t *make_text(const struct maker *m, const json_t *schema)
{
    const char *fixed = of_format(cg_json_str(schema, "format", ""));
    int64_t least = cg_json_int(schema, "minLength", 0), most = cg_json_int(schema, "maxLength", TEXT_MOST);
    if (most > TEXT_MOST)
        most = TEXT_MOST;
    if (fixed)
        return json_string(fixed);
    if (m->kind == CG_ARGS_LEAST)
        return text_of((size_t)least, false);
    if (m->kind == CG_ARGS_LONGEST)
        return text_of((size_t)(most > least ? most : least), false);
    int64_t n = least > 12 ? least : most < 12 ? most : 12;
    return text_of((size_t)n, m->kind == CG_ARGS_ODD);
}

static bool number_at(const json_t *schema, const char *key, double *out)
{
    const json_t *n = json_object_get(schema, key);
    if (json_is_number(n))
        *out = json_number_value(n);
    return json_is_number(n);
}

static json_t *make_number(const struct maker *m, const json_t *schema, bool whole)
{
    double value = 1, bound, step = 1;
    bool low = m->kind != CG_ARGS_LONGEST;
    if (number_at(schema, low ? "minimum" : "maximum", &bound))
        value = bound;
    else if (number_at(schema, low ? "exclusiveMinimum" : "exclusiveMaximum", &bound))
        value = low ? bound + 1 : bound - 1;
    else if (number_at(schema, low ? "maximum" : "minimum", &bound))
        value = bound;
    if (number_at(schema, "multipleOf", &step) && step > 0) {
        double rest = value / step;
        long long times = (long long)rest;
        value = (double)(low && (double)times < rest ? times + 1 : times) * step;
    }
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *make_list(const struct maker *m, const json_t *schema, int depth)
{
    json_t *list = json_array(), *item;
    const json_t *items = json_object_get(schema, "items");
    int64_t least = cg_json_int(schema, "minItems", 0), most = cg_json_int(schema, "maxItems", ITEMS_MOST);
    int64_t n = m->kind == CG_ARGS_LEAST ? least : m->kind == CG_ARGS_LONGEST ? most : least ? least : 1;
    if (n > ITEMS_MOST && least <= ITEMS_MOST)
        n = ITEMS_MOST;
    for (int64_t i = 0; i < n && i < TEXT_MOST; i++) {
        item = items ? make(m, items, depth) : json_string("a");
        if (!item || json_array_append_new(list, item) < 0)
            break;
    }
    return list;
}

static bool is_required(const json_t *schema, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(schema, "required"), i, one) {
        if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

static json_t *make_object(const struct maker *m, const json_t *schema, int depth)
{
    const char *name;
    json_t *property, *object = json_object();
    json_object_foreach (json_object_get(schema, "properties"), name, property) {
        bool must = is_required(schema, name);
        json_t *value = must || m->kind != CG_ARGS_LEAST ? make(m, property, depth) : NULL;
        if (value)
            json_object_set_new(object, name, value);
    }
    return object;
}

static const char *type_of(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    if (json_is_array(type))
        type = json_array_get(type, 0);
    if (json_is_string(type))
        return json_string_value(type);
    return json_object_get(schema, "properties") ? "object"
           : json_object_get(schema, "items")    ? "array"
                                                 : "string";
}

static json_t *make_typed(const struct maker *m, const json_t *schema, int depth)
{
    const char *type = type_of(schema);
    if (strcmp(type, "object") == 0)
        return make_object(m, schema, depth);
    if (strcmp(type, "array") == 0)
        return make_list(m, schema, depth);
    if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
        return make_number(m, schema, type[0] == 'i');
    if (strcmp(type, "boolean") == 0)
        return json_boolean(m->kind != CG_ARGS_LEAST);
    return strcmp(type, "null") == 0 ? json_null() : make_text(m, schema);
}

static json_t *make(const struct maker *m, const json_t *schema, int depth)
{
    static const char *const choices[] = { "anyOf", "oneOf", "allOf" };
    const char *reference = cg_json_str(schema, "$ref", "");
    json_t *one;
    if (depth > DEPTH_MAX)
        return NULL;
    if (reference[0] == '#')
        return make(m, cg_json_at(m->root, reference + 1), depth + 1);
    if ((one = json_object_get(schema, "const")))
        return json_deep_copy(one);
    if ((one = json_array_get(json_object_get(schema, "examples"), 0)))
        return json_deep_copy(one);
    if ((one = json_array_get(json_object_get(schema, "enum"), 0)))
        return json_deep_copy(one);
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if ((one = json_array_get(json_object_get(schema, choices[i]), 0)) &&
            !json_object_get(schema, "type"))
            return make(m, one, depth + 1);
    }
    return make_typed(m, schema, depth + 1);
}

/* Takes the member off that a refusal names ("/name/..."), when it need not be there. */
static bool drop_named(const struct cg_tool *tool, json_t *made, const char *refusal)
{
    char name[128];
    struct cogent_str word = { refusal + 1, strcspn(refusal + 1, "/: ") };
    return refusal[0] == '/' && cg_str_copy(name, sizeof name, word) && !is_required(tool->args, name) &&
           json_object_del(made, name) == 0;
}

json_t *cg_args_make(const struct cg_tool *tool, enum cg_args_kind kind)
{
    const struct maker m = { tool->args, kind };
    json_t *made = make(&m, tool->args, 0);
    if (made)
        cg_schema_fill(tool->schema, made);
    while (made) {
        struct cg_err why = { 0 };
        if (cg_schema_check(tool->schema, made, &why) == 0)
            return made;
        if (!drop_named(tool, made, why.message))
            break;
    }
    json_decref(made);
    return NULL;
}
