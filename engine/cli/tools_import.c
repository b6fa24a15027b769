/* SPDX-License-Identifier: Apache-2.0
 * cogent tools import: an OpenAPI description becomes a tools file to read and edit. What a description cannot know is left
 * open in a way that `tools check` refuses until somebody has said it: the permission, and what a write promises. */
#include "tools.h"

#include "command.h"
#include "out.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 32 * 1024 * 1024, DEPTH_MAX = 8, REFS_MAX = 16 };

struct import {
    json_t *doc;
    const char *only;
    struct cg_buf out;
    json_t *names; /* of tools: a set */
    size_t n;
};

/* --- Lua --- */

static void quote(struct cg_buf *out, const char *text, size_t max)
{
    cg_buf_char(out, '"');
    for (size_t i = 0; text[i] && i < max; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            cg_buf_printf(out, "\\%c", c);
        else if (c < ' ')
            cg_buf_char(out, ' ');
        else
            cg_buf_char(out, (char)c);
    }
    cg_buf_char(out, '"');
}

static bool lua_name(const char *key)
{
    static const char *const words[] = { "and",   "break", "do",       "else", "elseif", "end",
                                         "false", "for",   "function", "goto", "if",     "in",
                                         "local", "nil",   "not",      "or",   "repeat", "return",
                                         "then",  "true",  "until",    "while" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], key) == 0)
            return false;
    return (isalpha((unsigned char)*key) || *key == '_') &&
           key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static void key(struct cg_buf *out, const char *name)
{
    if (lua_name(name)) {
        cg_buf_text(out, name);
    } else {
        cg_buf_char(out, '[');
        quote(out, name, 200);
        cg_buf_char(out, ']');
    }
    cg_buf_text(out, " = ");
}

static void lua_value(struct cg_buf *out, const json_t *value, int depth)
{
    const char *name;
    json_t *member;
    size_t i;
    const char *sep = "";
    if (json_is_string(value)) {
        quote(out, json_string_value(value), 400);
    } else if (json_is_array(value)) {
        cg_buf_text(out, json_array_size(value) ? "{ " : "list {");
        json_array_foreach (value, i, member) {
            cg_buf_text(out, sep);
            lua_value(out, member, depth + 1);
            sep = ", ";
        }
        cg_buf_text(out, json_array_size(value) ? " }" : "}");
    } else if (json_is_object(value)) {
        cg_buf_char(out, '{');
        json_object_foreach ((json_t *)value, name, member) {
            cg_buf_text(out, *sep ? sep : " ");
            key(out, name);
            lua_value(out, member, depth + 1);
            sep = ", ";
        }
        cg_buf_text(out, *sep ? " }" : "}");
    } else if (json_is_null(value)) {
        cg_buf_text(out, "null");
    } else {
        cg_json_add(out, value);
    }
}

/* --- schemas --- */

static const json_t *resolve(const struct import *im, const json_t *schema)
{
    for (int i = 0; i < REFS_MAX; i++) {
        const char *ref = cg_json_str(schema, "$ref", NULL);
        if (!ref || *ref != '#')
            return schema;
        schema = cg_json_at(im->doc, ref + 1);
    }
    return NULL;
}

/* anyOf [X, null] is how an optional X is described. */
static const json_t *without_null(const json_t *schema)
{
    const json_t *choices = json_object_get(schema, "anyOf");
    const json_t *a = json_array_get(choices, 0), *b = json_array_get(choices, 1);
    if (json_array_size(choices) != 2)
        return schema;
    if (strcmp(cg_json_str(b, "type", ""), "null") == 0)
        return a;
    return strcmp(cg_json_str(a, "type", ""), "null") == 0 ? b : schema;
}

static json_t *simple(const struct import *im, const json_t *schema, int depth);

static json_t *simple_properties(const struct import *im, const json_t *properties, int depth)
{
    const char *name;
    json_t *member, *out = json_object();
    json_object_foreach ((json_t *)properties, name, member)
        json_object_set_new(out, name, simple(im, member, depth + 1));
    return out;
}

/* What the engine checks of a schema and a model needs; the rest would only be refused. */
static json_t *simple(const struct import *im, const json_t *schema, int depth)
{
    static const char *const kept[] = {
        "type",     "enum",      "format",    "pattern",          "minimum",
        "maximum",  "minLength", "maxLength", "exclusiveMinimum", "exclusiveMaximum",
        "minItems", "maxItems",  "required",  "default",          "multipleOf"
    };
    json_t *out = json_object();
    const char *words = cg_json_str(schema, "description", NULL);
    schema = resolve(im, schema);
    schema = resolve(im, without_null(schema));
    if (!schema || depth > DEPTH_MAX)
        return out;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(schema, kept[i]);
        bool old = strncmp(kept[i], "exclusive", 9) == 0 && json_is_boolean(value); /* OpenAPI 3.0's */
        bool none = strcmp(kept[i], "default") == 0 && json_is_null(value);
        if (value && !old && !none)
            json_object_set(out, kept[i], value);
    }
    words = words ? words : cg_json_str(schema, "description", NULL);
    if (words && depth < 2)
        json_object_set_new(out, "description", json_string(words));
    const json_t *items = json_object_get(schema, "items"),
                 *properties = json_object_get(schema, "properties");
    if (json_is_object(items))
        json_object_set_new(out, "items", simple(im, items, depth + 1));
    if (json_is_object(properties))
        json_object_set_new(out, "properties", simple_properties(im, properties, depth));
    return out;
}

/* --- names --- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* FastAPI makes list_invoices_api_v1_invoices_get of list_invoices: the path and the method, all but letters and
 * digits as "_". */
static char *name_of(const char *id, const char *path, const char *method)
{
    cg_auto_buf tail = { 0 }, name = { 0 };
    for (const char *c = path; *c; c++)
        cg_buf_char(&tail, isalnum((unsigned char)*c) || *c == '_' ? *c : '_');
    cg_buf_printf(&tail, "_%s", method);
    if (!tail.ptr)
        return NULL;
    size_t n = id ? strlen(id) : 0;
    if (id && ends_with(id, tail.ptr))
        n -= strlen(tail.ptr);
    if (!id)
        cg_buf_printf(&name, "%s%s", method, path);
    else
        cg_buf_add(&name, id, n);
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
            name.ptr[i] = '_';
    while (name.len > 1 && name.ptr[name.len - 1] == '_')
        name.ptr[--name.len] = '\0';
    if (name.len > 64)
        name.ptr[name.len = 64] = '\0';
    return cg_buf_steal(&name);
}

/* --- one operation --- */

struct operation {
    const char *path, *method;
    const json_t *item, *what;
    json_t *args, *required;
    json_t *query, *body; /* names that go there */
    char *key_header;     /* a header that keeps a write from being done twice */
};

static void add_argument(struct operation *op, const char *name, json_t *schema, bool required)
{
    if (!json_object_get(op->args, name) && required)
        json_array_append_new(op->required, json_string(name));
    json_object_set_new(op->args, name, schema);
}

static void add_parameters(const struct import *im, struct operation *op, const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        const json_t *p = resolve(im, entry);
        const char *name = cg_json_str(p, "name", NULL), *in = cg_json_str(p, "in", "");
        if (name && strcmp(in, "header") == 0 && strcasestr(name, "idempotency") && !op->key_header)
            op->key_header = cg_str_dup(cogent_str(name));
        if (!name || (strcmp(in, "path") != 0 && strcmp(in, "query") != 0))
            continue;
        json_t *schema = simple(im, json_object_get(p, "schema"), 0);
        if (!json_object_get(schema, "description") && cg_json_str(p, "description", NULL))
            json_object_set(schema, "description", json_object_get(p, "description"));
        add_argument(op, name, schema, strcmp(in, "path") == 0 || cg_json_bool(p, "required", false));
        if (strcmp(in, "query") == 0)
            json_array_append_new(op->query, json_string(name));
    }
}

static bool requires(const json_t *schema, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(schema, "required"), i, entry) {
        if (strcmp(json_string_value(entry) ? json_string_value(entry) : "", name) == 0)
            return true;
    }
    return false;
}

static void add_body(const struct import *im, struct operation *op)
{
    const char *name;
    json_t *member;
    const json_t *body = resolve(im, json_object_get(op->what, "requestBody"));
    const json_t *content = json_object_get(body, "content");
    const json_t *schema =
        resolve(im, json_object_get(json_object_get(content, "application/json"), "schema"));
    json_object_foreach (json_object_get(schema, "properties"), name, member) {
        add_argument(op, name, simple(im, member, 0), requires(schema, name));
        json_array_append_new(op->body, json_string(name));
    }
}

static void first_sentence(const struct operation *op, struct cg_buf *out)
{
    const char *words = cg_json_str(op->what, "description", cg_json_str(op->what, "summary", op->path));
    cg_auto_free char *line = cg_str_dup((struct cogent_str){ words, strcspn(words, "\n") });
    quote(out, line ? line : "", 300);
}

static void write_args(struct cg_buf *out, const struct operation *op)
{
    const char *name, *sep = "{ ";
    json_t *schema;
    if (json_object_size(op->args) == 0)
        return;
    cg_buf_text(out, "      args       = ");
    json_object_foreach (op->args, name, schema) {
        cg_buf_text(out, sep);
        key(out, name);
        lua_value(out, schema, 0);
        sep = ",\n                     ";
    }
    cg_buf_text(out, " },\n");
    if (json_array_size(op->required)) {
        cg_buf_text(out, "      required   = ");
        lua_value(out, op->required, 0);
        cg_buf_text(out, ",\n");
    }
}

static void write_placeholders(struct cg_buf *out, const char *part, const json_t *names)
{
    size_t i;
    json_t *name;
    cg_buf_printf(out, "      %-10s = {", part);
    json_array_foreach (names, i, name) {
        cg_buf_text(out, i ? ", " : " ");
        key(out, json_string_value(name));
        cg_buf_printf(out, "\"{%s}\"", json_string_value(name));
    }
    cg_buf_text(out, json_array_size(names) ? " },\n" : "},\n");
}

/* What the route does not name goes to the query or to the body; where both are wanted, it is said. */
static void write_parts(struct cg_buf *out, const struct operation *op)
{
    bool queried = strcmp(op->method, "get") == 0 || strcmp(op->method, "delete") == 0;
    if (queried ? json_array_size(op->body) == 0 : json_array_size(op->query) == 0)
        return;
    if (json_array_size(op->query))
        write_placeholders(out, "query", op->query);
    if (strcmp(op->method, "get") != 0 && json_array_size(op->body))
        write_placeholders(out, "body", op->body);
}

static void write_once(struct cg_buf *out, const struct operation *op)
{
    cg_buf_text(
        out, "      effect     = \"write\",              -- or \"read\", if this only looks something up\n");
    if (op->key_header) {
        cg_buf_text(out, "      once       = { header = ");
        quote(out, op->key_header, 100);
        cg_buf_text(out, " },\n");
    } else {
        cg_buf_text(
            out,
            "      -- once    = ...,                    -- SAY what keeps it from being done twice: { header "
            "= \"...\" }, { field = \"...\", find = \"...\" } or \"never\"\n");
    }
}

static void write_operation(struct import *im, const struct operation *op, const char *name)
{
    struct cg_buf *out = &im->out;
    char upper[8] = "";
    for (size_t i = 0; op->method[i] && i + 1 < sizeof upper; i++)
        upper[i] = (char)toupper((unsigned char)op->method[i]);
    cg_buf_text(out, im->n++ ? "\n    " : "    ");
    key(out, name);
    cg_buf_text(out, "{\n      about      = ");
    first_sentence(op, out);
    cg_buf_text(
        out,
        ",\n      -- permission = \"...\",               -- SAY which right it needs: without one it does not "
        "load\n      route      = ");
    cg_auto_buf route = { 0 };
    cg_buf_printf(&route, "%s %s", upper, op->path);
    quote(out, route.ptr ? route.ptr : "", 500);
    cg_buf_text(out, ",\n");
    if (strcmp(op->method, "get") != 0)
        write_once(out, op);
    write_args(out, op);
    write_parts(out, op);
    cg_buf_text(out, "    },\n");
}

static void take_operation(struct import *im, struct operation *op)
{
    cg_auto_free char *name = name_of(cg_json_str(op->what, "operationId", NULL), op->path, op->method);
    if (!name || !*name || json_object_get(im->names, name) || (im->only && fnmatch(im->only, name, 0) != 0))
        return;
    json_object_set_new(im->names, name, json_true());
    op->args = json_object();
    op->required = json_array();
    op->query = json_array();
    op->body = json_array();
    add_parameters(im, op, json_object_get(op->what, "parameters"));
    add_parameters(im, op, json_object_get(op->item, "parameters"));
    add_body(im, op);
    write_operation(im, op, name);
    json_decref(op->args);
    json_decref(op->required);
    json_decref(op->query);
    json_decref(op->body);
    free(op->key_header);
}

/* --- the file --- */

static void slug(const char *title, char *out, size_t size)
{
    size_t n = 0;
    for (; *title && n + 1 < size && n < 24; title++)
        if (isalnum((unsigned char)*title))
            out[n++] = (char)tolower((unsigned char)*title);
        else if (n && out[n - 1] != '_')
            out[n++] = '_';
    while (n && out[n - 1] == '_')
        n--;
    out[n] = '\0';
    if (!n || isdigit((unsigned char)out[0]))
        cg_str_copy(out, size, cogent_str("erp"));
}

/* The path of the first server, which stands before every route. */
static void prefix(const struct import *im, struct cg_buf *out)
{
    const char *url = cg_json_str(json_array_get(json_object_get(im->doc, "servers"), 0), "url", "");
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : url;
    size_t n = path ? strlen(path) : 0;
    while (n && path[n - 1] == '/')
        n--;
    if (n && !strpbrk(path, "{?#"))
        cg_buf_add(out, path, n);
}

static void write_head(struct import *im, const char *file)
{
    char name[32];
    cg_auto_buf before = { 0 };
    slug(cg_json_str(json_object_get(im->doc, "info"), "title", "erp"), name, sizeof name);
    prefix(im, &before);
    cg_buf_printf(
        &im->out,
        "-- From %s by `cogent tools import`. Read it, keep what the assistant should do, and say what is "
        "left open (SAY);\n-- then: cogent tools check FILE. The manual is docs/tools.md.\nreturn {\n"
        "  service = \"%s\",\n"
        "  base    = \"{tenant.%s_url}%s\",     -- tenants = { NAME = { %s_url = \"http://...\" } }\n"
        "  auth    = \"caller\",               -- whose rights: the asking user's own token; or see the manual\n"
        "  errors  = { message = \"/detail\" },  -- where an error says its words\n\n  tools = {\n",
        strrchr(file, '/') ? strrchr(file, '/') + 1 : file, name, name, before.ptr ? before.ptr : "", name);
}

static void write_paths(struct import *im)
{
    static const char *const methods[] = { "get", "post", "put", "patch", "delete" };
    const char *path;
    json_t *item;
    json_object_foreach (json_object_get(im->doc, "paths"), path, item) {
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            struct operation op = { .path = path, .method = methods[i], .item = item };
            op.what = json_object_get(item, methods[i]);
            if (json_is_object(op.what))
                take_operation(im, &op);
        }
    }
}

static json_t *read_file(const char *path, struct cg_err *err)
{
    cg_auto_buf text = { 0 };
    char block[65536];
    FILE *file = fopen(path, "re");
    if (!file) {
        cg_err_set(err, COGENT_NOT_FOUND, "%s: cannot be read", path);
        return NULL;
    }
    for (size_t n; text.len <= FILE_MAX && (n = fread(block, 1, sizeof block, file)) > 0;)
        cg_buf_add(&text, block, n);
    fclose(file);
    struct cg_err why = { 0 };
    json_t *doc = text.len > FILE_MAX ? NULL : cg_json_parse(cg_buf_view(&text), &why);
    if (!doc)
        cg_err_set(err, COGENT_INVALID, "%s: %s (an openapi.json is wanted)", path,
                   text.len > FILE_MAX ? "it is too large" : why.message);
    return doc;
}

static int import(const char *path, const char *only)
{
    struct cg_err err = { 0 };
    struct import im = { .doc = read_file(path, &err), .only = only, .names = json_object() };
    int rc = im.doc ? CG_EXIT_OK : CG_EXIT_FAILED;
    if (im.doc && !json_is_object(json_object_get(im.doc, "paths"))) {
        cg_err_set(&err, COGENT_INVALID, "%s: it has no paths: an OpenAPI 3 description is wanted", path);
        rc = CG_EXIT_FAILED;
    }
    if (rc == CG_EXIT_OK) {
        write_head(&im, path);
        write_paths(&im);
        cg_buf_text(&im.out, "  },\n}\n");
        if (im.n == 0) {
            cg_err_set(&err, COGENT_NOT_FOUND, "%s: no operation is named so", path);
            rc = CG_EXIT_FAILED;
        }
    }
    if (rc == CG_EXIT_OK)
        cg_out_text(cg_buf_view(&im.out).ptr);
    else
        fprintf(stderr, "cogent tools: %s\n", err.message);
    cg_buf_finish(&im.out);
    json_decref(im.doc);
    json_decref(im.names);
    return rc;
}

int cg_tools_import(int argc, char **argv)
{
    bool missing = false;
    const char *only = cg_take_option(&argc, argv, "--only", &missing);
    const char *unknown = cg_unknown_option(argc, argv);
    if (unknown || missing || argc != 2)
        return cg_usage_word("tools", unknown,
                             missing ? "--only needs a pattern" : "import which openapi.json?");
    return import(argv[1], only);
}
