/* SPDX-License-Identifier: Apache-2.0 */
#include "follow.h"

#include "engine/svc/store.h"
#include "hide.h"
#include "run_rows.h"

#include <stdio.h>
#include <stdlib.h>

/* Mail may be lost and workers may be elsewhere: the rows are looked at, soon at first and then less often. */
enum { FIRST_MS = 50, MOST_MS = 1000 };

struct follow {
    struct cg_request *r;
    struct cg_stream *stream;
    struct cogent_op op; /* below the request: ends with it */
    struct cg_replay replay;
    char run[CG_ID_SIZE];
    int64_t next; /* row to read from */
    uint32_t wait_ms;
    bool hidden;
    bool busy, gone; /* events go out; meanwhile the request ended */
};

static void follow_free(struct follow *f)
{
    cg_replay_finish(&f->replay);
    free(f);
}

static void on_ended(void *arg, int why)
{
    struct follow *f = arg;
    (void)why;
    f->gone = true;
    if (!f->busy)
        follow_free(f);
}

/* The last event ends the request, and with it this. */
static void on_event(void *arg, const struct cg_event *ev)
{
    struct follow *f = arg;
    const struct cg_sink *sink = cg_stream_sink(f->stream);
    if (!f->gone)
        sink->event(sink->arg, ev);
}

/* Nothing will go out: the request is free to be answered. */
static struct cg_request *let_go(struct follow *f)
{
    struct cg_request *r = f->r;
    cg_stream_destroy(f->stream);
    r->data = NULL;
    r->gone = NULL;
    return r;
}

/* A run whose worker died and that was not to survive: it has no last row. */
static void say_cancelled(struct follow *f)
{
    char id[CG_ID_SIZE + 24];
    cg_auto_json data =
        json_pack("{s:s, s:s, s:[]}", "status", "cancelled", "content", "This was cancelled.", "citations");
    snprintf(id, sizeof id, "%s-%lld", f->run, (long long)f->next);
    const struct cg_event ev = { .kind = CG_EV_DONE, .id = id, .data = data };
    on_event(f, &ev);
}

/* A run that was there and is not: its conversation was deleted in the middle of this. */
static void say_deleted(struct follow *f)
{
    char id[CG_ID_SIZE + 24];
    cg_auto_json data = cg_error_body(COGENT_NOT_FOUND, NULL, "This run has been deleted.", NULL);
    snprintf(id, sizeof id, "%s-%lld", f->run, (long long)f->next);
    const struct cg_event ev = { .kind = CG_EV_ERROR, .id = id, .data = data };
    on_event(f, &ev);
}

static void poll(void *arg);

static void go_on(struct follow *f, const char *status)
{
    bool open = strcmp(status, "running") == 0 || strcmp(status, "waiting") == 0;
    if (!open && cg_stream_begun(f->stream)) {
        say_cancelled(f);
        return;
    }
    if (!open && f->replay.row >= f->next - 1) { /* the reader has it all */
        cg_answer_empty(let_go(f));
        return;
    }
    if (!open) {
        say_cancelled(f);
        return;
    }
    cg_stream_begin(f->stream);
    cg_timer_after(f->r->env->loop, f->op, "follow", f->wait_ms, poll, f);
    f->wait_ms = f->wait_ms * 2 > MOST_MS ? MOST_MS : f->wait_ms * 2;
}

static void feed(struct follow *f, const struct cogent_db_result *result, struct cogent_row head)
{
    const char *status = cg_run_status(f->r, head);
    cg_auto_json rows = cg_run_rows_json(result, 1);
    if (json_array_size(rows)) {
        f->wait_ms = FIRST_MS;
        f->next = cg_json_int(json_array_get(rows, json_array_size(rows) - 1), "row", f->next) + 1;
    }
    cg_hide_lost(f->r, rows, &f->hidden);
    f->busy = true;
    cg_replay_rows(&f->replay, rows, strcmp(status, "waiting") == 0);
    if (!f->gone)
        go_on(f, status);
    f->busy = false;
    if (f->gone)
        follow_free(f);
}

static void on_rows(void *arg, const struct cogent_db_result *result)
{
    struct follow *f = arg;
    struct cogent_row head = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (result->err < 0 && cg_stream_begun(f->stream)) { /* what comes next may be answered again */
        cg_timer_after(f->r->env->loop, f->op, "follow", MOST_MS, poll, f);
    } else if (result->err < 0) {
        cg_answer_unavailable(let_go(f), result->err);
    } else if (head.n == 0 && cg_stream_begun(f->stream)) {
        say_deleted(f); /* ends the request, and f with it */
    } else if (head.n == 0 || !cg_str_eq(head.values[0].str, f->r->caller->user)) {
        cg_answer_error(let_go(f), COGENT_NOT_FOUND, NULL, "There is no such run of yours.");
    } else {
        char session[CG_ID_SIZE + 32];
        cg_str_copy(session, sizeof session, head.values[1].str);
        if (!cg_stream_begun(f->stream))
            cg_stream_follow(f->stream, f->run, session);
        feed(f, result, head);
    }
}

static void poll(void *arg)
{
    struct follow *f = arg;
    const struct cogent_value v[2] = { cogent_text(cogent_str(f->run)), cogent_int(f->next) };
    const struct cg_db_step steps[] = { { &cg_store[CG_ST_RUN_GET], v, 1 },
                                        { &cg_store[CG_ST_ROW_LIST], v, 2 } };
    cg_db_run(f->r->env->run->db, f->op, f->r->caller->tenant, CG_DB_READ, steps, 2, on_rows, f);
}

void cg_follow(struct cg_request *r, struct cg_stream *stream, const struct cg_follow_from *from)
{
    struct follow *f = calloc(1, sizeof *f);
    if (!f) {
        cg_stream_destroy(stream);
        r->data = NULL;
        r->gone = NULL;
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        return;
    }
    f->r = r;
    f->stream = stream;
    f->wait_ms = FIRST_MS;
    cg_str_copy(f->run, sizeof f->run, cogent_str(from->run));
    f->replay = (struct cg_replay){
        .run = f->run, .row = from->row, .byte = from->byte, .sink = { .event = on_event, .arg = f }
    };
    f->op = cg_op_start(r->env->loop, r->op, "follow", 0, on_ended, f);
    cg_stream_follow(stream, f->run, "");
    poll(f);
}
