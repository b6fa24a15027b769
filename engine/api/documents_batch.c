/* SPDX-License-Identifier: Apache-2.0
 * POST /v1/documents/batch: one record a line, of which some are being stored at a time. The body is read as it is
 * stored: while enough are under way nothing more is taken from the client. A line that is wrong costs that line. */
#include "request.h"

#include "engine/base/lines.h"
#include "engine/io/gunzip.h"

#include <stdlib.h>

enum {
    UNDER_WAY = 32,                    /* records */
    UNDER_WAY_BYTES = 4 * 1024 * 1024, /* and bytes of their lines */
    LINE_BYTES = 1024 * 1024,
    PLAIN_BYTES = 32 * 1024, /* inflated at a time */
    TURN_BYTES = 256 * 1024, /* read in a turn of the loop */
    TURN_LINES = 256,
    ERRORS_KEPT = 100
};

struct batch {
    struct cg_request *r;
    struct cg_gunzip *gunzip; /* NULL: the body is plain */
    struct cg_buf raw;        /* what came and has not been read to its end */
    struct cogent_str rest;   /* of it, or of plain, what is still to be cut into lines */
    struct cogent_str packed; /* of raw what is still to be inflated */
    char *plain;
    struct cg_lines lines;
    struct record *held;  /* waits: the same record is under way */
    struct record *going; /* the list of those under way */
    size_t under_way, bytes, accepted, unchanged, rejected;
    json_t *errors;
    struct cogent_op again; /* the next turn, when this one has had its share */
    bool ended, last, in_turn;
    int failed; /* an error that is not the line's: all ends */
    const char *why;
};

/* One line under way. */
struct record {
    struct batch *batch;
    struct record *next, **prev;
    size_t line, bytes;
    json_t *body, *id_text;
    const char *type, *id;
    bool drops, over;
};

static void record_free(struct record *d)
{
    json_decref(d->body);
    json_decref(d->id_text);
    free(d);
}

static void batch_free(struct batch *b)
{
    while (b->going) {
        struct record *d = b->going;
        b->going = d->next;
        record_free(d);
    }
    if (b->held)
        record_free(b->held);
    cg_gunzip_destroy(b->gunzip);
    cg_buf_finish(&b->raw);
    cg_lines_finish(&b->lines);
    json_decref(b->errors);
    free(b->plain);
    free(b);
}

static void on_gone(struct cg_request *r)
{
    cg_op_cancel(r->env->loop, r->op,
                 COGENT_CANCELLED); /* nothing calls back any more; what is stored stays */
    batch_free(r->data);
}

static void reject(struct batch *b, size_t line, const char *id, const char *why)
{
    b->rejected++;
    if (json_array_size(b->errors) < ERRORS_KEPT)
        json_array_append_new(
            b->errors, json_pack("{s:I, s:s?, s:s}", "line", (json_int_t)line, "id", id, "message", why));
}

static void stop(struct batch *b, int err, const char *why)
{
    if (!b->failed) {
        b->failed = err;
        b->why = why;
    }
}

/* Records. */

static void turn(struct batch *b);

/* Not the line's fault: the next would fare no better. */
static bool of_the_server(int err)
{
    return err == COGENT_UNAVAILABLE || err == COGENT_TIMEOUT || err == COGENT_NO_MEMORY ||
           err == COGENT_CANCELLED;
}

static void on_stored(void *arg, int err, const char *message)
{
    struct record *d = arg;
    struct batch *b = d->batch;
    if (err == 0 && strcmp(message, "unchanged") == 0)
        b->unchanged++;
    else if (err == 0)
        b->accepted++;
    else if (of_the_server(err))
        stop(b, err, "The records could not be stored for now.");
    else
        reject(b, d->line, d->id, message);
    b->under_way--;
    b->bytes -= d->bytes;
    *d->prev = d->next;
    if (d->next)
        d->next->prev = d->prev;
    record_free(d);
    turn(b);
}

static bool same_under_way(const struct batch *b, const struct record *d)
{
    for (const struct record *other = b->going; other; other = other->next) {
        if (strcmp(other->id, d->id) == 0 && strcmp(other->type, d->type) == 0)
            return true;
    }
    return false;
}

static void send(struct batch *b, struct record *d)
{
    struct cg_request *r = b->r;
    const struct cg_ingest_door *door = &r->env->ingest;
    b->under_way++;
    b->bytes += d->bytes;
    d->next = b->going;
    d->prev = &b->going;
    if (d->next)
        d->next->prev = &d->next;
    b->going = d;
    if (d->drops)
        door->drop(door->self, r->op, r->caller->tenant, d->type, d->id, on_stored, d);
    else
        door->put(door->self, r->op, r->caller->tenant, r->caller->fields, d->type, d->id,
                  json_object_get(d->body, "record"), on_stored, d);
}

/* Lines about one record keep their order: the later waits for the earlier. */
static void release(struct batch *b)
{
    struct record *d = b->held;
    if (!d || same_under_way(b, d))
        return;
    b->held = NULL;
    send(b, d);
}

/* What the line must be, or NULL. */
static const char *read_record(struct batch *b, struct record *d)
{
    const json_t *id = json_object_get(d->body, "id");
    if (!json_is_object(d->body))
        return "the line must be a JSON object";
    d->drops = cg_json_bool(d->body, "delete", false);
    d->type = cg_json_str(d->body, "type", NULL);
    if (json_is_integer(id)) { /* numbers are ids too, as the ERP writes them */
        cg_auto_free char *text = cg_json_text(id);
        d->id_text = text ? json_string(text) : NULL;
        id = d->id_text;
    }
    d->id = json_string_value(id);
    if (!d->type || !*d->type)
        return "type must be a string: a kind of record (entities/)";
    if (!d->id || !*d->id || strlen(d->id) >= CG_PARAM_SIZE)
        return "id must be a text of at most 199 bytes, or an integer";
    if (!cg_kind_find(b->r->env->run->kinds, d->type))
        return "there is no kind of record of this type (entities/)";
    if (!d->drops && !json_is_object(json_object_get(d->body, "record")))
        return "record must be an object, or delete must be true";
    return NULL;
}

static void take_line(struct batch *b, struct cogent_str text)
{
    struct cg_err err = { 0 };
    while (text.len && (text.ptr[text.len - 1] == '\r' || text.ptr[text.len - 1] == ' ' ||
                        text.ptr[text.len - 1] == '\t'))
        text.len--;
    if (text.len == 0)
        return;
    struct record *d = calloc(1, sizeof *d);
    if (!d) {
        stop(b, COGENT_NO_MEMORY, "Out of memory.");
        return;
    }
    d->batch = b;
    d->line = b->lines.number;
    d->bytes = text.len;
    if (cg_json_values(text) > CG_JSON_VALUES)
        cg_err_set(&err, COGENT_INVALID, "it has more than %d values", CG_JSON_VALUES);
    else
        d->body = cg_json_parse(text, &err);
    const char *why = d->body ? read_record(b, d) : err.message;
    if (why) {
        reject(b, d->line, d->id, why);
        record_free(d);
        return;
    }
    b->held = d;
    release(b);
}

/* Text. */

/* More text to cut into lines. false: none for now. */
static bool refill(struct batch *b)
{
    if (!b->gunzip) {
        cg_buf_clear(&b->raw);
        return false;
    }
    int n = cg_gunzip_read(b->gunzip, &b->packed, b->plain, PLAIN_BYTES);
    if (n < 0)
        stop(b, COGENT_INVALID, "The body is not the gzip that Content-Encoding says it is.");
    if (n <= 0) {
        cg_buf_clear(&b->raw);
        return false;
    }
    b->rest = (struct cogent_str){ b->plain, (size_t)n };
    return true;
}

static void take(struct batch *b, int rc, struct cogent_str line)
{
    if (rc == COGENT_LIMIT)
        reject(b, b->lines.number, NULL, "the line is longer than 1 MiB");
    else if (rc < 0)
        stop(b, rc, "Out of memory.");
    else if (rc > 0)
        take_line(b, line);
}

/* Behind the last piece. */
static void take_last(struct batch *b)
{
    struct cogent_str line;
    b->last = true;
    if (b->gunzip && !cg_gunzip_whole(b->gunzip)) /* half a line is none */
        stop(b, COGENT_INVALID, "The gzip body breaks off before its end.");
    else
        take(b, cg_lines_last(&b->lines, &line), line);
}

static bool room(const struct batch *b)
{
    return !b->failed && !b->held && b->under_way < UNDER_WAY && b->bytes < UNDER_WAY_BYTES;
}

static void on_again(void *arg)
{
    struct batch *b = arg;
    b->again = (struct cogent_op){ 0, 0 };
    turn(b);
}

/* Cuts and sends as long as there is text and room, and not longer than a turn's share. */
static void cut(struct batch *b)
{
    struct cogent_str line;
    size_t bytes = 0, lines = 0;
    while (room(b) && (b->rest.len || refill(b))) {
        size_t before = b->rest.len;
        take(b, cg_lines_next(&b->lines, &b->rest, &line), line);
        bytes += before - b->rest.len;
        if (bytes < TURN_BYTES && ++lines < TURN_LINES)
            continue;
        b->again = cg_timer_after(b->r->env->loop, b->r->op, "batch", 1, on_again, b);
        if (cogent_op_none(b->again))
            stop(b, COGENT_NO_MEMORY, "Out of memory.");
        return;
    }
    if (b->ended && !b->last && room(b))
        take_last(b);
}

static void answer(struct batch *b)
{
    struct cg_request *r = b->r;
    r->gone = NULL;
    if (b->failed)
        cg_answer_error(
            r, b->failed, b->failed == COGENT_INVALID ? "body_invalid" : NULL,
            "%s %zu records were stored, %zu were there already, %zu lines were rejected, up to line %zu. "
            "Send the body again: what is stored costs nothing.",
            b->why, b->accepted, b->unchanged, b->rejected, b->lines.number);
    else
        cg_answer_data(r, 200,
                       json_pack("{s:I, s:I, s:I, s:O}", "accepted", (json_int_t)b->accepted, "unchanged",
                                 (json_int_t)b->unchanged, "rejected", (json_int_t)b->rejected, "errors",
                                 b->errors));
    batch_free(b);
}

/* Whether the client may send more. */
static bool hungry(const struct batch *b)
{
    return !b->raw.len && !b->rest.len && room(b);
}

/* All that can be done now. The batch may be gone afterwards. */
static void turn(struct batch *b)
{
    if (b->in_turn)
        return;
    b->in_turn = true;
    if (!b->failed)
        release(b);
    if (cogent_op_none(b->again))
        cut(b);
    b->in_turn = false;
    if (b->under_way == 0 && (b->failed || (b->last && !b->held)))
        answer(b);
    else if (!b->ended && hungry(b))
        cg_exchange_resume(b->r->x);
}

static bool on_piece(void *arg, struct cogent_str bytes)
{
    struct batch *b = arg;
    cg_buf_add(&b->raw, bytes.ptr, bytes.len);
    if (b->raw.failed)
        stop(b, COGENT_NO_MEMORY, "Out of memory.");
    struct cogent_str whole = cg_buf_view(&b->raw);
    if (b->gunzip)
        b->packed = whole;
    else
        b->rest = whole;
    b->in_turn = true; /* the answer must not come from in here */
    cut(b);
    b->in_turn = false;
    bool more = hungry(b);
    if (!more && b->under_way == 0 && cogent_op_none(b->again)) /* nobody else would come back to it */
        b->again = cg_timer_after(b->r->env->loop, b->r->op, "batch", 1, on_again, b);
    return more;
}

bool cg_route_documents_batch_begin(struct cg_request *r)
{
    struct cogent_str coding = cg_http_header_find(cg_exchange_head(r->x), "content-encoding");
    bool packed = cg_str_caseeq(coding, "gzip") || cg_str_caseeq(coding, "x-gzip");
    if (coding.ptr && !packed && !cg_str_caseeq(coding, "identity")) {
        cg_answer_error(r, COGENT_INVALID, "encoding_unknown", "Content-Encoding may be gzip, or left out.");
        return false;
    }
    struct batch *b = calloc(1, sizeof *b);
    if (b) {
        b->r = r;
        b->lines.max = LINE_BYTES;
        b->errors = json_array();
        b->gunzip = packed ? cg_gunzip_create() : NULL;
        b->plain = packed ? malloc(PLAIN_BYTES) : NULL;
    }
    if (!b || !b->errors || (packed && (!b->gunzip || !b->plain))) {
        if (b)
            batch_free(b);
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return false;
    }
    r->data = b;
    r->gone = on_gone;
    cg_exchange_on_body(r->x, on_piece, b);
    return true;
}

/* The body is complete. */
void cg_route_documents_batch(struct cg_request *r)
{
    struct batch *b = r->data;
    b->ended = true;
    turn(b);
}
