/* SPDX-License-Identifier: Apache-2.0
 * POST /v1/search; GET, PUT, DELETE /v1/documents/{type}/{id}. Kinds that the caller may not read are a condition of
 * the statement: to them they do not exist. */
#include "request.h"

#include "engine/base/clock.h"

#include <stdlib.h>

struct reading {
    struct cg_request *r;
    json_t *found;
    char *kinds, *principals, *query;
    bool chunks;
};

static void reading_free(struct reading *d)
{
    json_decref(d->found);
    free(d->kinds);
    free(d->principals);
    free(d->query);
    free(d);
}

static void on_gone(struct cg_request *r)
{
    cg_op_cancel(r->env->loop, r->op, COGENT_CANCELLED); /* nothing calls back any more */
    reading_free(r->data);
}

static json_t *text_of(struct cogent_str s)
{
    return cg_json_strn(s);
}

static void on_found(void *arg, const struct cogent_found *f)
{
    struct reading *d = arg;
    char as_of[CG_TIME_SIZE];
    cg_auto_json columns = cg_json_parse(f->columns, NULL);
    json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:O, s:I}", "type", text_of(f->type), "id", text_of(f->id),
                            "title", text_of(f->title), "text", text_of(f->text), "fields",
                            columns ? columns : json_null(), "chunk", (json_int_t)f->chunk);
    if (!row)
        return;
    if (!d->chunks)
        json_object_set_new(row, "score", json_real(f->score));
    if (f->as_of)
        json_object_set_new(row, "as_of", json_string(cg_time_format(f->as_of, as_of)));
    if (f->stamp.len)
        json_object_set_new(row, "version", text_of(f->stamp));
    json_array_append_new(d->found, row);
}

static void on_done(void *arg, int err, const char *why)
{
    struct reading *d = arg;
    struct cg_request *r = d->r;
    (void)why;
    r->gone = NULL;
    if (err < 0)
        cg_answer_error(r, err, NULL, "The records could not be read.");
    else if (d->chunks && json_array_size(d->found) == 0)
        cg_answer_error(r, COGENT_NOT_FOUND, NULL, "There is no such record for you.");
    else if (d->chunks)
        cg_answer_data(r, 200,
                       json_pack("{s:O, s:O, s:O, s:O?, s:O, s:b}", "type",
                                 json_object_get(json_array_get(d->found, 0), "type"), "id",
                                 json_object_get(json_array_get(d->found, 0), "id"), "title",
                                 json_object_get(json_array_get(d->found, 0), "title"), "version",
                                 json_object_get(json_array_get(d->found, 0), "version"), "chunks", d->found,
                                 "embedded", 0));
    else
        cg_answer_list(r, json_incref(d->found), NULL);
    reading_free(d);
}

/* Only kinds that were asked for, if any were. */
static json_t *narrow(json_t *readable, const json_t *asked)
{
    size_t i, k;
    json_t *kind, *want;
    json_t *list = json_array();
    json_array_foreach (readable, i, kind) {
        bool wanted = !json_is_array(asked);
        json_array_foreach (asked, k, want)
            wanted = wanted || json_equal(kind, want);
        if (wanted)
            json_array_append(list, kind);
    }
    return list;
}

static void start(struct cg_request *r, struct cogent_search *search, const json_t *kinds, bool chunks)
{
    const struct cg_retriever *retriever = cg_retriever_get(r->env->run->plugins);
    struct reading *d = retriever ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        cg_answer_error(r, COGENT_UNAVAILABLE, NULL, "No retriever is loaded.");
        return;
    }
    cg_auto_json readable = cg_kinds_readable(r->env->run->kinds, r->caller->permissions);
    cg_auto_json asked = narrow(readable, kinds);
    d->r = r;
    d->found = json_array();
    d->chunks = chunks;
    d->kinds = cg_json_text(asked);
    d->principals = cg_caller_principals(r->caller);
    d->query = cg_str_dup(search->query);
    search->kinds = cogent_str(d->kinds);
    search->principals = cogent_str(d->principals);
    search->query = cogent_str(d->query);
    r->data = d;
    r->gone = on_gone;
    if (cogent_op_none(
            cg_invoke_search(&r->env->run->invoke, r->op, retriever, search, 0, on_found, on_done, d)))
        on_done(d, COGENT_NO_MEMORY, "");
}

void cg_route_search(struct cg_request *r)
{
    const json_t *query = json_object_get(r->body, "query");
    if (!json_is_string(query) || json_string_length(query) == 0) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "query must be a string that is not empty.");
        return;
    }
    int64_t limit = cg_json_int(r->body, "limit", 8);
    struct cogent_search search = {
        .what = COGENT_SEARCH,
        .query = { json_string_value(query), json_string_length(query) },
        .limit = limit < 1    ? 1
                 : limit > 50 ? 50
                              : (uint32_t)limit,
    };
    start(r, &search, json_object_get(r->body, "types"), false);
}

void cg_route_document_get(struct cg_request *r)
{
    struct cogent_search search = {
        .what = COGENT_SHOW, .type = cogent_str(r->params[0]), .id = cogent_str(r->params[1]), .limit = 1000
    };
    start(r, &search, NULL, true);
}

static bool known_kind(struct cg_request *r)
{
    if (cg_kind_find(r->env->run->kinds, r->params[0]))
        return true;
    cg_answer_error(r, COGENT_NOT_FOUND, "type_unknown",
                    "There is no kind of record of this name (entities/).");
    return false;
}

static void on_written(void *arg, int err, const char *message)
{
    struct cg_request *r = arg;
    if (err < 0)
        cg_answer_error(r, err, NULL, "%s", message);
    else
        cg_answer_data(
            r, 200, json_pack("{s:s, s:s, s:s}", "type", r->params[0], "id", r->params[1], "state", message));
}

void cg_route_document_put(struct cg_request *r)
{
    const json_t *record = json_object_get(r->body, "record") ? json_object_get(r->body, "record") : r->body;
    const struct cg_ingest_door *door = &r->env->ingest;
    if (known_kind(r))
        door->put(door->self, r->op, r->caller->tenant, r->caller->fields, r->params[0], r->params[1], record,
                  on_written, r);
}

void cg_route_document_delete(struct cg_request *r)
{
    const struct cg_ingest_door *door = &r->env->ingest;
    if (known_kind(r))
        door->drop(door->self, r->op, r->caller->tenant, r->params[0], r->params[1], on_written, r);
}
