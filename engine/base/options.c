/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein, for words of at most 47 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[48], la = strlen(a), lb = strlen(b);
    if (la > 47 || lb > 47)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t up = row[j];
            row[j] = smallest(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = up;
        }
    }
    return row[lb];
}

const char *cg_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t least = strlen(word) / 2 + 1;
    for (; *names; names++) {
        size_t d = distance(word, *names);
        if (d < least) {
            least = d;
            best = *names;
        }
    }
    return best;
}

static const char *const type_names[] = { "string", "integer", "boolean", "number", "secret", "table" };

static const char *const wanted_names[] = { "a string", "an integer", "true or false",
                                            "a number", "a secret",   "a table" };

static int fill_one(const struct cogent_option *o, const json_t *v, char *at, const char *where,
                    struct cg_err *err)
{
    bool ok = false;
    switch (o->type) {
    case COGENT_OPT_STRING:
    case COGENT_OPT_SECRET:
        ok = json_is_string(v);
        if (ok)
            *(char **)at = cg_str_dup(cogent_str(json_string_value(v)));
        break;
    case COGENT_OPT_INT:
        ok = json_is_integer(v);
        if (ok)
            *(int64_t *)at = json_integer_value(v);
        break;
    case COGENT_OPT_BOOL:
        ok = json_is_boolean(v);
        if (ok)
            *(int *)at = json_is_true(v);
        break;
    case COGENT_OPT_NUMBER:
        ok = json_is_number(v);
        if (ok)
            *(double *)at = json_number_value(v);
        break;
    case COGENT_OPT_JSON:
        ok = true;
        *(char **)at = cg_json_text(v);
        break;
    default:
        break;
    }
    if (!ok)
        return cg_err_set(err, COGENT_INVALID, "%s: %s must be %s", where, o->key, wanted_names[o->type]);
    return 0;
}

static int fill_preset(const struct cogent_option *o, char *at, const char *where, struct cg_err *err)
{
    struct cogent_str text = cogent_str(o->preset);
    if (o->type == COGENT_OPT_STRING || o->type == COGENT_OPT_SECRET) {
        *(char **)at = cg_str_dup(text);
        return *(char **)at ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    cg_auto_json value = cg_json_parse(text, err);
    return value ? fill_one(o, value, at, where, err) : COGENT_INTERNAL;
}

static int unknown_key(const struct cogent_option *table, const char *key, const char *where,
                       struct cg_err *err)
{
    const char *names[64];
    size_t n = 0;
    for (; table->key && n < 63; table++)
        names[n++] = table->key;
    names[n] = NULL;
    const char *near = cg_nearest(key, names);
    return cg_err_set(err, COGENT_INVALID, "%s: %s is not known%s%s%s", where, key,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int cg_options_fill(const struct cogent_option *table, const json_t *object, void *out, const char *where,
                    struct cg_err *err)
{
    const char *key;
    json_t *value;
    if (object && !json_is_object(object))
        return cg_err_set(err, COGENT_INVALID, "%s must be a table", where);
    json_object_foreach ((json_t *)object, key, value) {
        const struct cogent_option *o = table;
        while (o->key && strcmp(o->key, key) != 0)
            o++;
        if (!o->key)
            return unknown_key(table, key, where, err);
    }
    for (const struct cogent_option *o = table; o->key; o++) {
        char *at = (char *)out + o->offset;
        const json_t *given = json_object_get(object, o->key);
        int rc = given && !json_is_null(given) ? fill_one(o, given, at, where, err)
                 : o->preset                   ? fill_preset(o, at, where, err)
                                               : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

void cg_options_finish(const struct cogent_option *table, void *out)
{
    for (; table->key; table++) {
        char **at = (char **)((char *)out + table->offset);
        if (table->type == COGENT_OPT_STRING || table->type == COGENT_OPT_SECRET ||
            table->type == COGENT_OPT_JSON) {
            free(*at);
            *at = NULL;
        }
    }
}

void cg_options_markdown(const struct cogent_option *table, struct cg_buf *out)
{
    cg_buf_text(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (; table->key; table++)
        cg_buf_printf(out, "| `%s` | %s | %s%s%s | %s |\n", table->key, type_names[table->type],
                      table->preset ? "`" : "", table->preset ? table->preset : "none",
                      table->preset ? "`" : "", table->help);
}
