/* SPDX-License-Identifier: Apache-2.0
 * Rows: made here, folded at once, written in groups. */
#include "credential.h"
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/svc/due.h"
#include "engine/svc/store.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROWS_AT_ONCE = 256 };

static const char *const row_names[CG_ROW_KINDS] = {
    [CG_ROW_OPEN] = "open",       [CG_ROW_CONTEXT] = "context",   [CG_ROW_ANSWER] = "answer",
    [CG_ROW_VERDICT] = "verdict", [CG_ROW_DISPATCH] = "dispatch", [CG_ROW_OUTCOME] = "outcome",
    [CG_ROW_ASK] = "ask",         [CG_ROW_DECISION] = "decision", [CG_ROW_WAIT] = "wait",
    [CG_ROW_RESTART] = "restart", [CG_ROW_AGAIN] = "again",       [CG_ROW_END] = "end",
};

const char *cg_row_name(enum cg_row_kind kind)
{
    return row_names[kind];
}

int cg_row_kind_of(struct cogent_str name)
{
    for (int i = 0; i < CG_ROW_KINDS; i++) {
        if (cg_str_eq(name, row_names[i]))
            return i;
    }
    return -1;
}

static bool room_for_row(struct cg_run *run)
{
    if (run->n_rows < run->cap_rows)
        return true;
    size_t cap = run->cap_rows ? run->cap_rows * 2 : 8; /* as many as an answer with one call has */
    struct cg_row *rows = realloc(run->rows, cap * sizeof *rows);
    if (!rows)
        return false;
    run->rows = rows;
    run->cap_rows = cap;
    return true;
}

int cg_run_row_loaded(struct cg_run *run, enum cg_row_kind kind, int64_t at_us, json_t *body)
{
    if (!body || !room_for_row(run)) {
        json_decref(body);
        return COGENT_NO_MEMORY;
    }
    struct cg_row *row = &run->rows[run->n_rows];
    *row = (struct cg_row){ .at_us = at_us, .body = body, .kind = kind };
    int rc = cg_fold_row(run, row);
    if (rc < 0)
        json_decref(body);
    else
        run->n_rows++;
    return rc;
}

/* "" when memory failed, which is counted. */
static const char *row_text(struct cg_row *row)
{
    if (!row->text) {
        char room[2048];
        cg_auto_buf text = cg_buf_in(room, sizeof room);
        cg_json_add(&text, row->body);
        row->text = text.failed ? NULL : cg_str_dup(cg_buf_view(&text));
    }
    return row->text ? row->text : "";
}

json_t *cg_run_body(const struct cg_run *run, size_t row)
{
    struct cg_row *r = row < run->n_rows ? &run->rows[row] : NULL;
    if (r && !r->body)
        r->body = cg_json_reread(cogent_str(r->text));
    return r ? r->body : NULL;
}

void cg_run_rest(struct cg_run *run)
{
    for (size_t i = 0; i < run->n_rows; i++) {
        struct cg_row *row = &run->rows[i];
        if (!row->body || !*row_text(row))
            continue;
        json_decref(row->body);
        row->body = NULL;
    }
}

void cg_run_rows_finish(struct cg_run *run)
{
    for (size_t i = 0; i < run->n_rows; i++) {
        json_decref(run->rows[i].body);
        free(run->rows[i].text);
    }
    free(run->rows);
}

static size_t unwritten(const struct cg_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->n_rows; i++)
        n += run->rows[i].write == 0;
    return n;
}

void cg_run_rows_kept(struct cg_run *run)
{
    run->writes++;
    for (size_t i = 0; i < run->n_rows; i++)
        run->rows[i].write = run->writes;
}

bool cg_run_half(const struct cg_run *run)
{
    return run->memory != cg_memory_failures();
}

int cg_run_row(struct cg_run *run, enum cg_row_kind kind, json_t *body, bool quiet)
{
    if (cg_run_half(run) && kind != CG_ROW_OUTCOME && kind != CG_ROW_END) {
        json_decref(body);
        run->fault = COGENT_NO_MEMORY;
        return COGENT_NO_MEMORY;
    }
    int rc = cg_run_row_loaded(run, kind, cg_now_us(), body);
    if (rc < 0)
        return rc;
    if (!quiet)
        cg_run_emit_row(run, run->n_rows - 1);
    /* A run that others may have to take up tells them at once what has happened; no group grows without end. */
    if ((run->detached || run->effects || unwritten(run) >= ROWS_AT_ONCE) && kind != CG_ROW_OPEN &&
        kind != CG_ROW_DISPATCH && kind != CG_ROW_ASK && kind != CG_ROW_WAIT && kind != CG_ROW_END)
        cg_run_write(run, CG_DB_COMMIT, NULL, 0, NULL, NULL);
    return 0;
}

struct cg_run_writing {
    struct cg_run_writing *next;
    struct cg_run *run;
    void (*done)(struct cg_run *run, int err);
    unsigned no;
    size_t upto;
    bool rows; /* it brought new rows */
};

/* For the fold test: the process ends, as by kill -9, when the run's row N is on disk. Only in developer builds. */
static void maybe_die(size_t written)
{
#ifdef CG_TESTING
    const char *at = getenv("COGENT_TEST_DIE_AFTER_ROW");
    if (at && written == strtoul(at, NULL, 10))
        _exit(137);
#else
    (void)written;
#endif
}

static void unlink_writing(struct cg_run_writing *w)
{
    struct cg_run_writing **at = &w->run->writing;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

void cg_run_writing_free(struct cg_run *run)
{
    while (run->writing)
        unlink_writing(run->writing);
}

/* The next write takes them along: the journal has no gaps. */
static void void_rows(struct cg_run *run, unsigned no)
{
    for (size_t i = 0; i < run->n_rows; i++) {
        if (run->rows[i].write == no)
            run->rows[i].write = 0;
    }
}

static void on_written(void *arg, const struct cogent_db_result *result)
{
    const struct cg_run_writing w = *(struct cg_run_writing *)arg;
    struct cg_run *run = w.run;
    unlink_writing(arg);
    run->wrote_first = run->wrote = w.no;
    if (result->err < 0) {
        /* A key that is taken is no fault. */
        bool taken = result->err == COGENT_CONFLICT && run->keyed && w.upto == 1;
        cg_log(taken ? CG_INFO : CG_ERROR, "run.write", CG_S("run", run->id),
               CG_S("error", cogent_err_name(result->err)));
        void_rows(run, w.no);
        run->fault = result->err;
    } else if (w.rows) {
        maybe_die(w.upto);
    }
    if (w.done)
        w.done(run, result->err);
    else if (result->err < 0)
        cg_run_stop(run, "failed"); /* an effect that is under way is waited for */
}

bool cg_run_wrote(const struct cg_run *run, unsigned no)
{
    for (const struct cg_run_writing *w = run->writing; w; w = w->next) {
        if (w->no == no)
            return false;
    }
    return no >= run->wrote_first && no <= run->wrote;
}

/* As if it had been tried and had failed. */
static void on_unwritten(void *arg)
{
    struct cg_run *run = arg;
    void (*done)(struct cg_run * run, int err) = run->unwritten_done;
    run->unwritten_done = NULL;
    run->wrote_first = run->unwritten_first;
    run->wrote = run->unwritten_last;
    run->unwritten_first = run->unwritten_last = 0;
    run->fault = COGENT_NO_MEMORY;
    cg_log(CG_ERROR, "run.write", CG_S("run", run->id), CG_S("error", cogent_err_name(COGENT_NO_MEMORY)));
    if (done)
        done(run, COGENT_NO_MEMORY);
    else
        cg_run_stop(run, "failed");
}

static void unwritten_later(struct cg_run *run, void (*done)(struct cg_run *run, int err))
{
    if (done)
        run->unwritten_done = done;
    if (!run->unwritten_first)
        run->unwritten_first = run->writes;
    run->unwritten_last = run->writes;
    run->unwritten.fn = on_unwritten;
    run->unwritten.arg = run;
    cg_task_later(run->env->loop, &run->unwritten);
}

static size_t add_rows(struct cg_run *run, struct cg_db_step *steps, struct cogent_value *values)
{
    size_t n = 0;
    for (size_t i = 0; i < run->n_rows; i++) {
        if (run->rows[i].write)
            continue;
        struct cogent_value *v = &values[n * 6];
        run->rows[i].write = run->writes;
        v[0] = cogent_text(cogent_str(run->id));
        v[1] = cogent_int((int64_t)i);
        v[2] = cogent_int(run->rows[i].at_us);
        v[3] = cogent_text(cogent_str(row_names[run->rows[i].kind]));
        v[4] = cogent_text(cogent_str(row_text(&run->rows[i])));
        v[5] = cogent_text(cogent_str(run->env->owner));
        steps[n++] = (struct cg_db_step){ &cg_store[CG_ST_ROW_ADD], v, 6 };
    }
    return n;
}

void cg_run_write(struct cg_run *run, enum cg_durable durable, const struct cg_db_step *extra, size_t n_extra,
                  const char *status, void (*done)(struct cg_run *run, int err))
{
    size_t n = n_extra, most = unwritten(run);
    uint32_t memory = cg_memory_failures();
    bool lasting = status && strcmp(status, "running") != 0 && strcmp(status, "waiting") != 0 &&
                   strcmp(status, "auth_required") != 0;
    struct cg_db_step *steps = calloc(n_extra + most + 1, sizeof *steps);
    struct cogent_value *values = calloc(most * 6 + 6, sizeof *values);
    struct cg_run_writing *w = calloc(1, sizeof *w);
    cg_auto_buf sealed = { 0 };
    run->writes++;
    if (steps && values && w) {
        if (n_extra)
            memcpy(steps, extra, n_extra * sizeof *steps);
        n += add_rows(run, steps + n, values);
        struct cogent_value *v = &values[most * 6];
        const char *now = status ? status : "running";
        if (!lasting)
            cg_credential_seal(run->env->keys, run->caller, run->id, &sealed);
        v[0] = cogent_text(cogent_str(run->id));
        v[1] = cogent_text(cogent_str(now));
        v[2] = cogent_int(cg_now_us());
        v[3] = cogent_int((int64_t)run->n_rows);
        v[4] = sealed.len ? cogent_text(cg_buf_view(&sealed)) : cogent_null();
        v[5] = cogent_int(run->detached || run->effects);
        steps[n++] = (struct cg_db_step){ &cg_store[CG_ST_RUN_UPDATE], v, 6 };
        *w = (struct cg_run_writing){ run->writing, run, done, run->writes, run->n_rows, most > 0 };
        run->writing = w;
        bool whole = memory == cg_memory_failures(); /* else a row may lack a piece */
        if (!whole || cogent_op_none(cg_db_run(run->env->db, run->root, run->caller->tenant, durable, steps,
                                               n, on_written, w))) {
            unlink_writing(w);
            void_rows(run, run->writes);
            unwritten_later(run, done);
        }
    } else {
        free(w);
        unwritten_later(run, done);
    }
    free(steps);
    free(values);
}

void cg_run_survives(struct cg_run *run)
{
    const struct cg_due due = { run->env->loop, run->env->db, run->env->keys, run->env->owner };
    if (!run->due)
        cg_due_put(&due, "run", run->caller->tenant, run->id, cg_now_us() + 1000000);
    run->due = true;
}
