/* SPDX-License-Identifier: Apache-2.0
 * What a tool makes of the answer: result, pages, errors.
 */
#include "declaration.h"

#include "common/json.h"
#include "errors.h"

#include <stdio.h>
#include <stdlib.h>

/* A pointer of a table: the tool's own, else the service's. "" when neither says it. */
static int pointer(struct th_reading *r, const char *table, const char *key, const char **out)
{
    json_t *own = json_object_get(json_object_get(r->own, table), key);
    json_t *value = own ? own : json_object_get(json_object_get(r->service, table), key);
    *out = value ? json_string_value(value) : NULL;
    if (value && (!*out || !cp_pointer_valid(*out)))
        return th_wrong(r->error, "%s.%s: a JSON pointer such as \"/data\"", table, key);
    return 0;
}

/* --- result --- */

static int add_keep(struct th_reading *r, const char *name, const char *path)
{
    struct th_result *result = &r->tool->result;
    struct th_keep *grown = realloc(result->keep, (result->n_keep + 1) * sizeof *grown);
    if (!grown)
        return COGENT_NO_MEMORY;
    result->keep = grown;
    grown[result->n_keep].name = strdup(name);
    grown[result->n_keep].path = path;
    return grown[result->n_keep++].name ? 0 : COGENT_NO_MEMORY;
}

/* "a" keeps a member; a table's b = "path.to.b" renames. A mixed table comes with its places as keys "1", "2". */
static int keep_entry(struct th_reading *r, const char *key, json_t *value)
{
    const char *path = json_string_value(value), *inner;
    json_t *entry;
    int place = !key || key[strspn(key, "0123456789")] == '\0';
    if (place && json_is_object(value)) {
        json_object_foreach (value, inner, entry) {
            if (!json_is_string(entry))
                return th_wrong(r->error, "result.keep: %s: a path such as \"customer.name\"", inner);
            if (add_keep(r, inner, json_string_value(entry)) != 0)
                return COGENT_NO_MEMORY;
        }
        return 0;
    }
    if (!path || !*path)
        return th_wrong(r->error, "result.keep: names, and name = \"path.to.it\"");
    if (place && strchr(path, '.'))
        return th_wrong(r->error, "result.keep: \"%s\" needs a name: name = \"%s\"", path, path);
    return add_keep(r, place ? path : key, path);
}

static int declare_keep(struct th_reading *r, json_t *keep)
{
    const char *key;
    json_t *value;
    size_t i;
    int err = 0;
    if (!json_is_array(keep) && !json_is_object(keep))
        return th_wrong(r->error, "result.keep: a list of names");
    json_array_foreach (keep, i, value) {
        err = err ? err : keep_entry(r, NULL, value);
    }
    json_object_foreach (keep, key, value) {
        err = err ? err : keep_entry(r, key, value);
    }
    return err;
}

static int declare_result(struct th_reading *r)
{
    static const char *const known[] = { "at", "keep", NULL };
    json_t *result = th_said(r, "result");
    struct th_result *out = &r->tool->result;
    if (result && !json_is_object(result))
        return th_wrong(r->error, "result: { at, keep } or a function");
    out->function = th_reference(result);
    if (!out->function && th_only(r->error, "result", result, known) != 0)
        return COGENT_INVALID;
    int err = pointer(r, "result", "at", &out->at);
    if (!out->at)
        out->at = "";
    json_t *keep = out->function ? NULL : json_object_get(result, "keep");
    return err || !keep ? err : declare_keep(r, keep);
}

/* --- pages --- */

static int declare_pages(struct th_reading *r)
{
    static const char *const known[] = { "size", "max", "next", NULL };
    json_t *pages = th_said(r, "pages");
    struct th_pages *out = &r->tool->pages;
    if (!pages || !json_object_size(pages))
        return 0;
    json_t *size = json_object_get(pages, "size"), *max = json_object_get(pages, "max");
    if (th_only(r->error, "pages", pages, known) != 0)
        return COGENT_INVALID;
    if (r->tool->abi.effect == COGENT_WRITE)
        return th_wrong(r->error, "pages: a write has none");
    if (!json_is_integer(size) || json_integer_value(size) < 1 || json_integer_value(size) > 10000)
        return th_wrong(r->error, "pages.size: a whole number from 1 to 10000");
    if (!json_is_integer(max) || json_integer_value(max) < 1 || json_integer_value(max) > 100000)
        return th_wrong(r->error, "pages.max: a whole number from 1 to 100000");
    out->size = json_integer_value(size);
    out->max = json_integer_value(max);
    const char *next = json_string_value(json_object_get(pages, "next"));
    out->link = next && strcmp(next, "link") == 0;
    if (json_object_get(pages, "next") && !out->link && (!next || !*next || !cp_pointer_valid(next)))
        return th_wrong(r->error, "pages.next: a JSON pointer such as \"/cursor\", or \"link\"");
    out->next = out->link ? NULL : next;
    out->address = out->next && !(r->used & (TH_CURSOR | TH_FUNCTION));
    if ((r->used & TH_CURSOR) && !out->next)
        return th_wrong(r->error, "{page.cursor} without pages.next");
    if (!next && !(r->used & (TH_PAGE | TH_FUNCTION)))
        return th_wrong(r->error,
                        "pages: nothing that is sent says which page: {page.offset}, {page.number}, or next");
    return 0;
}

/* --- errors --- */

static int declare_map(struct th_reading *r, json_t *map)
{
    const char *code;
    json_t *value;
    if (json_is_array(map) && json_array_size(map) == 0)
        return 0;
    if (!json_is_object(map))
        return th_wrong(r->error, "errors.map: code or status = \"class\"");
    json_object_foreach (map, code, value) {
        if (!json_is_string(value) || th_class(json_string_value(value)) == 0)
            return th_wrong(r->error,
                            "errors.map: %s: one of invalid, denied, not_found, conflict, auth, limit, "
                            "unavailable, upstream, timeout",
                            code);
        if (json_object_set(r->tool->errors.map, code, value) != 0)
            return COGENT_NO_MEMORY;
    }
    return 0;
}

static int declare_errors(struct th_reading *r)
{
    static const char *const known[] = { "at", "code", "message", "map", NULL };
    struct th_errors *out = &r->tool->errors;
    json_t *service = json_object_get(r->service, "errors"), *own = json_object_get(r->own, "errors");
    out->map = json_object();
    int err = th_only(r->error, "errors", service, known);
    err = err ? err : th_only(r->error, "errors", own, known);
    err = err ? err : pointer(r, "errors", "at", &out->at);
    if (!err && out->at && !*out->at)
        err = th_wrong(r->error, "errors.at: the whole answer cannot be the error");
    err = err ? err : pointer(r, "errors", "code", &out->code);
    err = err ? err : pointer(r, "errors", "message", &out->message);
    json_t *maps[] = { json_object_get(service, "map"), json_object_get(own, "map") };
    for (size_t i = 0; i < 2 && !err; i++)
        if (maps[i])
            err = declare_map(r, maps[i]);
    return err;
}

int th_declare_answer(struct th_reading *r)
{
    int err = declare_result(r);
    err = err || r->login ? err : declare_pages(r);
    return err ? err : declare_errors(r);
}
