/* SPDX-License-Identifier: Apache-2.0
 * Admission: route, then token, then permission, then body; and the manners of answering. */
#include "request.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNREAD_MAX = 64 * 1024 };

struct cg_api {
    struct cg_api_env env;
};

struct cg_api *cg_api_create(const struct cg_api_env *env)
{
    struct cg_api *api = calloc(1, sizeof *api);
    if (api)
        api->env = *env;
    return api;
}

void cg_api_destroy(struct cg_api *api)
{
    free(api);
}

/* Paths. */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* false: malformed, too long, NUL or not UTF-8. */
static bool percent_decode(struct cogent_str in, bool plus, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            int high = i + 2 < in.len ? hex(in.ptr[i + 1]) : -1,
                low = i + 2 < in.len ? hex(in.ptr[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (n + 1 >= size)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return cg_utf8_valid((struct cogent_str){ out, n });
}

static struct cogent_str segment(struct cogent_str path, size_t *at)
{
    size_t from = *at;
    while (*at < path.len && path.ptr[*at] != '/')
        ++*at;
    struct cogent_str s = { path.ptr + from, *at - from };
    if (*at < path.len)
        ++*at;
    return s;
}

static bool path_matches(const char *pattern, struct cogent_str path,
                         char params[CG_PARAMS_MAX][CG_PARAM_SIZE])
{
    struct cogent_str want = cogent_str(pattern);
    size_t a = 1, b = 1, n = 0;
    while (a < want.len && b < path.len) {
        struct cogent_str w = segment(want, &a), p = segment(path, &b);
        if (w.ptr[0] == '{') {
            if (p.len == 0 || n == CG_PARAMS_MAX || !percent_decode(p, false, params[n++], CG_PARAM_SIZE))
                return false;
        } else if (!cg_str_same(w, p)) {
            return false;
        }
    }
    return a >= want.len && b >= path.len && path.ptr[path.len - 1] != '/';
}

/* The route, or NULL; allow: the methods that the path takes, "" when there is no such path. */
static const struct cg_route *find_route(const struct cg_http_head *head,
                                         char params[CG_PARAMS_MAX][CG_PARAM_SIZE], char allow[CG_ALLOW_SIZE])
{
    size_t n = 0;
    allow[0] = '\0';
    for (const struct cg_route *route = cg_routes; route->method; route++) {
        if (!path_matches(route->path, head->path, params))
            continue;
        if (cg_str_eq(head->method, route->method) ||
            (cg_str_eq(head->method, "HEAD") && strcmp(route->method, "GET") == 0))
            return route;
        n += (size_t)snprintf(allow + n, CG_ALLOW_SIZE - n, "%s%s", n ? ", " : "", route->method);
    }
    return NULL;
}

/* Requests. */

static void request_free(struct cg_request *r)
{
    cg_exchange_set_data(r->x, NULL);
    r->env->load->open -= r->counted;
    cg_op_finish(r->env->loop, r->op);
    cg_caller_unref(r->caller);
    json_decref(r->body);
    free(r);
}

static void count(const struct cg_request *r)
{
    char status[8];
    snprintf(status, sizeof status, "%d", r->status);
    cg_metric_add(r->env->run->metrics, CG_M_HTTP_REQUESTS, 1, r->route ? r->route->path : "none", status,
                  NULL);
    cg_log(CG_INFO, "http.request", CG_S("request", cg_exchange_id(r->x)),
           CG_S("route", r->route ? r->route->path : "none"), CG_I("status", r->status),
           CG_I("us", cg_mono_us() - r->began_us));
}

static void on_client_gone(void *arg)
{
    struct cg_request *r = arg;
    r->status = 499;
    if (r->gone)
        r->gone(r);
    count(r);
    cg_op_cancel(r->env->loop, r->op, COGENT_CANCELLED);
    request_free(r);
}

static struct cg_request *request_create(struct cg_api *api, struct cg_exchange *x)
{
    struct cg_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->env = &api->env;
    r->x = x;
    r->began_us = cg_mono_us();
    r->memory = cg_memory_failures();
    r->op = cg_op_start(api->env.loop, (struct cogent_op){ 0, 0 }, "request", 0, NULL, NULL);
    cg_exchange_set_data(x, r);
    return r;
}

/* Words that need no memory, of the form that all errors have. */
static const char no_memory[] =
    "{\"type\":\"about:blank\",\"title\":\"Unavailable\",\"status\":503,\"detail\":\"Out of memory; try "
    "again.\",\"error\":{\"message\":\"Out of memory; try again.\",\"type\":\"server_error\",\"code\":"
    "\"out_of_memory\",\"param\":null}}\n";

static void answer_no_memory(struct cg_request *r);

static void out_of_memory(struct cg_exchange *x)
{
    cg_exchange_reply(x, 503, "application/problem+json", "Retry-After: 5\r\n", cogent_str(no_memory));
}

/* The user's own credentials at services, as the backend hands them over. Answers when one is malformed. */
static bool take_credentials(struct cg_request *r)
{
    const struct cg_http_head *head = cg_exchange_head(r->x);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct cg_http_header h = cg_http_header(head, i);
        if (cg_str_caseeq(h.name, "cogent-credential") && cg_caller_hand(r->caller, h.value) < 0) {
            cg_answer_error(r, COGENT_INVALID, "credential_invalid",
                            "Cogent-Credential must be the service's name, a blank and the credential.");
            return false;
        }
    }
    return true;
}

enum admission { ADMITTED, ANSWERED, KEY_UNKNOWN };

/* Who asks, and may they? Answers when not. KEY_UNKNOWN, if that is allowed: a look at the issuer's keys may tell. */
static enum admission admit(struct cg_request *r, bool may_look)
{
    struct cg_err err;
    const char *code;
    if (r->route->flags & CG_PUBLIC)
        return ADMITTED;
    struct cogent_str header = cg_http_header_find(cg_exchange_head(r->x), "authorization");
    if (cg_auth_bearer(r->env->auth, header, &r->caller, &code, &err) < 0) {
        bool unknown =
            r->env->jwks && (strcmp(code, "key_unknown") == 0 || strcmp(code, "keys_missing") == 0);
        if (unknown && may_look)
            return KEY_UNKNOWN;
        if (unknown && !r->unknown_key) /* not after a look */
            cg_jwks_hint(r->env->jwks);
        cg_answer_error(r, err.code, code, "%s", err.message);
        return ANSWERED;
    }
    cg_auto_json granted = cg_policy_roles(r->env->run->policy, r->caller->roles);
    cg_caller_grant(r->caller, granted);
    cg_op_bind(r->env->loop, r->op, r->caller->tenant);
    if (!take_credentials(r))
        return ANSWERED;
    cg_runs_signed_in(r->env->runs, r->caller);
    if (r->route->permission && !cg_caller_may(r->caller, r->route->permission)) {
        cg_answer_error(r, COGENT_DENIED, "permission_denied",
                        "This needs the permission %s, which the token does not give.", r->route->permission);
        return ANSWERED;
    }
    return ADMITTED;
}

static void answer_full(struct cg_request *r)
{
    cg_answer_error(
        r, COGENT_UNAVAILABLE, "overloaded",
        "This server is answering as many questions as it can in good time; try again in a moment.");
}

/* Before the token is looked at: who is turned away is to cost next to nothing. A short body is read all the same, for then
 * the connection can be kept. Returns the bytes that are welcome, or -1: answered. */
static int64_t turn_away(struct cg_request *r)
{
    int64_t length = cg_exchange_head(r->x)->length;
    r->turned_away = true; /* answer() counts it */
    if (length >= 0 && length <= UNREAD_MAX)
        return length;
    answer_full(r);
    return -1;
}

static void count_question(struct cg_request *r)
{
    r->counted = r->route->flags & CG_WORK;
    r->env->load->open += r->counted;
}

/* A body is collected as it comes: what is packed would be read as it stands. Answers when one is. */
static bool takes_coding(struct cg_request *r)
{
    const struct cg_http_head *head = cg_exchange_head(r->x);
    struct cogent_str coding = cg_http_header_find(head, "content-encoding");
    if (!r->route->body_max || (head->length <= 0 && !head->chunked) || !coding.ptr ||
        cg_str_caseeq(coding, "identity"))
        return true;
    cg_answer_error(r, COGENT_INVALID, "encoding_unknown",
                    "This route takes no Content-Encoding; only POST /v1/documents/batch does.");
    return false;
}

static int64_t on_head(void *arg, struct cg_exchange *x)
{
    struct cg_request *r = request_create(arg, x);
    if (!r) {
        out_of_memory(x);
        return -1;
    }
    r->route = find_route(cg_exchange_head(x), r->params, r->allow);
    if (!r->route) {
        if (r->allow[0])
            cg_answer_error(r, COGENT_INVALID, "method_not_allowed", "This path takes %s.", r->allow);
        else
            cg_answer_error(r, COGENT_NOT_FOUND, "route_unknown", "There is nothing at this path.");
        return -1;
    }
    cg_exchange_on_close(x, on_client_gone, r);
    if ((r->route->flags & CG_WORK) && cg_load_full(r->env->load))
        return turn_away(r);
    /* A body that a route reads itself cannot wait until a key has been looked for; nor is a long one kept for whoever makes
     * a kid up: the look is made, and the next request finds the key. */
    const struct cg_http_head *head = cg_exchange_head(x);
    bool is_short = !head->chunked && head->length <= UNREAD_MAX;
    enum admission admission = admit(r, !r->route->begin && is_short);
    if (admission == ANSWERED || !takes_coding(r) || (r->route->begin && !r->route->begin(r)))
        return -1;
    r->unknown_key = admission == KEY_UNKNOWN;
    if (admission == ADMITTED)
        count_question(r);
    return (int64_t)r->route->body_max;
}

/* Admitted, and the body is there. */
static void handle(struct cg_request *r)
{
    struct cg_err err;
    if ((r->route->flags & CG_BODY) && cg_json_values(cg_exchange_body(r->x)) > CG_JSON_VALUES) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "The body has more than %d values.",
                        CG_JSON_VALUES);
        return;
    }
    if (r->route->flags & CG_BODY) {
        if (cg_exchange_body(r->x).len == 0) {
            cg_answer_error(r, COGENT_INVALID, "body_invalid", "The body is empty; a JSON object is wanted.");
            return;
        }
        r->body = cg_json_parse(cg_exchange_body(r->x), &err);
        if (!r->body) {
            cg_answer_error(r, COGENT_INVALID, "body_invalid", "The body is %s.", err.message);
            return;
        }
        if (!json_is_object(r->body)) {
            cg_answer_error(r, COGENT_INVALID, "body_invalid", "The body must be a JSON object.");
            return;
        }
    }
    if (r->memory != cg_memory_failures()) { /* rights or words of the request may be missing */
        answer_no_memory(r);
        return;
    }
    r->route->handle(r);
}

static void on_looked(void *arg)
{
    struct cg_request *r = arg;
    if (admit(r, false) != ADMITTED)
        return;
    count_question(r);
    handle(r);
}

static void on_request(void *arg, struct cg_exchange *x)
{
    (void)arg;
    struct cg_request *r = cg_exchange_data(x);
    if (r->turned_away)
        answer_full(r);
    else if (!r->unknown_key)
        handle(r);
    else if (!cg_jwks_look(r->env->jwks, r->op, on_looked, r))
        on_looked(r); /* too early for another look: the answer is what it was */
}

/* What the reader's statuses are called. */
static const struct refusal {
    int status, err;
    const char *code;
} refusals[] = { { 408, COGENT_TIMEOUT, "request_slow" },
                 { 413, COGENT_INVALID, "body_too_large" },
                 { 429, COGENT_LIMIT, "too_many_connections" },
                 { 503, COGENT_UNAVAILABLE, "unavailable" },
                 { 0, COGENT_INVALID, "request_malformed" } };

static const struct refusal *refusal_of(int status)
{
    const struct refusal *r = refusals;
    while (r->status && r->status != status)
        r++;
    return r;
}

static void on_refuse(void *arg, struct cg_exchange *x, int status, const char *why)
{
    struct cg_api *api = arg;
    char text[8];
    struct cg_request *r = cg_exchange_data(x);
    snprintf(text, sizeof text, "%d", status);
    cg_metric_add(api->env.run->metrics, CG_M_HTTP_REFUSED, 1, text, NULL, NULL);
    if (r && r->gone) { /* a body that was being read: what its route made of it goes */
        r->gone(r);
        r->gone = NULL;
    }
    if (!r)
        r = request_create(api, x);
    if (!r) {
        out_of_memory(x);
        return;
    }
    const struct refusal *kind = refusal_of(status);
    cg_auto_json body = cg_error_body(kind->err, kind->code, why, cg_exchange_id(x));
    json_object_set_new(body, "status", json_integer(status));
    cg_answer_error_body(r, status, body);
}

struct cg_http_handler cg_api_handler(struct cg_api *api)
{
    return (struct cg_http_handler){ on_head, on_request, on_refuse, api };
}

/* Answers. */

static void answer(struct cg_request *r, int status, const char *type, const char *extra,
                   struct cogent_str body)
{
    r->status = status;
    count(r);
    if (!r->counted && status >= 400) /* it took its time too, and questions are not to go short for that */
        r->env->load->turned_away++;
    struct cg_exchange *x = r->x;
    request_free(r);
    cg_exchange_reply(x, status, type, extra, body);
}

static void answer_no_memory(struct cg_request *r)
{
    answer(r, 503, "application/problem+json", "Retry-After: 5\r\n", cogent_str(no_memory));
}

void cg_answer_json(struct cg_request *r, int status, const json_t *body)
{
    cg_auto_buf out = { 0 };
    cg_json_add(&out, body);
    cg_buf_char(&out, '\n');
    if (out.failed || !body)
        answer_no_memory(r);
    else
        answer(r, status, "application/json", NULL, cg_buf_view(&out));
}

void cg_answer_text(struct cg_request *r, int status, struct cogent_str json)
{
    answer(r, status, "application/json", NULL, json);
}

void cg_answer_data(struct cg_request *r, int status, json_t *data)
{
    cg_auto_json body = json_pack("{s:o}", "data", data);
    if (!body)
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
    else
        cg_answer_json(r, status, body);
}

void cg_answer_list(struct cg_request *r, json_t *data, const char *next)
{
    cg_auto_json body = json_pack("{s:o}", "data", data);
    if (body && next)
        json_object_set_new(body, "next", json_string(next));
    if (!body)
        cg_answer_error(r, COGENT_NO_MEMORY, NULL, "Out of memory; try again.");
    else
        cg_answer_json(r, 200, body);
}

void cg_answer_error_body(struct cg_request *r, int status, const json_t *body)
{
    cg_auto_buf out = { 0 };
    char allow[CG_ALLOW_SIZE + 16];
    snprintf(allow, sizeof allow, "Allow: %s\r\n", r->allow);
    const char *extra = status == 401                    ? "WWW-Authenticate: Bearer\r\n"
                        : status == 429 || status == 503 ? "Retry-After: 5\r\n"
                        : status == 405                  ? allow
                                                         : NULL;
    cg_json_add(&out, body);
    cg_buf_char(&out, '\n');
    /* What looks like the client's fault may be a token of which half was read. */
    if (out.failed || !body || (status < 500 && r->memory != cg_memory_failures()))
        answer_no_memory(r);
    else
        answer(r, status, "application/problem+json", extra, cg_buf_view(&out));
}

/* Codes whose status is not that of their class. */
static int status_of(const char *code, int preset)
{
    static const struct {
        const char *code;
        int status;
    } own[] = { { "method_not_allowed", 405 },
                { "approval_expired", 410 },
                { "encoding_unknown", 415 },
                { "idempotency_mismatch", 422 } };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i].code, code) == 0)
            return own[i].status;
    }
    return preset;
}

void cg_answer_error(struct cg_request *r, int err, const char *code, const char *format, ...)
{
    char detail[400];
    va_list ap;
    va_start(ap, format);
    vsnprintf(detail, sizeof detail, format, ap);
    va_end(ap);
    if (err == COGENT_NO_MEMORY) {
        answer_no_memory(r);
        return;
    }
    int status = code ? status_of(code, cg_error_status(err)) : cg_error_status(err);
    cg_auto_json body = cg_error_body(err, code, detail, cg_exchange_id(r->x));
    json_object_set_new(body, "status", json_integer(status));
    cg_answer_error_body(r, status, body);
}

void cg_answer_unavailable(struct cg_request *r, int err)
{
    cg_answer_error(r, err < 0 ? err : COGENT_INTERNAL, NULL, "The database did not answer.");
}

void cg_answer_empty(struct cg_request *r)
{
    answer(r, 204, "application/json", NULL, cogent_str(""));
}

void cg_answer_stream(struct cg_request *r, const char *extra)
{
    cg_auto_buf head = { 0 };
    cg_buf_printf(&head, "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n%s", extra ? extra : "");
    r->status = 200;
    cg_exchange_begin(r->x, 200, "text/event-stream", head.failed ? NULL : head.ptr);
}

void cg_answer_bytes(struct cg_request *r, struct cogent_str bytes)
{
    cg_exchange_write(r->x, bytes);
}

void cg_answer_end(struct cg_request *r)
{
    count(r);
    struct cg_exchange *x = r->x;
    request_free(r);
    cg_exchange_end(x);
}

bool cg_query_param(const struct cg_request *r, const char *name, char *out, size_t size)
{
    struct cogent_str query = cg_exchange_head(r->x)->query;
    size_t at = 0, want = strlen(name);
    while (at < query.len) {
        const char *from = query.ptr + at;
        const char *amp = memchr(from, '&', query.len - at);
        size_t n = amp ? (size_t)(amp - from) : query.len - at;
        if (n > want && memcmp(from, name, want) == 0 && from[want] == '=')
            return percent_decode((struct cogent_str){ from + want + 1, n - want - 1 }, true, out, size);
        at += n + 1;
    }
    return false;
}

int64_t cg_query_int(const struct cg_request *r, const char *name, int64_t preset, int64_t max)
{
    char text[24], *end;
    if (!cg_query_param(r, name, text, sizeof text))
        return preset;
    long long n = strtoll(text, &end, 10);
    return *end || n < 1 ? preset : n > max ? max : n;
}

/* Metrics: a listener of its own. */

static int64_t metrics_head(void *arg, struct cg_exchange *x)
{
    struct cg_api *api = arg;
    const struct cg_http_head *head = cg_exchange_head(x);
    if (!cg_str_eq(head->path, "/metrics")) {
        cg_exchange_reply(x, 404, "text/plain", NULL, cogent_str("/metrics is what there is here\n"));
        return -1;
    }
    cg_auto_buf out = { 0 };
    cg_metrics_render(api->env.run->board, &out);
    cg_exchange_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, cg_buf_view(&out));
    return -1;
}

static void metrics_refuse(void *arg, struct cg_exchange *x, int status, const char *why)
{
    (void)arg;
    cg_exchange_reply(x, status, "text/plain", NULL, cogent_str(why));
}

struct cg_http_handler cg_api_metrics_handler(struct cg_api *api)
{
    return (struct cg_http_handler){ metrics_head, NULL, metrics_refuse, api };
}
