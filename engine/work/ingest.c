/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest.h"

#include <stdlib.h>

enum { CHUNKS_MAX = 200, CHUNK_BYTES = 4000 };

struct cg_ingest {
    struct cg_ingest_env env;
};

struct putting {
    struct cg_ingest *ingest;
    json_t *texts;
    struct cogent_str chunks[CHUNKS_MAX];
    char *columns, *acl, *title, *type, *id, *stamp;
    struct cogent_op op;
    void (*done)(void *arg, int err, const char *message);
    void *arg;
    bool drops;
};

struct cg_ingest *cg_ingest_create(const struct cg_ingest_env *env)
{
    struct cg_ingest *ingest = calloc(1, sizeof *ingest);
    if (ingest)
        ingest->env = *env;
    return ingest;
}

void cg_ingest_destroy(struct cg_ingest *ingest)
{
    free(ingest);
}

static void putting_free(struct putting *p)
{
    json_decref(p->texts);
    free(p->columns);
    free(p->acl);
    free(p->title);
    free(p->type);
    free(p->id);
    free(p->stamp);
    free(p);
}

static void finish(struct putting *p, int err, const char *message)
{
    void (*done)(void *, int, const char *) = p->done;
    void *arg = p->arg;
    struct cg_ingest *ingest = p->ingest;
    cg_metric_add(ingest->env.metrics, CG_M_RECORDS, 1, p->type,
                  err < 0    ? "refused"
                  : p->drops ? "dropped"
                             : "put",
                  NULL);
    cg_op_finish(ingest->env.invoke->loop, p->op);
    done(arg, err, message);
    putting_free(p);
}

static void on_done(void *arg, int err, const char *why)
{
    struct putting *p = arg;
    finish(p, err,
           err < 0    ? (why && *why ? why : "the record could not be stored")
           : *why     ? "unchanged"
           : p->drops ? "dropped"
                      : "stored");
}

static void on_gone(void *arg, int why)
{
    (void)why;
    putting_free(arg);
}

static char *scalar_text(const json_t *value)
{
    if (json_is_string(value))
        return cg_str_dup((struct cogent_str){ json_string_value(value), json_string_length(value) });
    return json_is_number(value) ? cg_json_text(value) : NULL;
}

/* A record without what the kind's columns are read from is none of its kind, or half of one. */
static int check_members(const struct cg_kind *kind, const json_t *record, struct cg_err *err)
{
    const char *name;
    json_t *path;
    json_object_foreach ((json_t *)kind->fields, name, path) {
        if (json_is_string(path) && !cg_kind_says(record, json_string_value(path)))
            return cg_err_set(err, COGENT_INVALID, "%.80s is missing (entities/%s.lua: %s)",
                              json_string_value(path), kind->name, name);
    }
    return 0;
}

/* The kind's columns, read from the record by their paths. */
static json_t *columns_of(const struct cg_kind *kind, const json_t *record)
{
    const char *name;
    json_t *path;
    json_t *columns = json_object();
    json_object_foreach ((json_t *)kind->fields, name, path) {
        const json_t *value = cg_kind_path(record, json_string_value(path) ? json_string_value(path) : "");
        if (value && !json_is_object(value) && !json_is_array(value) && !json_is_null(value))
            json_object_set(columns, name, (json_t *)value);
    }
    if (kind->domain[0])
        json_object_set_new(columns, "domain", json_string(kind->domain));
    return columns;
}

/* Title, customer, date and status stand before each chunk: an answer to "which invoice?" in every one. */
static void add_prefix(const struct putting *p, const json_t *columns, struct cg_buf *out)
{
    static const char *const names[] = { "customer", "date", "status" };
    cg_buf_text(out, p->title);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cg_auto_free char *value = scalar_text(json_object_get(columns, names[i]));
        if (value && *value)
            cg_buf_printf(out, ", %s %s", names[i], value);
    }
    cg_buf_char(out, '\n');
}

/* A script's error names its file by the whole path: what lies where on this machine is not the sender's business. */
static int without_folder(struct cg_err *err, int rc)
{
    const char *lua = rc < 0 ? strstr(err->message, ".lua:") : NULL;
    const char *from = lua;
    while (from && from > err->message && from[-1] != '/')
        from--;
    if (from && from > err->message)
        memmove(err->message, from, strlen(from) + 1);
    return rc;
}

static int make_chunks(struct putting *p, const struct cg_kind *kind, const json_t *record,
                       const json_t *columns, struct cg_err *err)
{
    size_t i;
    json_t *part;
    json_t *made = NULL;
    int rc = p->ingest->env.script(p->ingest->env.script_self, kind->chunk, record, &made, err);
    cg_auto_json list = made;
    if (rc < 0)
        return without_folder(err, rc);
    if (!json_is_array(list))
        return cg_err_set(err, COGENT_INVALID, "entities/%s.lua: chunk must return a list of texts",
                          kind->name);
    p->texts = json_array();
    json_array_foreach (list, i, part) {
        if (!json_is_string(part) || i == CHUNKS_MAX)
            return cg_err_set(err, COGENT_INVALID, "entities/%s.lua: chunk must return at most %d texts",
                              kind->name, CHUNKS_MAX);
        cg_auto_buf text = { 0 };
        add_prefix(p, columns, &text);
        cg_buf_add(&text, json_string_value(part), json_string_length(part));
        struct cogent_str whole = cg_buf_view(&text);
        while (whole.len > CHUNK_BYTES && ((unsigned char)whole.ptr[CHUNK_BYTES] & 0xc0) == 0x80)
            whole.len--; /* not in the middle of a character */
        if (whole.len > CHUNK_BYTES)
            whole.len = CHUNK_BYTES;
        json_t *kept = cg_json_strn(whole);
        if (!kept || json_array_append_new(p->texts, kept) != 0)
            return cg_err_set(err, COGENT_INVALID, "entities/%s.lua: a chunk is not valid UTF-8", kind->name);
        p->chunks[i] = (struct cogent_str){ json_string_value(kept), json_string_length(kept) };
    }
    return 0;
}

/* The same on every worker: a kind's members come in another order in each process, and the retriever compares texts. */
static char *canonical(const json_t *value)
{
    struct cg_buf out = { 0 };
    cg_json_canonical(&out, value);
    return cg_buf_steal(&out);
}

static int prepare(struct putting *p, const struct cg_kind *kind, const json_t *fields, const json_t *record,
                   struct cg_err *err)
{
    cg_auto_buf title = { 0 };
    if (!json_is_object(record))
        return cg_err_set(err, COGENT_INVALID, "the record must be a JSON object");
    int missing = check_members(kind, record, err);
    if (missing < 0)
        return missing;
    cg_auto_json columns = columns_of(kind, record);
    cg_kind_fill(kind->title, columns, record, fields, false, &title);
    p->title = cg_buf_steal(&title);
    p->columns = canonical(columns);
    p->stamp = kind->stamp ? scalar_text(cg_kind_path(record, kind->stamp)) : NULL;
    if (kind->acl) {
        json_t *acl = NULL;
        int rc = p->ingest->env.script(p->ingest->env.script_self, kind->acl, record, &acl, err);
        p->acl = rc == 0 ? canonical(acl) : NULL;
        json_decref(acl);
        if (rc < 0)
            return without_folder(err, rc);
    }
    if (!p->title || !p->columns)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    return make_chunks(p, kind, record, columns, err);
}

static struct putting *putting_create(struct cg_ingest *ingest, struct cogent_op parent, const char *type,
                                      const char *id, void (*done)(void *arg, int err, const char *message),
                                      void *arg)
{
    struct putting *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->ingest = ingest;
    p->done = done;
    p->arg = arg;
    p->type = cg_str_dup(cogent_str(type));
    p->id = cg_str_dup(cogent_str(id));
    p->op = cg_op_start(ingest->env.invoke->loop, parent, "ingest", 0, on_gone, p);
    if (p->type && p->id && !cogent_op_none(p->op))
        return p;
    cg_op_finish(ingest->env.invoke->loop, p->op);
    putting_free(p);
    return NULL;
}

static void send(struct putting *p, const struct cogent_search *search)
{
    const struct cg_retriever *retriever = cg_retriever_get(p->ingest->env.plugins);
    if (!retriever || cogent_op_none(cg_invoke_search(p->ingest->env.invoke, p->op, retriever, search, 30000,
                                                      NULL, on_done, p)))
        finish(p, COGENT_UNAVAILABLE, "no retriever is there to store it");
}

void cg_ingest_put(struct cg_ingest *ingest, struct cogent_op parent, const json_t *fields, const char *type,
                   const char *id, const json_t *record,
                   void (*done)(void *arg, int err, const char *message), void *arg)
{
    struct cg_err err = { 0 };
    const struct cg_kind *kind = cg_kind_find(ingest->env.kinds, type);
    struct putting *p = putting_create(ingest, parent, type, id, done, arg);
    if (!p) {
        done(arg, COGENT_NO_MEMORY, "out of memory");
        return;
    }
    if (!kind || !kind->chunk) {
        finish(p, COGENT_NOT_FOUND, "there is no such kind of record to store (entities/)");
        return;
    }
    if (prepare(p, kind, fields, record, &err) < 0) {
        finish(p, err.code ? err.code : COGENT_INVALID, err.message);
        return;
    }
    const struct cogent_search search = {
        .what = COGENT_PUT,
        .type = cogent_str(p->type),
        .id = cogent_str(p->id),
        .stamp = cogent_str(p->stamp ? p->stamp : ""),
        .title = cogent_str(p->title),
        .columns = cogent_str(p->columns),
        .acl = cogent_str(p->acl ? p->acl : ""),
        .chunks = p->chunks,
        .n_chunks = json_array_size(p->texts),
    };
    send(p, &search);
}

void cg_ingest_drop(struct cg_ingest *ingest, struct cogent_op parent, const char *type, const char *id,
                    void (*done)(void *arg, int err, const char *message), void *arg)
{
    struct putting *p = putting_create(ingest, parent, type, id, done, arg);
    if (!p) {
        done(arg, COGENT_NO_MEMORY, "out of memory");
        return;
    }
    p->drops = true;
    const struct cogent_search search = { .what = COGENT_DROP,
                                          .type = cogent_str(p->type),
                                          .id = cogent_str(p->id) };
    send(p, &search);
}
