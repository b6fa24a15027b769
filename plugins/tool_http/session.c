/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "common/json.h"
#include "login.h"
#include "trace.h"

#include <stdlib.h>

/* A refused login is not repeated at once: services lock accounts that try again and again. */
enum { MOST = 256, REFUSED_US = 5000000 };

enum state { IDLE, ASKING, TELLING };

struct th_session {
    struct th_session *next;
    const struct th_auth *auth;
    char *tenant, *subject; /* subject: the token that it was exchanged for; "" when users share it. Secret */
    json_t *login;          /* what was given; NULL: none */
    uint64_t serial;        /* of login */
    int64_t expires;        /* microseconds; 0: when it is refused */
    int64_t used;
    int64_t refused; /* no login before this time, for refusal's reason */
    struct th_problem refusal;
    struct th_waiter *waiting; /* the first is whose call the request lies below */
    enum state state;          /* ASKING: a request is on its way, and somebody waits */
};

struct th_sessions {
    struct th_session *first;
    size_t n;
    uint64_t serial;
};

static int64_t now(const struct th_waiter *w)
{
    return w->call->host->timer->now();
}

/* --- keeping --- */

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void forget(struct th_session *s)
{
    cp_json_drop(s->login);
    s->login = NULL;
}

static void destroy(struct th_session *s)
{
    forget(s);
    free(s->tenant);
    free_secret(s->subject);
    free(s);
}

void th_sessions_destroy(struct th_sessions *sessions)
{
    struct th_session *next;
    for (struct th_session *s = sessions ? sessions->first : NULL; s; s = next) {
        next = s->next;
        destroy(s);
    }
    free(sessions);
}

/* The one that was not used for the longest time, and that nobody waits for, makes room. */
static int make_room(struct th_sessions *all)
{
    struct th_session **oldest = NULL;
    for (struct th_session **at = &all->first; *at; at = &(*at)->next)
        if ((*at)->state == IDLE && (!oldest || (*at)->used < (*oldest)->used))
            oldest = at;
    if (!oldest)
        return 0;
    struct th_session *s = *oldest;
    *oldest = s->next;
    all->n--;
    destroy(s);
    return 1;
}

static const char *tenant_of(const struct th_waiter *w)
{
    return w->call->asker->tenant ? w->call->asker->tenant : "";
}

static const char *subject_of(const struct th_waiter *w)
{
    const char *token = w->tool->auth->as_user ? w->call->asker->authorization : NULL;
    return token ? token : "";
}

static struct th_session *find(const struct th_waiter *w)
{
    struct th_sessions *all = w->tool->service->sessions;
    for (struct th_session *s = all ? all->first : NULL; s; s = s->next)
        if (s->auth == w->tool->auth && strcmp(s->tenant, tenant_of(w)) == 0 &&
            strcmp(s->subject, subject_of(w)) == 0)
            return s;
    return NULL;
}

static struct th_session *create(struct th_waiter *w, struct th_problem *problem)
{
    struct th_service *service = w->tool->service;
    if (!service->sessions)
        service->sessions = calloc(1, sizeof *service->sessions);
    struct th_sessions *all = service->sessions;
    if (all && all->n >= MOST && !make_room(all)) {
        th_problem(problem, COGENT_LIMIT, "%s: too many logins are under way", service->name);
        return NULL;
    }
    struct th_session *s = all ? calloc(1, sizeof *s) : NULL;
    if (s) {
        s->tenant = strdup(tenant_of(w));
        s->subject = strdup(subject_of(w));
    }
    if (!s || !s->tenant || !s->subject) {
        if (s)
            destroy(s);
        th_problem(problem, COGENT_NO_MEMORY, "out of memory");
        return NULL;
    }
    s->auth = w->tool->auth;
    s->next = all->first;
    all->first = s;
    all->n++;
    return s;
}

/* --- waiting --- */

static void append(struct th_session *s, struct th_waiter *w)
{
    struct th_waiter **at = &s->waiting;
    while (*at)
        at = &(*at)->next;
    w->session = s;
    w->next = NULL;
    *at = w;
}

static void take_off(struct th_waiter *w)
{
    struct th_waiter **at = &w->session->waiting;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->session = NULL;
}

/* Whoever hears it may come back, or leave: so one at a time, from the front. */
static void settle(struct th_session *s, const struct th_problem *problem)
{
    struct th_waiter *w;
    s->state = TELLING;
    while ((w = s->waiting)) {
        take_off(w);
        w->ready(w, problem);
    }
    s->state = IDLE;
}

/* --- the request --- */

static void no_answer(struct th_session *s, const struct cogent_http_result *result,
                      struct th_problem *problem)
{
    const struct th_tool *tool = s->waiting->tool;
    int late = result->err == COGENT_TIMEOUT;
    tool->service->host->log->log(COGENT_WARN, "tool_http", "no answer to a login: service %s: %s (%s)",
                                  tool->service->name, cogent_err_name(result->err),
                                  result->detail ? result->detail : "");
    th_problem(problem, late ? COGENT_TIMEOUT : COGENT_UNAVAILABLE,
               late ? "%s: its login did not answer in time" : "%s: its login cannot be reached",
               tool->service->name);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct th_session *s = arg;
    struct th_waiter *first = s->waiting;
    struct th_problem problem = { 0, "" };
    int64_t seconds = 0;
    th_trace_status(first->call, "login", result->status);
    if (result->err)
        no_answer(s, result, &problem);
    else if (th_login_take(first->tool, first->call, result, &s->login, &seconds, &problem) == 0) {
        s->serial = ++first->tool->service->sessions->serial;
        s->used = now(first);
        s->expires = seconds ? s->used + seconds * 1000000 : 0;
    }
    if (problem.err == COGENT_AUTH) {
        s->refused = now(first) + REFUSED_US;
        s->refusal = problem;
        first->call->host->log->log(COGENT_WARN, "tool_http", "a login was refused: service %s",
                                    first->tool->service->name);
    }
    settle(s, problem.err ? &problem : NULL);
}

static int send(struct th_session *s, const struct th_request *built)
{
    static const struct cogent_http_events events = { sizeof events, NULL, on_done };
    struct th_waiter *first = s->waiting;
    const struct cogent_http_request request = {
        .size = sizeof request,
        .label = "login",
        .method = th_login_method(s->auth),
        .url = built->url.ptr,
        .headers = built->headers,
        .n_headers = built->n_headers,
        .body = cp_buf_peek(&built->body),
        .total_ms = th_login_ms(first->tool),
    };
    return cogent_op_none(first->call->host->http->send(first->call->op, &request, &events, s))
               ? COGENT_INTERNAL
               : 0;
}

/* For the first of those who wait. */
static int begin(struct th_session *s, struct th_problem *problem)
{
    const struct th_waiter *first = s->waiting;
    struct th_request built = { 0 };
    int err = th_login_build(first->tool, first->call, &built, problem);
    if (!err && send(s, &built) != 0)
        err = th_problem(problem, COGENT_INTERNAL, "the login could not be sent");
    th_request_finish(&built);
    s->state = err ? IDLE : ASKING;
    return err;
}

/* --- what calls use --- */

int th_session_get(struct th_waiter *w, json_t **login, uint64_t *serial, struct th_problem *problem)
{
    struct th_session *s = find(w);
    if (!s)
        s = create(w, problem);
    if (!s)
        return problem->err;
    if (s->login && s->expires && now(w) >= s->expires)
        forget(s);
    if (s->login) {
        s->used = now(w);
        *login = json_incref(s->login);
        *serial = s->serial;
        return 1;
    }
    if (now(w) < s->refused) {
        *problem = s->refusal;
        return problem->err;
    }
    append(s, w);
    int err = s->state == IDLE ? begin(s, problem) : 0;
    if (err)
        take_off(w);
    return err;
}

void th_session_refused(struct th_waiter *w, uint64_t serial)
{
    struct th_session *s = find(w);
    if (s && s->login && s->serial == serial)
        forget(s);
}

void th_session_leave(struct th_waiter *w)
{
    struct th_session *s = w->session;
    struct th_problem problem;
    if (!s)
        return;
    int first = s->waiting == w;
    take_off(w);
    if (!first || s->state != ASKING)
        return;
    s->state = IDLE;
    while (s->waiting && begin(s, &problem) != 0) {
        struct th_waiter *next = s->waiting;
        take_off(next);
        next->ready(next, &problem);
    }
}
