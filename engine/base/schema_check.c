/* SPDX-License-Identifier: Apache-2.0
 * Checking a value, and putting defaults in. */
#include "options.h"
#include "schema_tree.h"
#include "utf8.h"

#include <math.h>
#include <stdio.h>

enum { STEPS_MAX = 100000, DEPTH_MAX = 1000, PATH_SIZE = 160 };

/* Where in the value we stand: a member of an object, or an item when key is NULL. */
struct place {
    const struct place *up;
    const char *key;
    size_t index;
};

struct checking {
    long steps;
    unsigned depth;
    struct cg_err *err;
    unsigned far; /* how deep in the value the error lies */
};

static int check(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                 const struct place *at);

static void spell(const struct place *at, struct cg_buf *out)
{
    if (!at)
        return;
    spell(at->up, out);
    cg_buf_char(out, '/');
    if (!at->key)
        cg_buf_printf(out, "%zu", at->index);
    for (const char *p = at->key; p && *p; p++) {
        if (*p == '~' || *p == '/')
            cg_buf_text(out, *p == '~' ? "~0" : "~1");
        else
            cg_buf_char(out, *p);
    }
}

static int wrong(struct checking *c, const struct place *at, const char *words)
{
    cg_auto_buf path = { 0 };
    c->far = 0;
    for (const struct place *p = at; p; p = p->up)
        c->far++;
    if (!c->err)
        return COGENT_INVALID;
    spell(at, &path);
    struct cogent_str p = cg_buf_view(&path);
    size_t cut = p.len > PATH_SIZE ? cg_utf8_cut(p, PATH_SIZE) : p.len;
    return cg_err_set(c->err, COGENT_INVALID, "%.*s%s %s", at ? (int)cut : 9,
                      at ? p.ptr ? p.ptr : "" : "the value", at && cut < p.len ? "..." : "", words);
}

/* Whether there is still work to be spent; the sentence when there is not. */
static bool spent(struct checking *c, long steps)
{
    c->steps -= steps;
    return c->steps <= 0 || c->depth >= DEPTH_MAX;
}

static int give_up(struct checking *c)
{
    c->steps = 0; /* for good */
    return cg_err_set(c->err, COGENT_LIMIT, "the value needs more than %d steps to be checked", STEPS_MAX);
}

static bool whole(const json_t *value)
{
    if (json_is_integer(value))
        return true;
    double real = json_real_value(value);
    return json_is_real(value) && isfinite(real) && floor(real) == real;
}

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return CG_TYPE_OBJECT;
    case JSON_ARRAY:
        return CG_TYPE_ARRAY;
    case JSON_STRING:
        return CG_TYPE_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return CG_TYPE_NUMBER | (whole(value) ? CG_TYPE_INTEGER : 0);
    case JSON_NULL:
        return CG_TYPE_NULL;
    default:
        return CG_TYPE_BOOLEAN;
    }
}

static int wrong_type(struct checking *c, unsigned types, const struct place *at)
{
    static const char *const names[] = { "null",     "true or false", "an object",     "a list",
                                         "a number", "text",          "a whole number" };
    char words[120] = "must be";
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(words);
        if (types & 1u << i)
            snprintf(words + n, sizeof words - n, "%s %s", n > 7 ? " or" : "", names[i]);
    }
    return wrong(c, at, words);
}

static int wrong_choice(struct checking *c, const json_t *choices, const struct place *at)
{
    char words[220];
    cg_auto_buf list = { 0 };
    for (size_t i = 0; i < json_array_size(choices) && list.len < 200; i++) {
        cg_buf_text(&list, i ? ", " : "");
        cg_json_add(&list, json_array_get(choices, i));
    }
    if (!json_is_array(choices))
        cg_json_add(&list, choices);
    struct cogent_str all = cg_buf_view(&list);
    size_t cut = cg_utf8_cut(all, 180);
    snprintf(words, sizeof words, "must be %s%.*s%s", json_array_size(choices) > 1 ? "one of " : "", (int)cut,
             all.ptr, cut < all.len ? "..." : "");
    return wrong(c, at, words);
}

static int check_choices(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                         const struct place *at)
{
    bool found = !node->choices;
    bool same = !node->constant || cg_schema_equal(node->constant, value, &c->steps);
    for (size_t i = 0; i < json_array_size(node->choices) && !found; i++)
        found = cg_schema_equal(json_array_get(node->choices, i), value, &c->steps);
    if (spent(c, 0))
        return give_up(c);
    if (!same)
        return wrong_choice(c, node->constant, at);
    return found ? 0 : wrong_choice(c, node->choices, at);
}

static int check_bounds(struct checking *c, const struct cg_schema_node *node,
                        const struct cg_decimal *number, const struct place *at)
{
    static const char *const names[CG_BOUNDS] = { "at least", "at most", "greater than", "less than",
                                                  "a multiple of" };
    for (int i = 0; i < CG_BOUNDS; i++) {
        const struct cg_schema_bounded *b = &node->bounds[i];
        int order = b->said ? cg_decimal_compare(number, &b->number) : 0;
        bool ok = !b->said || (i == CG_MINIMUM   ? order >= 0
                               : i == CG_MAXIMUM ? order <= 0
                               : i == CG_ABOVE   ? order > 0
                               : i == CG_BELOW   ? order < 0
                                                 : cg_decimal_multiple(number, &b->number));
        if (!ok) {
            char words[80];
            cg_auto_free char *text = cg_json_text(b->said);
            snprintf(words, sizeof words, "must be %s %s", names[i], text ? text : "?");
            return wrong(c, at, words);
        }
    }
    return 0;
}

static int check_count(struct checking *c, int64_t least, int64_t most, size_t n, const char *what,
                       const struct place *at)
{
    char words[80];
    bool few = least >= 0 && (int64_t)n < least;
    if (!few && (most < 0 || (int64_t)n <= most))
        return 0;
    int64_t bound = few ? least : most;
    snprintf(words, sizeof words, "must have at %s %lld %s%s", few ? "least" : "most", (long long)bound, what,
             bound == 1 ? "" : "s");
    return wrong(c, at, words);
}

static int check_string(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                        const struct place *at)
{
    struct cogent_str s = { json_string_value(value), json_string_length(value) };
    size_t characters = 0;
    struct cg_decimal number;
    if (spent(c, (long)(s.len / 256)))
        return give_up(c);
    for (size_t i = 0; i < s.len; i++)
        characters += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    int rc =
        check_count(c, node->counts[CG_MIN_LENGTH], node->counts[CG_MAX_LENGTH], characters, "character", at);
    if (rc < 0)
        return rc;
    const char *why = cg_schema_format_wrong(node->format, s);
    if (why)
        return wrong(c, at, why);
    if (node->pattern && spent(c, 500))
        return give_up(c);
    if (node->pattern && !cg_schema_pattern_match(node->pattern, s)) {
        char words[120];
        const char *text = cg_json_str(node->source, "pattern", "");
        size_t cut = cg_utf8_cut(cogent_str(text), 80);
        snprintf(words, sizeof words, "must match %.*s%s", (int)cut, text, text[cut] ? "..." : "");
        return wrong(c, at, words);
    }
    if (node->format == CG_FORMAT_DECIMAL && cg_decimal_parse(s, &number))
        return check_bounds(c, node, &number, at);
    return 0;
}

static int check_items(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                       const struct place *at)
{
    size_t n = json_array_size(value), a = 0, b = 0;
    int rc = check_count(c, node->counts[CG_MIN_ITEMS], node->counts[CG_MAX_ITEMS], n, "item", at);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct place item = { .up = at, .index = i };
        const struct cg_schema_node *of = i < node->prefix.n ? node->prefix.nodes[i] : node->items;
        if (of)
            rc = check(c, of, json_array_get(value, i), &item);
    }
    if (rc == 0 && node->unique && cg_schema_twins(value, &a, &b, &c->steps)) {
        char words[80];
        struct place item = { .up = at, .index = b };
        snprintf(words, sizeof words, "is the same as item %zu; all must differ", a);
        rc = wrong(c, &item, words);
    }
    return rc == 0 && spent(c, 0) ? give_up(c) : rc;
}

static int unknown(struct checking *c, const struct cg_schema_node *node, const struct place *at)
{
    const char *names[65], *key, *near = NULL;
    size_t n = 0;
    char words[160];
    json_t *value;
    json_object_foreach ((json_t *)node->properties, key, value) {
        if (n < 64)
            names[n++] = key;
    }
    names[n] = NULL;
    near = cg_nearest(at->key, names);
    snprintf(words, sizeof words, "is not known%s%s%s", near ? "; did you mean " : "", near ? near : "",
             near ? "?" : "");
    return wrong(c, at, words);
}

static int check_others(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                        const struct place *at)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        struct place named = { .up = at, .key = key };
        if (json_object_get(node->properties, key))
            continue;
        int rc = node->others->refuses ? unknown(c, node, &named) : check(c, node->others, member, &named);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A name that is not known comes before one that is missing: it may be the same one, misspelt. */
static int check_members(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                         const struct place *at)
{
    const char *key;
    json_t *source;
    size_t i = 0;
    int rc = node->others ? check_others(c, node, value, at) : 0;
    if (rc == 0)
        rc = check_count(c, node->counts[CG_MIN_PROPERTIES], node->counts[CG_MAX_PROPERTIES],
                         json_object_size(value), "member", at);
    for (size_t k = 0; k < json_array_size(node->required) && rc == 0; k++) {
        struct place missing = { .up = at, .key = json_string_value(json_array_get(node->required, k)) };
        if (!json_object_get(value, missing.key))
            rc = wrong(c, &missing, "is missing");
    }
    json_object_foreach ((json_t *)node->properties, key, source) {
        struct place named = { .up = at, .key = key };
        const struct cg_schema_node *of = node->members.nodes[i++];
        const json_t *given = rc == 0 ? json_object_get(value, key) : NULL;
        if (given)
            rc = check(c, of, given, &named);
    }
    return rc;
}

/* How many of a list the value fits. Of those that it does not fit, the error that lies deepest is kept. */
static size_t fits(struct checking *c, const struct cg_schema_list *list, const json_t *value,
                   const struct place *at, struct cg_err *best)
{
    size_t n = 0;
    unsigned far = 0;
    struct cg_err *outer = c->err;
    for (size_t i = 0; i < list->n && c->steps > 0; i++) {
        struct cg_err why = { 0 };
        c->err = &why;
        if (check(c, list->nodes[i], value, at) == 0) {
            n++;
        } else if (!best->code || c->far > far) {
            far = c->far;
            *best = why;
        }
    }
    c->err = outer;
    c->far = far;
    return n;
}

static int check_groups(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                        const struct place *at)
{
    const struct cg_schema_list *all = &node->groups[CG_ALL_OF];
    for (size_t i = 0; i < all->n; i++) {
        int rc = check(c, all->nodes[i], value, at);
        if (rc < 0)
            return rc;
    }
    for (int g = CG_ANY_OF; g <= CG_ONE_OF; g++) {
        struct cg_err best = { 0 };
        size_t n = node->groups[g].n ? fits(c, &node->groups[g], value, at, &best) : 1;
        if (spent(c, 0))
            return give_up(c);
        if (n == 0)
            return cg_err_set(c->err, COGENT_INVALID, "%s", best.message);
        if (n > 1 && g == CG_ONE_OF)
            return wrong(c, at, "fits more than one of the forms of which it must fit exactly one");
    }
    if (node->negated) {
        struct cg_err ignored, *outer = c->err;
        c->err = &ignored;
        int rc = check(c, node->negated, value, at);
        c->err = outer;
        if (spent(c, 0))
            return give_up(c);
        if (rc == 0)
            return wrong(c, at, "has a form that is not accepted");
    }
    return 0;
}

static int check_form(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                      const struct place *at)
{
    struct cg_decimal number;
    if (json_is_object(value))
        return check_members(c, node, value, at);
    if (json_is_array(value))
        return check_items(c, node, value, at);
    if (json_is_string(value))
        return check_string(c, node, value, at);
    return cg_decimal_json(value, &number) ? check_bounds(c, node, &number, at) : 0;
}

static int check(struct checking *c, const struct cg_schema_node *node, const json_t *value,
                 const struct place *at)
{
    /* A step for the schema and one for each thing that it names. */
    if (spent(c, 1 + (long)node->members.n + (long)json_array_size(node->required)))
        return give_up(c);
    if (node->refuses)
        return wrong(c, at, "is not accepted");
    if (node->types && !(node->types & type_of(value)))
        return wrong_type(c, node->types, at);
    c->depth++;
    int rc = check_choices(c, node, value, at);
    if (rc == 0)
        rc = check_form(c, node, value, at);
    if (rc == 0)
        rc = check_groups(c, node, value, at);
    if (rc == 0 && node->ref)
        rc = check(c, node->ref, value, at);
    c->depth--;
    return rc;
}

int cg_schema_check(const struct cg_schema *schema, const json_t *value, struct cg_err *err)
{
    struct checking c = { .steps = STEPS_MAX, .err = err };
    if (!value)
        return cg_err_set(err, COGENT_INVALID, "the value is missing");
    return check(&c, schema->root, value, NULL);
}

/* The default of a schema, its own or that of what it refers to. */
static const json_t *preset(const struct cg_schema_node *node)
{
    while (node && !node->preset)
        node = node->ref;
    return node ? node->preset : NULL;
}

static int fill(struct checking *c, const struct cg_schema_node *node, json_t *value);

static int fill_members(struct checking *c, const struct cg_schema_node *node, json_t *value)
{
    const char *key;
    json_t *source;
    size_t i = 0;
    int rc = 0;
    json_object_foreach ((json_t *)node->properties, key, source) {
        const struct cg_schema_node *of = node->members.nodes[i++];
        json_t *given = json_object_get(value, key);
        const json_t *missing = given ? NULL : preset(of);
        if (given)
            rc = fill(c, of, given);
        else if (missing && json_object_set_new(value, key, json_deep_copy(missing)) < 0)
            rc = COGENT_NO_MEMORY;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int fill(struct checking *c, const struct cg_schema_node *node, json_t *value)
{
    int rc = 0;
    if (spent(c, 1 + (long)node->members.n))
        return COGENT_LIMIT;
    c->depth++;
    if (json_is_object(value))
        rc = fill_members(c, node, value);
    for (size_t i = 0; i < json_array_size(value) && rc == 0; i++) {
        const struct cg_schema_node *of = i < node->prefix.n ? node->prefix.nodes[i] : node->items;
        if (of)
            rc = fill(c, of, json_array_get(value, i));
    }
    for (size_t i = 0; i < node->groups[CG_ALL_OF].n && rc == 0; i++)
        rc = fill(c, node->groups[CG_ALL_OF].nodes[i], value);
    if (rc == 0 && node->ref)
        rc = fill(c, node->ref, value);
    c->depth--;
    return rc;
}

int cg_schema_fill(const struct cg_schema *schema, json_t *value)
{
    struct checking c = { .steps = STEPS_MAX };
    return fill(&c, schema->root, value);
}
