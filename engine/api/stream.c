/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "engine/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAME_SIZE = 1024, HEARTBEAT_MS = 15000, PENDING_MAX = 4 * 1024 * 1024 };

struct cg_stream {
    struct cg_request *r;
    struct cg_loop *loop;
    struct cg_run *run;
    struct cg_sink sink;
    const struct cg_dialect *dialect;
    void *self;
    struct cg_openai_sink openai;
    struct cg_plain_sink plain;
    char *model;
    char run_id[CG_ID_SIZE], session[CG_ID_SIZE + 32];
    struct cg_task give_up;
    bool whole, begun, overrun;
    void (*refused)(void *arg, int err);
    void *refused_arg;
};

static const char no_memory_frame[] =
    "event: error\ndata: {\"status\":503,\"error\":{\"message\":\"Out of memory; try again.\",\"type\":\"server_error\","
    "\"code\":\"out_of_memory\",\"param\":null}}\n\n";

static void answer_whole(struct cg_stream *s)
{
    struct cg_request *r = s->r;
    s->plain.run = s->run_id;
    s->plain.session = s->session;
    s->plain.model = s->model;
    if (s->plain.error) {
        int status = (int)cg_json_int(s->plain.error, "status", 500);
        cg_answer_error_body(r, status, s->plain.error);
    } else {
        cg_auto_json body = cg_plain_sink_body(&s->plain);
        cg_answer_json(r, 200, body);
    }
}

static void on_event(void *arg, const struct cg_event *ev)
{
    struct cg_stream *s = arg;
    char memory[FRAME_SIZE];
    cg_auto_buf out = cg_buf_in(memory, sizeof memory);
    cg_auto_json error = NULL;
    struct cg_event named = *ev;
    if (ev->kind == CG_EV_ERROR) {             /* the very body that an HTTP error has */
        error = json_copy((json_t *)ev->data); /* NULL: there was no memory for it */
        json_object_set_new(error, "request_id", json_string(cg_exchange_id(s->r->x)));
        named.data = error;
    }
    cg_stream_begin(s);
    bool last = s->dialect->event(s->self, &named, &out);
    /* What could not be made whole is not sent: the run will soon end for that. Its end is always told. */
    bool lacks = ev->kind == CG_EV_ERROR && !named.data;
    if (out.failed || lacks || (last && !out.len && !s->whole)) {
        cg_buf_clear(&out);
        if (last && !s->whole)
            cg_answer_bytes(s->r, cogent_str(no_memory_frame));
    }
    if (out.len && !s->overrun)
        cg_answer_bytes(s->r, cg_buf_view(&out));
    if (last) {
        s->run = NULL; /* it ends itself */
        if (s->whole && lacks)
            cg_answer_error(s->r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
        else if (s->whole)
            answer_whole(s);
        else
            cg_answer_end(s->r);
        cg_stream_destroy(s);
    } else if (!s->whole && !s->overrun && cg_exchange_pending(s->r->x) > PENDING_MAX) {
        /* Memory is not for readers who do not read. The run goes as if the client had left: at the end of this turn,
         * for it is the run that is speaking. */
        s->overrun = true;
        cg_task_later(s->loop, &s->give_up);
    }
}

static void give_up(void *arg)
{
    struct cg_stream *s = arg;
    cg_exchange_abort(s->r->x);
}

static void on_gone(struct cg_request *r)
{
    struct cg_stream *s = r->data;
    if (s->run)
        cg_run_leave(s->run);
    cg_stream_destroy(s);
}

/* Tests do not wait for fifteen seconds; only developer builds listen to them. */
static uint32_t heartbeat_ms(void)
{
#ifdef CG_TESTING
    const char *ms = getenv("COGENT_TEST_HEARTBEAT_MS");
    if (ms)
        return (uint32_t)strtoul(ms, NULL, 10);
#endif
    return HEARTBEAT_MS;
}

static void beat(void *arg)
{
    struct cg_stream *s = arg;
    cg_answer_bytes(s->r, cogent_str(": hb\n\n"));
    cg_timer_after(s->r->env->loop, s->r->op, "heartbeat", heartbeat_ms(), beat, s);
}

static void on_refused(void *arg, int err)
{
    struct cg_stream *s = arg;
    s->run = NULL; /* it was never there */
    s->refused(s->refused_arg, err);
}

void cg_stream_on_refused(struct cg_stream *s, void (*fn)(void *arg, int err), void *arg)
{
    s->refused = fn;
    s->refused_arg = arg;
    s->sink.refused = on_refused;
}

bool cg_stream_begun(const struct cg_stream *s)
{
    return s->begun;
}

void cg_stream_begin(struct cg_stream *s)
{
    char extra[160];
    if (s->begun)
        return;
    s->begun = true;
    if (s->whole)
        return;
    snprintf(extra, sizeof extra, "X-Run-Id: %s\r\n", s->run_id);
    cg_answer_stream(s->r, extra);
    cg_timer_after(s->r->env->loop, s->r->op, "heartbeat", heartbeat_ms(), beat, s);
}

struct cg_stream *cg_stream_create(struct cg_request *r, enum cg_dialect_kind kind, const char *model,
                                   bool include_usage)
{
    struct cg_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->r = r;
    /* Chunks that an OpenAI client has taken cannot be taken back. */
    s->sink = (struct cg_sink){ .event = on_event, .arg = s, .firm = kind == CG_AS_OPENAI };
    s->give_up = (struct cg_task){ .fn = give_up, .arg = s };
    s->loop = r->env->loop;
    s->model = cg_str_dup(cogent_str(model ? model : "main"));
    s->whole = kind == CG_AS_ASSISTANT_WHOLE || kind == CG_AS_OPENAI_WHOLE;
    int64_t now = cg_now_us() / 1000000;
    if (s->whole) {
        s->dialect = &cg_dialect_plain;
        s->self = &s->plain;
        s->plain.openai = kind == CG_AS_OPENAI_WHOLE;
        s->plain.created = now;
    } else if (kind == CG_AS_OPENAI) {
        s->dialect = &cg_dialect_openai;
        s->self = &s->openai;
        s->openai =
            (struct cg_openai_sink){ .model = s->model, .created = now, .include_usage = include_usage };
    } else {
        s->dialect = &cg_dialect_assistant;
    }
    return s;
}

const struct cg_sink *cg_stream_sink(const struct cg_stream *stream)
{
    return &stream->sink;
}

static void name(struct cg_stream *s, const char *run_id, const char *session)
{
    cg_str_copy(s->run_id, sizeof s->run_id, cogent_str(run_id));
    cg_str_copy(s->session, sizeof s->session, cogent_str(session));
    cg_str_copy(s->openai.id, sizeof s->openai.id, cogent_str(run_id));
    s->r->data = s;
    s->r->gone = on_gone;
    cg_exchange_watch_fin(s->r->x);
}

void cg_stream_attach(struct cg_stream *s, struct cg_run *run)
{
    s->run = run;
    name(s, cg_run_id(run), cg_run_session(run));
}

void cg_stream_follow(struct cg_stream *s, const char *run_id, const char *session)
{
    s->run = NULL;
    name(s, run_id, session);
}

void cg_stream_destroy(struct cg_stream *s)
{
    if (!s)
        return;
    cg_task_cancel(s->loop, &s->give_up);
    cg_plain_sink_finish(&s->plain);
    free(s->model);
    free(s);
}
