/* SPDX-License-Identifier: Apache-2.0
 * Compiling: a node for every schema of the document, $ref resolved to nodes. */
#include "options.h"
#include "schema_tree.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = 2000, NESTING_MAX = 200, PATH_SIZE = 160 };

struct place {
    const struct place *up;
    const char *token;
    size_t index; /* when token is NULL */
};

struct compiling {
    struct cg_schema *schema;
    struct cg_err *err;
    unsigned nesting;
};

static int compile(struct compiling *c, const json_t *source, const struct place *at,
                   struct cg_schema_node **out);

static void spell(const struct place *at, struct cg_buf *out)
{
    if (!at)
        return;
    spell(at->up, out);
    if (at->token)
        cg_buf_printf(out, "/%s", at->token);
    else
        cg_buf_printf(out, "/%zu", at->index);
}

static int wrong(struct compiling *c, const struct place *at, const char *words)
{
    cg_auto_buf path = { 0 };
    spell(at, &path);
    struct cogent_str p = cg_buf_view(&path);
    return cg_err_set(c->err, COGENT_INVALID, "%.*s %s",
                      p.len ? (int)(p.len < PATH_SIZE ? p.len : PATH_SIZE) : 10, p.len ? p.ptr : "the schema",
                      words);
}

static int no_memory(struct compiling *c)
{
    return cg_err_set(c->err, COGENT_NO_MEMORY, "out of memory");
}

/* What one keyword says about its schema. */
struct said {
    struct compiling *c;
    struct cg_schema_node *node;
    const json_t *value;
    const struct place *at;
    int which; /* of what the keyword's row in the table below names */
};

static int compile_list(const struct said *s, struct cg_schema_list *list)
{
    size_t n = json_array_size(s->value);
    if (n == 0)
        return wrong(s->c, s->at, "must be a list of at least one schema");
    list->nodes = calloc(n, sizeof *list->nodes);
    if (!list->nodes)
        return no_memory(s->c);
    for (; list->n < n; list->n++) {
        struct place at = { .up = s->at, .index = list->n };
        int rc = compile(s->c, json_array_get(s->value, list->n), &at, &list->nodes[list->n]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compile_map(const struct said *s, struct cg_schema_list *list)
{
    const char *key;
    json_t *value;
    if (!json_is_object(s->value))
        return wrong(s->c, s->at, "must be an object of schemas");
    list->nodes = calloc(json_object_size(s->value) + 1, sizeof *list->nodes);
    if (!list->nodes)
        return no_memory(s->c);
    json_object_foreach ((json_t *)s->value, key, value) {
        struct place at = { .up = s->at, .token = key };
        int rc = compile(s->c, value, &at, &list->nodes[list->n]);
        if (rc < 0)
            return rc;
        list->n++;
    }
    return 0;
}

static bool has_type(unsigned *types, const json_t *word)
{
    static const char *const names[] = {
        "null", "boolean", "object", "array", "number", "string", "integer"
    };
    for (unsigned i = 0; json_is_string(word) && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], json_string_value(word)) == 0) {
            *types |= 1u << i;
            return true;
        }
    }
    return false;
}

static int say_type(const struct said *s)
{
    bool ok = has_type(&s->node->types, s->value);
    if (json_array_size(s->value) > 0) {
        ok = true;
        for (size_t i = 0; i < json_array_size(s->value); i++)
            ok = has_type(&s->node->types, json_array_get(s->value, i)) && ok;
    }
    return ok ? 0
              : wrong(s->c, s->at,
                      "must be object, array, string, number, integer, boolean, null, or a list of them");
}

static int say_enum(const struct said *s)
{
    if (json_array_size(s->value) == 0)
        return wrong(s->c, s->at, "must be a list of at least one value");
    s->node->choices = s->value;
    return 0;
}

static int say_const(const struct said *s)
{
    s->node->constant = s->value;
    return 0;
}

static int say_default(const struct said *s)
{
    s->node->preset = s->value;
    return 0;
}

static int say_required(const struct said *s)
{
    if (!json_is_array(s->value))
        return wrong(s->c, s->at, "must be a list of names");
    for (size_t i = 0; i < json_array_size(s->value); i++) {
        if (!json_is_string(json_array_get(s->value, i)))
            return wrong(s->c, s->at, "must be a list of names");
    }
    s->node->required = s->value;
    return 0;
}

static int say_properties(const struct said *s)
{
    s->node->properties = s->value;
    return compile_map(s, &s->node->members);
}

static int say_others(const struct said *s)
{
    return compile(s->c, s->value, s->at, &s->node->others);
}

static int say_items(const struct said *s)
{
    return compile(s->c, s->value, s->at, &s->node->items);
}

static int say_not(const struct said *s)
{
    return compile(s->c, s->value, s->at, &s->node->negated);
}

static int say_prefix(const struct said *s)
{
    return compile_list(s, &s->node->prefix);
}

static int say_group(const struct said *s)
{
    return compile_list(s, &s->node->groups[s->which]);
}

/* Definitions are compiled though nobody may refer to them: their mistakes are found. */
static int say_defs(const struct said *s)
{
    struct cg_schema_list list = { 0 };
    int rc = compile_map(s, &list);
    free(list.nodes);
    return rc;
}

static int say_unique(const struct said *s)
{
    if (!json_is_boolean(s->value))
        return wrong(s->c, s->at, "must be true or false");
    s->node->unique = json_is_true(s->value);
    return 0;
}

static int say_pattern(const struct said *s)
{
    struct cg_err why;
    const struct cogent_str text = { json_string_value(s->value), json_string_length(s->value) };
    if (!json_is_string(s->value))
        return wrong(s->c, s->at, "must be text");
    return cg_match_compile(text, CG_MATCH_ECMA, &s->node->pattern, &why) < 0
               ? wrong(s->c, s->at, why.message)
               : 0;
}

static int say_format(const struct said *s)
{
    if (!json_is_string(s->value))
        return wrong(s->c, s->at, "must be text");
    s->node->format = cg_schema_format_find(json_string_value(s->value));
    return 0;
}

static int say_bound(const struct said *s)
{
    struct cg_schema_bounded *b = &s->node->bounds[s->which];
    if (!cg_decimal_json(s->value, &b->number))
        return wrong(s->c, s->at, "must be a number");
    if (s->which == CG_MULTIPLE && (b->number.negative || b->number.n == 0))
        return wrong(s->c, s->at, "must be greater than 0");
    b->said = s->value;
    return 0;
}

static int say_count(const struct said *s)
{
    double n = json_number_value(s->value);
    if (!json_is_number(s->value) || !(n >= 0 && n <= 9e15) || (double)(int64_t)n != n)
        return wrong(s->c, s->at, "must be a whole number, 0 or more");
    s->node->counts[s->which] = (int64_t)n;
    return 0;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The pointer behind #, its %XX undone. */
static bool fragment(const char *ref, char *out, size_t size)
{
    size_t n = 0;
    if (*ref++ != '#' || strlen(ref) >= size)
        return false;
    for (; *ref; ref++) {
        int high = *ref == '%' ? hex_digit(ref[1]) : -1;
        int low = high >= 0 ? hex_digit(ref[2]) : -1;
        if (*ref == '%' && (low < 0 || high + low == 0))
            return false;
        out[n++] = *ref == '%' ? (char)(high * 16 + low) : *ref;
        ref += *ref == '%' ? 2 : 0;
    }
    out[n] = '\0';
    return true;
}

static int say_ref(const struct said *s)
{
    char pointer[512];
    if (!json_is_string(s->value) || !fragment(json_string_value(s->value), pointer, sizeof pointer))
        return wrong(s->c, s->at, "must be # or #/ and a path in this document");
    const json_t *target = cg_json_at(s->c->schema->document, pointer);
    if (!target)
        return wrong(s->c, s->at, "leads to nothing in this document");
    return compile(s->c, target, s->at, &s->node->ref);
}

static int say_nothing(const struct said *s)
{
    (void)s;
    return 0;
}

static const struct keyword {
    const char *name;
    int (*say)(const struct said *s);
    int which;
} keywords[] = {
    { "$comment", say_nothing },
    { "$defs", say_defs },
    { "$ref", say_ref },
    { "$schema", say_nothing },
    { "additionalProperties", say_others },
    { "allOf", say_group, CG_ALL_OF },
    { "anyOf", say_group, CG_ANY_OF },
    { "const", say_const },
    { "default", say_default },
    { "definitions", say_defs },
    { "deprecated", say_nothing },
    { "description", say_nothing },
    { "enum", say_enum },
    { "examples", say_nothing },
    { "exclusiveMaximum", say_bound, CG_BELOW },
    { "exclusiveMinimum", say_bound, CG_ABOVE },
    { "format", say_format },
    { "items", say_items },
    { "maxItems", say_count, CG_MAX_ITEMS },
    { "maxLength", say_count, CG_MAX_LENGTH },
    { "maxProperties", say_count, CG_MAX_PROPERTIES },
    { "maximum", say_bound, CG_MAXIMUM },
    { "minItems", say_count, CG_MIN_ITEMS },
    { "minLength", say_count, CG_MIN_LENGTH },
    { "minProperties", say_count, CG_MIN_PROPERTIES },
    { "minimum", say_bound, CG_MINIMUM },
    { "multipleOf", say_bound, CG_MULTIPLE },
    { "not", say_not },
    { "oneOf", say_group, CG_ONE_OF },
    { "pattern", say_pattern },
    { "prefixItems", say_prefix },
    { "properties", say_properties },
    { "readOnly", say_nothing },
    { "required", say_required },
    { "title", say_nothing },
    { "type", say_type },
    { "uniqueItems", say_unique },
    { "writeOnly", say_nothing },
};

enum { KEYWORDS = sizeof keywords / sizeof *keywords };

static int unknown(struct compiling *c, const char *key, const struct place *at)
{
    const char *names[KEYWORDS + 1] = { 0 };
    char words[120];
    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = keywords[i].name;
    const char *near = cg_nearest(key, names);
    snprintf(words, sizeof words, "is no keyword that is checked here%s%s%s", near ? "; did you mean " : "",
             near ? near : "", near ? "?" : "");
    return wrong(c, at, words);
}

static int say(struct compiling *c, struct cg_schema_node *node, const char *key, const json_t *value,
               const struct place *up)
{
    struct place at = { .up = up, .token = key };
    for (size_t i = 0; i < KEYWORDS; i++) {
        struct said s = { c, node, value, &at, keywords[i].which };
        if (strcmp(keywords[i].name, key) == 0)
            return keywords[i].say(&s);
    }
    return unknown(c, key, &at);
}

static struct cg_schema_node *known(const struct cg_schema *schema, const json_t *source)
{
    struct cg_schema_node *node = schema->nodes;
    while (node && node->source != source)
        node = node->next;
    return node;
}

static struct cg_schema_node *new_node(struct cg_schema *schema, const json_t *source)
{
    struct cg_schema_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->source = source;
    node->refuses = json_is_false(source);
    for (int i = 0; i < CG_COUNTS; i++)
        node->counts[i] = -1;
    node->next = schema->nodes;
    schema->nodes = node;
    schema->n++;
    return node;
}

static int compile(struct compiling *c, const json_t *source, const struct place *at,
                   struct cg_schema_node **out)
{
    const char *key;
    json_t *value;
    if (!json_is_object(source) && !json_is_boolean(source))
        return wrong(c, at, "must be a schema: an object, true or false");
    /* true and false are one value each in jansson, so one node each. */
    *out = known(c->schema, source);
    if (*out)
        return 0;
    if (c->schema->n == NODES_MAX || c->nesting == NESTING_MAX)
        return wrong(c, at, "is one schema too many");
    struct cg_schema_node *node = *out = new_node(c->schema, source);
    if (!node)
        return no_memory(c);
    c->nesting++;
    json_object_foreach ((json_t *)source, key, value) {
        int rc = say(c, node, key, value, at);
        if (rc < 0)
            return rc;
    }
    c->nesting--;
    return 0;
}

/* Whether a schema is asked about the same value again, for ever. */
static bool circles(struct cg_schema_node *node)
{
    if (!node || node->visit == 2)
        return false;
    if (node->visit == 1)
        return true;
    node->visit = 1;
    bool found = circles(node->ref) || circles(node->negated);
    for (int g = 0; g < CG_GROUPS; g++) {
        for (size_t i = 0; i < node->groups[g].n && !found; i++)
            found = circles(node->groups[g].nodes[i]);
    }
    node->visit = 2;
    return found;
}

static int judge(struct cg_schema *schema, struct cg_err *err)
{
    for (struct cg_schema_node *node = schema->nodes; node; node = node->next) {
        if (circles(node))
            return cg_err_set(err, COGENT_INVALID, "the schema: a $ref leads back to itself");
    }
    for (struct cg_schema_node *node = schema->nodes; node; node = node->next) {
        struct cg_err why;
        struct cg_schema part = { .root = node };
        if (node->preset && cg_schema_check(&part, node->preset, &why) < 0)
            return cg_err_set(err, COGENT_INVALID, "a default does not fit its own schema: %s", why.message);
    }
    return 0;
}

int cg_schema_compile(const json_t *schema, struct cg_schema **out, struct cg_err *err)
{
    *out = NULL;
    struct cg_schema *s = calloc(1, sizeof *s);
    if (!s)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    s->document = schema ? json_deep_copy(schema) : NULL;
    struct compiling c = { .schema = s, .err = err };
    int rc = s->document ? compile(&c, s->document, NULL, &s->root)
                         : cg_err_set(err, COGENT_INVALID, "the schema is missing");
    if (rc == 0)
        rc = judge(s, err);
    if (rc < 0) {
        cg_schema_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

void cg_schema_destroy(struct cg_schema *schema)
{
    if (!schema)
        return;
    for (struct cg_schema_node *node = schema->nodes, *next; node; node = next) {
        next = node->next;
        cg_match_destroy(node->pattern);
        free(node->members.nodes);
        free(node->prefix.nodes);
        for (int g = 0; g < CG_GROUPS; g++)
            free(node->groups[g].nodes);
        free(node);
    }
    json_decref(schema->document);
    free(schema);
}
