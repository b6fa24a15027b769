/* SPDX-License-Identifier: Apache-2.0
 * Transfers on several curl multis: one multi walks a list of all connections of a host, so each holds at most 128. */
#include "http_client.h"

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "loop_base.h"
#include "sse.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    MULTIS_MAX = 128,
    PER_MULTI = 128,
    READ_SIZE = 4096,
    READ_SIZE_SSE = 1024, /* held as long as the stream is open */
    EVENT_MAX = 4 * 1024 * 1024,
    BODY_MAX = 4 * 1024 * 1024,
    HEADERS_MAX = 16384
};

struct multi {
    struct cg_http_client *client;
    CURLM *curl;
    struct event *timer;
    unsigned running;
};

struct cg_http_client {
    struct cg_loop *loop;
    char *proxy, *ca;
    struct multi *multis[MULTIS_MAX];
    size_t n_multis;
    struct cg_task reap; /* transfers that ended inside a curl callback */
    struct transfer *transfers;
};

struct watch {
    struct event *event;
    int what;
};

struct transfer {
    struct transfer *next, **prev;
    struct multi *multi;
    CURL *easy;
    struct cogent_op op;
    struct cogent_http_events events;
    void *arg;
    struct curl_slist *headers;
    char *body_out; /* NULL once a stream has sent it */
    size_t body_len;
    struct cg_buf body;
    struct cg_sse sse;
    struct cogent_op gap; /* the time-out between bytes, or for the first */
    uint32_t gap_ms;
    int64_t heard_us; /* when bytes came last; 0: none yet */
    size_t max_body;
    uint32_t retry_after_ms;
    struct cg_buf answer_headers; /* "name\0value\0", names in lower case */
    char content_type[96];
    char detail[CURL_ERROR_SIZE];
    bool want_sse, is_sse, over, failed_limit, timed_out;
    bool headed; /* the answer's head came to its end */
    bool paused;
};

static void transfer_free(struct transfer *t)
{
    *t->prev = t->next;
    if (t->next)
        t->next->prev = t->prev;
    if (t->easy) {
        curl_multi_remove_handle(t->multi->curl, t->easy);
        curl_easy_cleanup(t->easy);
        t->multi->running--;
    }
    curl_slist_free_all(t->headers);
    free(t->body_out);
    cg_buf_finish(&t->body);
    cg_buf_finish(&t->answer_headers);
    cg_sse_finish(&t->sse);
    free(t);
}

/* The wait above ended. We may stand inside a curl callback of this very transfer, where it must not be removed. */
static void on_cancel(void *arg, int why)
{
    (void)why;
    struct transfer *t = arg;
    t->over = true;
    cg_task_later(t->multi->client->loop, &t->multi->client->reap);
}

static void reap(void *arg)
{
    struct cg_http_client *client = arg;
    for (struct transfer *t = client->transfers, *next; t; t = next) {
        next = t->next;
        if (t->over)
            transfer_free(t);
    }
}

static int error_of(const struct transfer *t, CURLcode code)
{
    if (t->timed_out)
        return COGENT_TIMEOUT;
    if (t->failed_limit)
        return COGENT_UPSTREAM;
    switch (code) {
    case CURLE_OK: /* a head that breaks off is no answer, though libcurl takes it for one */
        return t->headed ? 0 : COGENT_UPSTREAM;
    case CURLE_OPERATION_TIMEDOUT:
        return COGENT_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return COGENT_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return COGENT_INVALID;
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
        return COGENT_UPSTREAM;
    default:
        return COGENT_UNAVAILABLE;
    }
}

/* What callers see of a finished transfer. */
struct answer {
    struct cogent_http_result result; /* first */
    const struct transfer *transfer;
};

static const char *answer_header(const struct cogent_http_result *result, const char *name)
{
    const struct transfer *t = ((const struct answer *)result)->transfer;
    const char *at = t->answer_headers.ptr, *end = at ? at + t->answer_headers.len : NULL;
    while (at && at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static void transfer_done(struct transfer *t, CURLcode code)
{
    long status = 0, request_size = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_size);
    struct answer a = { .transfer = t };
    a.result = (struct cogent_http_result){
        .size = sizeof a.result,
        .header = answer_header,
        .err = error_of(t, code),
        .status = (int)status,
        .sent = request_size > 0 || status > 0,
        .retry_after_ms = t->retry_after_ms,
        .body = cg_buf_view(&t->body),
        .content_type = cogent_str(t->content_type),
        .detail = t->timed_out      ? "no byte in time"
                  : t->failed_limit ? "the answer is too large"
                  : t->detail[0]    ? t->detail
                  : !t->headed      ? "the answer broke off in its head"
                                    : curl_easy_strerror(code),
    };
    struct cg_loop *loop = t->multi->client->loop;
    t->over = true;
    if (cg_op_finish(loop, t->op))
        t->events.done(t->arg, &a.result);
    transfer_free(t);
}

static void check_done(struct multi *m)
{
    int left;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(m->curl, &left))) {
        struct transfer *t;
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        if (!t->over)
            transfer_done(t, code);
    }
}

static void on_socket_ready(evutil_socket_t fd, short what, void *arg)
{
    struct multi *m = arg;
    int running, flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(m->curl, fd, flags, &running);
    check_done(m);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *per_socket)
{
    (void)easy;
    struct multi *m = arg;
    struct watch *w = per_socket;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            event_free(w->event);
            free(w);
            curl_multi_assign(m->curl, fd, NULL);
        }
        return 0;
    }
    if (!w) {
        w = cg_memory_calloc(1, sizeof *w); /* without it all transfers of this handle are lost */
        if (!w)
            return -1;
        curl_multi_assign(m->curl, fd, w);
    }
    if (w->event && w->what == what)
        return 0;
    if (w->event)
        event_free(w->event);
    short flags =
        (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    w->what = what;
    w->event = event_new(cg_loop_base(m->client->loop), fd, flags, on_socket_ready, m);
    if (!w->event || event_add(w->event, NULL) != 0)
        return -1;
    return 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct multi *m = arg;
    int running;
    curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    check_done(m);
}

static int on_set_timer(CURLM *curl, long ms, void *arg)
{
    (void)curl;
    struct multi *m = arg;
    struct timeval tv = cg_ms(ms > 0 ? (uint32_t)ms : 0);
    if (ms < 0)
        event_del(m->timer);
    else
        event_add(m->timer, &tv);
    return 0;
}

static struct multi *multi_create(struct cg_http_client *client)
{
    struct multi *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->client = client;
    m->curl = curl_multi_init();
    m->timer = event_new(cg_loop_base(client->loop), -1, 0, on_timer, m);
    if (!m->curl || !m->timer) {
        curl_multi_cleanup(m->curl);
        if (m->timer)
            event_free(m->timer);
        free(m);
        return NULL;
    }
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_set_timer);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)PER_MULTI);
    return m;
}

static struct multi *pick_multi(struct cg_http_client *client)
{
    for (size_t i = 0; i < client->n_multis; i++) {
        if (client->multis[i]->running < PER_MULTI)
            return client->multis[i];
    }
    struct multi *m = client->n_multis < MULTIS_MAX ? multi_create(client) : NULL;
    if (m)
        client->multis[client->n_multis++] = m;
    return m;
}

struct cg_http_client *cg_http_client_create(struct cg_loop *loop, const char *proxy, const char *ca)
{
    struct cg_http_client *client = calloc(1, sizeof *client);
    if (!client || curl_global_init_mem(CURL_GLOBAL_DEFAULT, cg_memory_malloc, free, cg_memory_realloc,
                                        cg_memory_strdup, cg_memory_calloc) != 0) {
        free(client);
        return NULL;
    }
    client->loop = loop;
    client->proxy = proxy ? cg_str_dup(cogent_str(proxy)) : NULL;
    client->ca = ca ? cg_str_dup(cogent_str(ca)) : NULL;
    client->reap = (struct cg_task){ .fn = reap, .arg = client };
    return client;
}

void cg_http_client_destroy(struct cg_http_client *client)
{
    if (!client)
        return;
    cg_task_cancel(client->loop, &client->reap);
    while (client->transfers)
        transfer_free(client->transfers);
    for (size_t i = 0; i < client->n_multis; i++) {
        curl_multi_cleanup(client->multis[i]->curl);
        event_free(client->multis[i]->timer);
        free(client->multis[i]);
    }
    free(client->proxy);
    free(client->ca);
    free(client);
}

static void on_gap(void *arg);

static void arm_gap(struct transfer *t, uint32_t ms)
{
    struct cg_loop *loop = t->multi->client->loop;
    if (cg_op_alive(loop, t->gap))
        cg_op_deadline(loop, t->gap, ms);
    else if (ms)
        t->gap = cg_timer_after(loop, t->op, "http.gap", ms, on_gap, t);
}

/* The timer stands still while bytes come, which is cheaper than moving it for each: it fires, and looks how long ago the
 * last ones came. */
static void on_gap(void *arg)
{
    struct transfer *t = arg;
    int64_t left = t->heard_us ? t->gap_ms - (cg_mono_us() - t->heard_us) / 1000 : 0;
    if (left > 0) {
        arm_gap(t, (uint32_t)left);
        return;
    }
    t->timed_out = true;
    transfer_done(t, CURLE_OPERATION_TIMEDOUT);
}

/* A stream may take minutes, and what was asked is not needed any more once it has been sent whole. */
static void drop_sent(struct transfer *t)
{
    curl_off_t sent = 0;
    if (!t->is_sse || !t->body_out || curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent) != CURLE_OK ||
        (size_t)sent != t->body_len)
        return;
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, NULL);
    free(t->body_out);
    t->body_out = NULL;
}

/* Bytes came: from the first of them on, the time-out is the one between bytes. */
static void heard(struct transfer *t)
{
    bool first = !t->heard_us;
    t->heard_us = cg_mono_us();
    if (!first)
        return;
    drop_sent(t);
    if (t->gap_ms || !cogent_op_none(t->gap))
        arm_gap(t, t->gap_ms);
}

/* A number in text as milliseconds, at most a day; 0 when it is none. */
static uint32_t bounded(const char *text, unsigned unit)
{
    const unsigned long day = 86400000;
    unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, NULL, 10) : 0;
    return (uint32_t)(n < day / unit ? n * unit : day);
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * n, name = 0;
    while (name < len && data[name] != ':')
        name++;
    struct cogent_str key = { data, name }, value = { data + name, 0 };
    if (name < len) {
        value = (struct cogent_str){ data + name + 1, len - name - 1 };
        while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t')) {
            value.ptr++;
            value.len--;
        }
        while (value.len && strchr("\r\n \t", value.ptr[value.len - 1]))
            value.len--;
    }
    char text[32];
    if (len == 2 || len == 1)
        t->headed = data[len - 1] == '\n';
    else if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0)
        t->headed = false;
    if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0)
        cg_buf_clear(&t->answer_headers); /* a new head: what came before was a 100 or a proxy's */
    else if (name < len && t->answer_headers.len < HEADERS_MAX && !memchr(data, '\0', len)) {
        cg_buf_str(&t->answer_headers, key);
        cg_buf_char(&t->answer_headers, '\0');
        cg_buf_str(&t->answer_headers, value);
        cg_buf_char(&t->answer_headers, '\0');
    }
    if (cg_str_caseeq(key, "content-type")) {
        cg_str_copy(t->content_type, sizeof t->content_type, value);
    } else if (cg_str_caseeq(key, "retry-after-ms") && cg_str_copy(text, sizeof text, value)) {
        t->retry_after_ms = bounded(text, 1);
    } else if (cg_str_caseeq(key, "retry-after") && !t->retry_after_ms &&
               cg_str_copy(text, sizeof text, value)) {
        t->retry_after_ms = bounded(text, 1000);
    }
    return len;
}

static void on_sse(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id)
{
    (void)id;
    struct transfer *t = arg;
    if (!t->over)
        t->events.event(t->arg, event, data);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct cogent_str bytes = { data, size * n };
    if (t->over)
        return 0;
    if (t->paused)
        return CURL_WRITEFUNC_PAUSE;
    if (t->want_sse) {
        long status = 0;
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        t->is_sse = status == 200 && strncasecmp(t->content_type, "text/event-stream", 17) == 0;
        t->want_sse = false;
    }
    heard(t);
    if (t->is_sse) {
        if (cg_sse_feed(&t->sse, bytes) < 0)
            t->failed_limit = true;
    } else if (t->body.len + bytes.len > t->max_body) {
        t->failed_limit = true;
    } else {
        cg_buf_str(&t->body, bytes);
    }
    return t->failed_limit || t->over ? 0 : bytes.len;
}

static bool set_headers(struct transfer *t, const struct cogent_http_request *r)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        cg_auto_buf line = { 0 };
        const char *value = r->headers[i].value;
        if (strpbrk(r->headers[i].name, "\r\n: ") || strpbrk(value, "\r\n"))
            return false;
        cg_buf_printf(&line, "%s:%s%s", r->headers[i].name, *value ? " " : "", value);
        struct curl_slist *more = line.failed ? NULL : curl_slist_append(t->headers, line.ptr);
        if (!more)
            return false;
        t->headers = more;
    }
    struct curl_slist *no_expect = curl_slist_append(t->headers, "Expect:");
    if (no_expect)
        t->headers = no_expect;
    return no_expect != NULL;
}

static void set_options(struct transfer *t, const struct cg_http_client *client, const char *socket_path,
                        const struct cogent_http_request *r)
{
    CURL *e = t->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    curl_easy_setopt(e, CURLOPT_URL, r->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, client->proxy && !socket_path ? client->proxy : "");
    if (client->ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, client->ca);
    if (socket_path)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)(t->want_sse ? READ_SIZE_SSE : READ_SIZE));
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->detail);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : 5000));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(r->total_ms ? r->total_ms : 60000));
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
    if (strcmp(r->method, "HEAD") == 0)
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    if (r->body.len || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->body_out);
    }
    /* curl sends a request again by itself when a kept connection turns out dead: a write must not be. */
    if (r->flags & COGENT_HTTP_ONCE)
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
}

struct cogent_op cg_http_send(struct cg_http_client *client, struct cogent_op parent,
                              const struct cogent_http_request *request,
                              const struct cogent_http_events *events, void *arg)
{
    return cg_http_send_unix(client, NULL, parent, request, events, arg);
}

static const char *no_header(const struct cogent_http_result *result, const char *name)
{
    (void)result, (void)name;
    return NULL;
}

/* Whatever fails before curl has the transfer is told through done, like everything else. */
static void on_never_began(void *arg)
{
    struct transfer *t = arg;
    struct cogent_http_result r = {
        .size = sizeof r, .err = COGENT_INVALID, .header = no_header, .detail = "the request is malformed"
    };
    t->over = true;
    if (cg_op_finish(t->multi->client->loop, t->op))
        t->events.done(t->arg, &r);
    cg_task_later(t->multi->client->loop, &t->multi->client->reap);
}

struct cogent_op cg_http_send_unix(struct cg_http_client *client, const char *socket_path,
                                   struct cogent_op parent, const struct cogent_http_request *request,
                                   const struct cogent_http_events *events, void *arg)
{
    const struct cogent_op none = { 0, 0 };
    struct multi *m = pick_multi(client);
    struct transfer *t = m ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return none;
    t->op = cg_op_start(client->loop, parent, request->label ? request->label : "http", 0, on_cancel, t);
    if (cogent_op_none(t->op)) {
        free(t);
        return none;
    }
    t->multi = m;
    t->events = *events;
    t->arg = arg;
    t->next = client->transfers;
    t->prev = &client->transfers;
    if (t->next)
        t->next->prev = &t->next;
    client->transfers = t;
    t->want_sse = (request->flags & COGENT_HTTP_SSE) && events->event;
    t->gap_ms = request->gap_ms;
    t->max_body = request->max_body ? request->max_body : BODY_MAX;
    cg_sse_init(&t->sse, EVENT_MAX, on_sse, t);
    t->body_out = cg_str_dup(request->body);
    t->body_len = request->body.len;
    t->easy = t->body_out && set_headers(t, request) ? curl_easy_init() : NULL;
    if (!t->easy) {
        cg_timer_after(client->loop, t->op, "http.refused", 1, on_never_began, t);
        return t->op;
    }
    m->running++;
    set_options(t, client, socket_path, request);
    curl_multi_add_handle(m->curl, t->easy);
    if (request->first_ms)
        arm_gap(t, request->first_ms);
    return t->op;
}

void cg_http_pause(struct cg_http_client *client, struct cogent_op op, bool pause)
{
    for (struct transfer *t = client->transfers; t; t = t->next) {
        if (t->op.slot != op.slot || t->op.generation != op.generation || t->over || t->paused == pause)
            continue;
        t->paused = pause;
        /* That nothing comes while nothing is wanted is no time-out. */
        t->heard_us = pause ? t->heard_us : cg_mono_us();
        arm_gap(t, pause ? 0 : t->gap_ms);
        if (!pause)
            curl_easy_pause(t->easy, CURLPAUSE_CONT);
        return;
    }
}
