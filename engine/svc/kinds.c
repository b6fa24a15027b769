/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include "engine/base/options.h"
#include "rbac.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct cg_kinds {
    json_t *entities;
    struct cg_kind *kinds;
    size_t n;
};

static const char *const known[] = { "read",  "domain", "title", "url",   "id",    "fields",
                                     "chunk", "acl",    "feed",  "fresh", "stamp", NULL };

static const char *reference(const json_t *value)
{
    return cg_json_str(value, "$fn", NULL);
}

static int unknown_member(const char *name, const json_t *entity, struct cg_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)entity, key, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i]) {
            const char *near = cg_nearest(key, known);
            return cg_err_set(err, COGENT_INVALID, "entities/%s.lua: %s is not known%s%s%s", name, key,
                              near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        }
    }
    return 0;
}

static int read_kind(struct cg_kind *k, const char *name, const json_t *entity, struct cg_err *err)
{
    if (!json_is_object(entity))
        return cg_err_set(err, COGENT_INVALID, "entities/%s.lua must return a table", name);
    int rc = unknown_member(name, entity, err);
    if (rc < 0)
        return rc;
    *k = (struct cg_kind){
        .name = name,
        .read = cg_json_str(entity, "read", NULL),
        .domain = cg_json_str(entity, "domain", ""),
        .title = cg_json_str(entity, "title", NULL),
        .url = cg_json_str(entity, "url", NULL),
        .id = cg_json_str(entity, "id", NULL),
        .fields = json_object_get(entity, "fields"),
        .chunk = reference(json_object_get(entity, "chunk")),
        .acl = reference(json_object_get(entity, "acl")),
        .feed = json_object_get(entity, "feed"),
    };
    k->stamp = cg_json_str(entity, "stamp", cg_json_str(k->feed, "stamp", NULL));
    if (!k->read)
        return cg_err_set(err, COGENT_INVALID,
                          "entities/%s.lua: read is missing: name the permission that may be shown one",
                          name);
    if (!k->title)
        return cg_err_set(err, COGENT_INVALID, "entities/%s.lua: title is missing", name);
    if (json_object_get(entity, "acl") && !k->acl)
        return cg_err_set(err, COGENT_INVALID,
                          "entities/%s.lua: acl must be a function(r) that returns a list of names", name);
    if (json_object_get(entity, "chunk") && !k->chunk)
        return cg_err_set(err, COGENT_INVALID,
                          "entities/%s.lua: chunk must be a function(r) that returns a list of texts", name);
    if (k->feed && !k->chunk)
        return cg_err_set(err, COGENT_INVALID,
                          "entities/%s.lua: a kind with a feed needs chunk = function(r)", name);
    return 0;
}

int cg_kinds_create(const json_t *entities, struct cg_kinds **out, struct cg_err *err)
{
    const char *name;
    json_t *entity;
    *out = NULL;
    struct cg_kinds *kinds = calloc(1, sizeof *kinds);
    if (kinds)
        kinds->kinds = calloc(json_object_size(entities) + 1, sizeof *kinds->kinds);
    if (!kinds || !kinds->kinds) {
        free(kinds);
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    kinds->entities = json_incref((json_t *)entities);
    json_object_foreach (kinds->entities, name, entity) {
        int rc = read_kind(&kinds->kinds[kinds->n++], name, entity, err);
        if (rc < 0) {
            cg_kinds_destroy(kinds);
            return rc;
        }
    }
    *out = kinds;
    return 0;
}

void cg_kinds_destroy(struct cg_kinds *kinds)
{
    if (!kinds)
        return;
    json_decref(kinds->entities);
    free(kinds->kinds);
    free(kinds);
}

const struct cg_kind *cg_kind_find(const struct cg_kinds *kinds, const char *name)
{
    for (size_t i = 0; i < kinds->n; i++) {
        if (strcmp(kinds->kinds[i].name, name) == 0)
            return &kinds->kinds[i];
    }
    return NULL;
}

size_t cg_kind_count(const struct cg_kinds *kinds)
{
    return kinds->n;
}

const struct cg_kind *cg_kind_get(const struct cg_kinds *kinds, size_t i)
{
    return &kinds->kinds[i];
}

json_t *cg_kinds_readable(const struct cg_kinds *kinds, const json_t *permissions)
{
    json_t *list = json_array();
    for (size_t i = 0; i < kinds->n; i++) {
        if (cg_rbac_allows(permissions, kinds->kinds[i].read))
            json_array_append_new(list, json_string(kinds->kinds[i].name));
    }
    return list;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* `word`, or it with an s behind, stands alone in the text. */
static bool says(struct cogent_str text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++) {
        if ((i && word_char(text.ptr[i - 1])) || strncasecmp(text.ptr + i, word, n) != 0)
            continue;
        size_t end = i + n;
        if (end < text.len && (text.ptr[end] == 's' || text.ptr[end] == 'S'))
            end++;
        if (end == text.len || !word_char(text.ptr[end]))
            return true;
    }
    return false;
}

json_t *cg_kinds_named(const json_t *kinds, struct cogent_str question)
{
    size_t i;
    json_t *kind;
    json_t *named = json_array();
    json_array_foreach (kinds, i, kind) {
        const char *name = json_string_value(kind) ? json_string_value(kind) : "";
        const char *last = strrchr(name, '_');
        if (says(question, last ? last + 1 : name))
            json_array_append(named, kind);
    }
    return named;
}

const json_t *cg_kind_path(const json_t *record, const char *path)
{
    char member[64];
    while (record && *path && !json_is_null(record)) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof member)
            return NULL;
        memcpy(member, path, n);
        member[n] = '\0';
        record = json_object_get(record, member);
        path += n + (path[n] == '.');
    }
    return record;
}

bool cg_kind_says(const json_t *record, const char *path)
{
    return cg_kind_path(record, path) != NULL;
}

static void add_scalar(const json_t *value, bool percent, struct cg_buf *out)
{
    cg_auto_buf text = { 0 };
    if (json_is_string(value))
        cg_buf_text(&text, json_string_value(value));
    else if (json_is_number(value) || json_is_boolean(value))
        cg_json_add(&text, value);
    if (percent)
        cg_buf_percent(out, cg_buf_view(&text));
    else
        cg_buf_str(out, cg_buf_view(&text));
}

void cg_kind_fill(const char *pattern, const json_t *columns, const json_t *record, const json_t *tenant,
                  bool percent, struct cg_buf *out)
{
    char name[64];
    while (*pattern) {
        size_t n = strcspn(pattern, "{");
        cg_buf_add(out, pattern, n);
        pattern += n;
        if (*pattern != '{')
            return;
        n = strcspn(pattern, "}");
        if (pattern[n] != '}' || n - 1 >= sizeof name)
            return;
        memcpy(name, pattern + 1, n - 1);
        name[n - 1] = '\0';
        pattern += n + 1;
        if (strncmp(name, "tenant.", 7) == 0) {
            add_scalar(json_object_get(tenant, name + 7), false,
                       out); /* the operator's: a base, not a segment */
            continue;
        }
        const json_t *value = json_object_get(columns, name);
        add_scalar(value ? value : cg_kind_path(record, name), percent, out);
    }
}
