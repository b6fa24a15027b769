/* SPDX-License-Identifier: Apache-2.0
 * The life of a call. Every attempt ends in one of three ways: an answer, no answer and nothing was sent, no answer
 * and something was. For a write the third is a doubt, and a doubt is told as such: it is never a failure, and
 * only a service that keeps the promise of its key header may be asked again. A refused credential is none: nothing
 * was done, so with a new session it is sent once more, a write, too.
 */
#include "call.h"

#include "common/json.h"
#include "errors.h"
#include "pages.h"
#include "request.h"
#include "result.h"
#include "session.h"
#include "trace.h"

#include <stdlib.h>

enum { FIRST_DELAY_MS = 100, LONGEST_DELAY_MS = 2000 };

struct run {
    struct cogent_call *call;
    const struct th_tool *tool;
    struct th_vars vars;
    struct th_pages_read pages;
    struct cp_buf origin;
    struct th_waiter waiter; /* for a session */
    uint64_t serial;         /* of the session in use */
    char *credential;        /* as it was sent, to be hidden in words */
    int renewed;             /* the session was refused, for this page, and another was asked for */
    unsigned attempt;        /* of this page, from 0 */
    int doubt;               /* an earlier attempt of this write was sent and not answered */
    int64_t deadline;        /* microseconds; 0: none */
    int over;                /* it was completed */
    int reach;               /* the tool itself is not called */
    int entered, released;
};

static int proceed(struct run *run);

/* --- the end --- */

static void free_credential(struct run *run)
{
    if (run->credential)
        explicit_bzero(run->credential, strlen(run->credential));
    free(run->credential);
    run->credential = NULL;
}

static void forget_credential(struct run *run)
{
    free_credential(run);
    cp_json_drop(run->vars.login);
    run->vars.login = NULL;
}

static void destroy(struct run *run)
{
    forget_credential(run);
    json_decref(run->vars.args);
    th_pages_finish(&run->pages);
    cp_buf_finish(&run->origin);
    free(run);
}

static void release(void *data)
{
    struct run *run = data;
    run->released = run->over = 1;
    th_session_leave(&run->waiter);
    if (!run->entered)
        destroy(run);
}

static void leave(struct run *run)
{
    run->entered = 0;
    if (run->released)
        destroy(run);
}

static int fail(struct run *run, int err, const char *message)
{
    run->over = 1;
    return cogent_fail(run->call, err, message);
}

static int unknown(struct run *run)
{
    struct th_problem problem;
    th_problem(&problem, COGENT_UNKNOWN, "%s did not answer: it may or may not have been done",
               run->tool->service->name);
    return fail(run, problem.err, problem.message);
}

/* It was done, even when nothing can be made of the words about it. */
static int done_write(struct run *run)
{
    run->over = 1;
    return cogent_done(run->call, "{\"done\":true}");
}

/* Takes value. */
static int done(struct run *run, json_t *value)
{
    struct cp_buf out = { 0 };
    cp_json_write(&out, value);
    int failed = out.failed || !value;
    json_decref(value);
    run->over = 1;
    int err = !failed             ? cogent_done_str(run->call, cp_buf_peek(&out))
              : run->tool->writes ? done_write(run)
                                  : fail(run, COGENT_NO_MEMORY, "out of memory");
    cp_buf_finish(&out);
    return err;
}

/* --- another attempt --- */

static uint32_t left_ms(const struct run *run)
{
    if (!run->deadline)
        return UINT32_MAX;
    int64_t left = (run->deadline - run->call->host->timer->now()) / 1000;
    return left > 0 ? (uint32_t)left : 0;
}

static void on_timer(void *arg)
{
    struct run *run = arg;
    run->entered = 1;
    proceed(run);
    leave(run);
}

/* Half to one and a half of the delay, so that those who failed together do not come back together. */
static uint32_t delay(const struct run *run, uint32_t wanted)
{
    uint32_t base = FIRST_DELAY_MS << (run->attempt < 4 ? run->attempt : 4);
    uint32_t jitter = (uint32_t)((uint64_t)run->call->host->timer->now() % base);
    uint32_t ms = base / 2 + jitter;
    return ms > wanted ? ms : wanted;
}

/* Whether another attempt was begun. */
static int again(struct run *run, uint32_t wanted)
{
    const struct cogent_host *host = run->call->host;
    if (run->attempt >= run->tool->retry || wanted > LONGEST_DELAY_MS)
        return 0;
    uint32_t ms = delay(run, wanted);
    if (ms >= left_ms(run))
        return 0;
    if (cogent_op_none(host->timer->after(run->call->op, "retry", ms, on_timer, run)))
        return 0;
    run->attempt++;
    return 1;
}

/* --- an answer --- */

static int next_page(struct run *run, const struct cogent_http_result *result, json_t *body, json_t *rows,
                     json_t *shaped)
{
    struct th_problem problem;
    struct th_page page = { body, rows, shaped, result, run->origin.ptr };
    int more = 0;
    if (th_pages_take(run->tool, &run->pages, &page, &more, &problem) != 0)
        return fail(run, problem.err, problem.message);
    if (!more)
        return done(run, th_pages_result(&run->pages));
    run->attempt = 0;
    run->renewed = 0;
    return proceed(run);
}

static int success(struct run *run, const struct cogent_http_result *result, json_t *body)
{
    const struct th_tool *tool = run->tool;
    struct th_problem problem;
    json_t *value = body ? th_result_at(tool, body) : NULL, *shaped = NULL;
    int err = th_result_shape(tool, value, &shaped, &problem);
    if (tool->writes && (err || !shaped))
        return done_write(run);
    if (err)
        return fail(run, problem.err, problem.message);
    if (!shaped && result->body.len && !body) {
        th_problem(&problem, COGENT_UPSTREAM, "%s answered with something that is not JSON",
                   tool->service->name);
        return fail(run, problem.err, problem.message);
    }
    if (!shaped)
        return fail(run, COGENT_NOT_FOUND, "not found");
    if (!tool->pages.size)
        return done(run, shaped);
    err = next_page(run, result, body, value, shaped);
    json_decref(shaped);
    return err;
}

/* A gateway's word that nobody answered it. */
static int gateway(int status)
{
    return status == 502 || status == 504;
}

static int failure(struct run *run, const struct cogent_http_result *result, const struct th_problem *problem)
{
    const struct th_tool *tool = run->tool;
    int passing = gateway(result->status) || result->status == 503 || result->status == 429;
    int may = !tool->writes || tool->once_header;
    if (tool->writes && gateway(result->status))
        run->doubt = 1;
    if (passing && may && again(run, result->retry_after_ms))
        return 0;
    /* A second answer settles the first attempt only when it is the kept answer to the same key. */
    if (run->doubt && problem->err != COGENT_INVALID)
        return unknown(run);
    return fail(run, problem->err, problem->message);
}

static int may_renew(const struct run *run)
{
    return run->tool->auth->kind >= TH_AUTH_LOGIN && !run->renewed;
}

static int renew(struct run *run)
{
    run->renewed = 1;
    th_session_refused(&run->waiter, run->serial);
    return proceed(run);
}

/* A service that says inside its answer whether it went wrong has said nothing when the answer cannot be read. */
static int unsaid(const struct th_tool *tool, json_t *body)
{
    return tool->writes && tool->errors.at && !body;
}

static int no_word(struct run *run)
{
    run->doubt = 1;
    return run->tool->once_header && again(run, 0) ? 0 : unknown(run);
}

static int answered(struct run *run, const struct cogent_http_result *result)
{
    struct th_problem problem;
    json_t *body = result->body.len ? cp_json_load_exact(result->body) : NULL;
    th_trace_reply(run->call, run->tool, &run->vars, run->credential, result);
    int err = th_judge(run->tool, &run->vars, run->credential, result->status, body, &problem);
    if (err == COGENT_AUTH && may_renew(run))
        err = renew(run);
    else if (err)
        err = failure(run, result, &problem);
    else if (unsaid(run->tool, body))
        err = no_word(run);
    else
        err = success(run, result, body);
    json_decref(body);
    return err;
}

static int unanswered(struct run *run, const struct cogent_http_result *result)
{
    const struct th_tool *tool = run->tool;
    struct th_problem problem;
    int late = result->err == COGENT_TIMEOUT;
    int may = tool->writes ? !result->sent || tool->once_header : !late;
    tool->service->host->log->log(COGENT_WARN, "tool_http", "no answer: service %s, tool %s: %s (%s)",
                                  tool->service->name, tool->abi.name, cogent_err_name(result->err),
                                  result->detail ? result->detail : "");
    if (tool->writes && result->sent)
        run->doubt = 1;
    if (result->err != COGENT_CANCELLED && may && again(run, 0))
        return 0;
    if (run->doubt)
        return unknown(run);
    th_problem(&problem, result->err, late ? "%s did not answer in time" : "%s cannot be reached",
               tool->service->name);
    return fail(run, problem.err, problem.message);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct run *run = arg;
    run->entered = 1;
    if (result->err)
        unanswered(run, result);
    else
        answered(run, result);
    leave(run);
}

/* --- a request --- */

static int send_built(struct run *run, const struct th_request *built)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_done };
    uint32_t left = left_ms(run);
    const struct cogent_http_request request = {
        .size = sizeof request,
        .label = run->tool->abi.name,
        .method = run->tool->method,
        .url = built->url.ptr,
        .headers = built->headers,
        .n_headers = built->n_headers,
        .body = cp_buf_peek(&built->body),
        .flags = run->tool->writes ? COGENT_HTTP_ONCE : 0,
        .total_ms = left < run->tool->timeout_ms ? left : run->tool->timeout_ms,
    };
    if (!left)
        return run->doubt ? unknown(run) : fail(run, COGENT_TIMEOUT, "no time was left");
    if (cogent_op_none(run->call->host->http->send(run->call->op, &request, &events, run)))
        return run->doubt ? unknown(run) : fail(run, COGENT_INTERNAL, "the request could not be sent");
    return 0;
}

static int send_request(struct run *run)
{
    struct th_request built = { 0 };
    struct th_problem problem = { 0, "" };
    if (run->doubt && !run->tool->once_header)
        return unknown(run); /* whatever led here: it is not sent twice */
    run->vars.page_number = run->pages.number;
    run->vars.page_offset = (run->pages.number - 1) * run->tool->pages.size;
    run->vars.page_cursor = run->pages.cursor;
    int err = th_request_build(run->tool, &run->vars, run->pages.url, &built, &problem);
    free_credential(run);
    if (!err && built.credential)
        run->credential = strdup(built.credential);
    int held = err ? 0 : th_trace_request(run->call, run->tool, &run->vars, run->pages.url);
    if (held)
        err = run->doubt ? unknown(run) : fail(run, COGENT_CANCELLED, "it was not sent");
    else if (!err)
        err = send_built(run, &built);
    else if (run->doubt)
        err = unknown(run);
    else
        err = fail(run, problem.err, problem.message);
    th_request_finish(&built);
    return err;
}

/* --- a session first --- */

static void on_reached(void *arg, const struct cogent_http_result *result)
{
    struct run *run = arg;
    struct th_problem problem;
    const char *login = run->tool->auth->kind >= TH_AUTH_LOGIN ? "ok" : "none";
    run->entered = 1;
    if (result->err) {
        th_problem(&problem, result->err, "%s does not answer: %s", run->origin.ptr,
                   result->detail ? result->detail : "");
        fail(run, problem.err, problem.message);
    } else {
        done(run, json_pack("{s:s, s:i, s:s}", "address", run->origin.ptr, "status", result->status, "login",
                            login));
    }
    leave(run);
}

/* Any answer will do: which paths there are is the service's business. No credential goes along. */
static int send_reach(struct run *run)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_reached };
    const struct cogent_http_request request = { .size = sizeof request,
                                                 .label = "reach",
                                                 .method = "GET",
                                                 .url = run->origin.ptr,
                                                 .total_ms = run->tool->timeout_ms };
    if (cogent_op_none(run->call->host->http->send(run->call->op, &request, &events, run)))
        return fail(run, COGENT_INTERNAL, "the request could not be sent");
    return 0;
}

static int send(struct run *run)
{
    return run->reach ? send_reach(run) : send_request(run);
}

static int no_session(struct run *run, const struct th_problem *problem)
{
    if (problem->err == COGENT_UNAVAILABLE && again(run, 0))
        return 0;
    return run->doubt ? unknown(run) : fail(run, problem->err, problem->message);
}

/* The engine would call it a doubt when a write runs out of time, and nothing was sent. */
static void on_waited(void *arg)
{
    struct run *run = arg;
    run->entered = 1;
    if (!run->over && run->waiter.session && !left_ms(run)) {
        struct th_problem problem;
        th_problem(&problem, COGENT_TIMEOUT, "%s: its login did not answer in time",
                   run->tool->service->name);
        no_session(run, &problem);
    }
    leave(run);
}

static void on_session(struct th_waiter *waiter, const struct th_problem *problem)
{
    struct run *run = (struct run *)(void *)((char *)waiter - offsetof(struct run, waiter));
    if (run->over)
        return;
    run->entered = 1;
    if (problem)
        no_session(run, problem);
    else
        proceed(run);
    leave(run);
}

/* Sends the request, once there is a session where one is needed. */
static int proceed(struct run *run)
{
    struct th_problem problem = { 0, "" };
    if (run->tool->auth->kind < TH_AUTH_LOGIN)
        return send(run);
    forget_credential(run);
    int have = th_session_get(&run->waiter, &run->vars.login, &run->serial, &problem);
    if (have < 0)
        return no_session(run, &problem);
    if (have)
        return send(run);
    uint32_t left = left_ms(run);
    if (left != UINT32_MAX)
        run->call->host->timer->after(run->call->op, "login", left ? left : 1, on_waited, run);
    return 0;
}

static int begin(struct cogent_call *call, int reach)
{
    const struct th_tool *tool = (const struct th_tool *)(const void *)call->tool;
    struct th_problem problem;
    struct run *run = calloc(1, sizeof *run);
    json_t *args = cp_json_load(call->args);
    if (!run || !json_is_object(args)) {
        free(run);
        json_decref(args);
        return cogent_fail(call, run ? COGENT_INVALID : COGENT_NO_MEMORY,
                           run ? "the arguments are no object" : "out of memory");
    }
    run->call = call;
    run->tool = tool;
    run->reach = reach;
    run->vars = (struct th_vars){ .host = call->host,
                                  .asker = call->asker,
                                  .args = args,
                                  .effect_key = call->effect_key,
                                  .paged = tool->pages.size > 0,
                                  .page_size = tool->pages.size,
                                  .call_name = tool->call_name,
                                  .params = tool->params };
    run->pages.number = 1;
    run->waiter = (struct th_waiter){ .call = call, .tool = tool, .ready = on_session };
    run->deadline = call->deadline_ms ? call->host->timer->now() + (int64_t)call->deadline_ms * 1000 : 0;
    call->data = run;
    call->release = release;
    run->entered = 1;
    int err = th_base(tool, &run->vars, &run->origin, &problem);
    err = err ? fail(run, err, problem.message) : proceed(run);
    leave(run);
    return err;
}

int th_call(struct cogent_call *call)
{
    return begin(call, 0);
}

int th_reach(struct cogent_call *call)
{
    return begin(call, 1);
}
