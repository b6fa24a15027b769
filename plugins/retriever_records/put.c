/* SPDX-License-Identifier: Apache-2.0
 * A record comes: what is there is looked at first, so that a version that is known or too old costs one read; else
 * its chunks, terms and figures are replaced in one group.
 */
#include "records.h"

#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 5 };

struct put {
    const struct records *self;
    char hash[33];
    struct cp_buf number, chunks;
    struct cp_buf column[COLUMNS]; /* number, date, status, customer, domain */
};

static const char *const column_names[COLUMNS] = { "number", "date", "status", "customer", "domain" };

static void release(void *data)
{
    struct put *put = data;
    cp_buf_finish(&put->number);
    cp_buf_finish(&put->chunks);
    for (size_t i = 0; i < COLUMNS; i++)
        cp_buf_finish(&put->column[i]);
    free(put);
}

static uint64_t mix(uint64_t hash, struct cogent_str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u; /* where one text ends */
}

/* Tells two versions of one record apart; it guards nothing. */
static void fingerprint(struct put *put, const struct cogent_search *s)
{
    uint64_t a = 0xcbf29ce484222325u, b = 0x9ae16a3b2f90404fu;
    const struct cogent_str parts[] = { s->title, s->columns, s->acl };
    for (size_t i = 0; i < 3 + s->n_chunks; i++) {
        a = mix(a, i < 3 ? parts[i] : s->chunks[i - 3]);
        b = mix(b ^ a >> 29, i < 3 ? parts[i] : s->chunks[i - 3]);
    }
    snprintf(put->hash, sizeof put->hash, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

/* Returns NULL or a sentence. What is stored must be JSON: a search reads it. */
static const char *read_columns(struct put *put, const struct cogent_search *s)
{
    struct cp_buf acl = { 0 };
    int err = records_list(&acl, s->acl);
    cp_buf_finish(&acl);
    if (err)
        return "records: acl is not a JSON array of strings";
    json_t *columns = s->columns.len ? cp_json_load(s->columns) : json_object();
    if (!json_is_object(columns)) {
        json_decref(columns);
        return "records: columns is not a JSON object";
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        json_t *value = json_object_get(columns, column_names[i]);
        if (value && !json_is_null(value))
            cp_json_text(&put->column[i], value);
    }
    json_decref(columns);
    records_number(&put->number, put->column[0].len ? cp_buf_peek(&put->column[0]) : s->id);
    return NULL;
}

static void write_chunk(struct cp_buf *out, struct records_terms *terms, struct cogent_str text)
{
    cp_buf_text(out, "{\"text\":");
    cp_json_quote(out, text);
    cp_buf_text(out, ",\"terms\":{");
    for (size_t i = 0; i < terms->n; i++) {
        if (i)
            cp_buf_byte(out, ',');
        cp_json_quote(out, records_terms_at(terms, i));
        cp_buf_format(out, ":%zu", terms->list[i].tf);
    }
    cp_buf_format(out, "},\"len\":%zu}", terms->words);
}

static int write_chunks(struct put *put, const struct cogent_search *s)
{
    struct records_terms terms = { 0 };
    struct cp_buf *out = &put->chunks;
    cp_buf_byte(out, '[');
    for (size_t i = 0; i < s->n_chunks; i++) {
        if (i)
            cp_buf_byte(out, ',');
        records_terms_clear(&terms);
        records_terms_read(&terms, put->self->stemmer, s->chunks[i]);
        records_terms_count(&terms);
        write_chunk(out, &terms, s->chunks[i]);
    }
    cp_buf_byte(out, ']');
    int failed = terms.failed || out->failed;
    records_terms_finish(&terms);
    return failed;
}

static void on_written(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err)
        cogent_search_fail(s, result->err, "records: the record could not be written");
    else
        cogent_search_done(s);
}

static struct cogent_value or_null(const struct cp_buf *text)
{
    return text->len ? cogent_text(cp_buf_peek(text)) : cogent_null();
}

static int replace(struct cogent_search *s, struct put *put)
{
    struct cogent_value key[] = { cogent_text(s->type), cogent_text(s->id) };
    struct cogent_str columns = s->columns.len ? s->columns : cogent_str("{}");
    struct cogent_value record[] = {
        key[0],
        key[1],
        cogent_text(s->title),
        cogent_text(s->stamp),
        cogent_text(cogent_str(put->hash)),
        cogent_text(cp_buf_peek(&put->number)),
        or_null(&put->column[1]),
        or_null(&put->column[2]),
        or_null(&put->column[3]),
        or_null(&put->column[4]),
        cogent_text(columns),
        s->acl.len ? cogent_text(s->acl) : cogent_null(),
        cogent_int(s->host->timer->now()),
    };
    if (write_chunks(put, s))
        return cogent_search_fail(s, COGENT_NO_MEMORY, "records: out of memory");
    struct cogent_value chunks[] = { key[0], key[1], cogent_text(cp_buf_peek(&put->chunks)),
                                     cogent_text(columns) };
    const struct cogent_db_step steps[] = {
        { RECORDS_LOCK, NULL, 0 },        { RECORDS_PUT, record, 13 },     { RECORDS_TERM_LESS, key, 2 },
        { RECORDS_POSTING_DROP, key, 2 }, { RECORDS_CORPUS_LESS, key, 2 }, { RECORDS_CHUNK_DROP, key, 2 },
        { RECORDS_CHUNK_ADD, chunks, 4 }, { RECORDS_POSTING_ADD, key, 2 }, { RECORDS_TERM_MORE, key, 2 },
        { RECORDS_CORPUS_MORE, key, 2 },  { RECORDS_TERM_CLEAN, NULL, 0 }, { RECORDS_SETTLE, key, 2 },
    };
    return records_run(s, steps, sizeof steps / sizeof *steps, 0, on_written);
}

static int touch(struct cogent_search *s, struct put *put)
{
    struct cogent_value values[] = { cogent_text(s->type), cogent_text(s->id), cogent_text(s->stamp),
                                     cogent_text(cogent_str(put->hash)), cogent_int(s->host->timer->now()) };
    const struct cogent_db_step step = { RECORDS_TOUCH, values, 5 };
    return records_run(s, &step, 1, 0, on_written);
}

static int compare(struct cogent_str a, struct cogent_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static void on_head(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    struct put *put = s->data;
    if (result->err) {
        cogent_search_fail(s, result->err, "records: the record could not be read");
        return;
    }
    if (!result->rows(result, 0)) {
        replace(s, put);
        return;
    }
    struct cogent_row row = result->row(result, 0, 0);
    int newer = compare(s->stamp, row.values[0].str);
    int same = compare(cogent_str(put->hash), row.values[1].str) == 0;
    if (COGENT_HAS(s, unchanged))
        s->unchanged = newer < 0 || same;
    if (newer < 0 || (newer == 0 && same))
        cogent_search_done(s);
    else if (same)
        touch(s, put);
    else
        replace(s, put);
}

int records_put(const struct records *self, struct cogent_search *s)
{
    if (!s->type.len || !s->id.len)
        return cogent_search_fail(s, COGENT_INVALID, "records: a record needs a type and an id");
    if (s->n_chunks > RECORDS_CHUNKS_MAX)
        return cogent_search_fail(s, COGENT_INVALID, "records: a record has at most 4,096 chunks");
    struct put *put = calloc(1, sizeof *put);
    if (!put)
        return cogent_search_fail(s, COGENT_NO_MEMORY, "records: out of memory");
    put->self = self;
    s->data = put;
    s->release = release;
    const char *why = read_columns(put, s);
    if (why)
        return cogent_search_fail(s, COGENT_INVALID, why);
    fingerprint(put, s);
    struct cogent_value key[] = { cogent_text(s->type), cogent_text(s->id) };
    const struct cogent_db_step step = { RECORDS_HEAD, key, 2 };
    return records_run(s, &step, 1, 1, on_head);
}
