/* SPDX-License-Identifier: Apache-2.0
 * The client against our own server in the same loop. */
#include "check.h"

#include "engine/io/http_client.h"
#include "engine/io/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct cogent_op none;

static struct fixture {
    struct cg_loop *loop;
    struct cg_http_server *server;
    struct cg_http_client *client;
    struct cogent_op run; /* what the requests serve */
    int listener, port;
    struct cg_exchange *held;
    int gone, done, err, status, sent, cancel_at, pause_at;
    uint32_t retry_after_ms;
    char seen[1024]; /* by the server: the request's header X-Seen, its method */
    char x_answer[64], content_type[64];
    struct cg_buf events, body;
    struct cogent_op transfer;
} f;

static void on_gone(void *arg)
{
    (void)arg;
    f.gone++;
    f.held = NULL;
}

static int64_t on_head(void *arg, struct cg_exchange *x)
{
    (void)arg, (void)x;
    return 1 << 20;
}

static void on_request(void *arg, struct cg_exchange *x)
{
    (void)arg;
    const struct cg_http_head *head = cg_exchange_head(x);
    struct cogent_str seen = cg_http_header_find(head, "x-seen");
    snprintf(f.seen, sizeof f.seen, "%.*s %.*s", (int)head->method.len, head->method.ptr, (int)seen.len,
             seen.ptr ? seen.ptr : "");
    if (cg_str_eq(head->path, "/echo")) {
        cg_exchange_reply(x, 201, "text/x-echo", "X-Answer: first\r\nX-Answer: second\r\nRetry-After: 2\r\n",
                          cg_exchange_body(x));
    } else if (cg_str_eq(head->path, "/busy")) {
        cg_exchange_reply(x, 429, "text/event-stream", "Retry-After-Ms: 150\r\nRetry-After: 7\r\n",
                          cogent_str("data: no event\n\n"));
    } else if (cg_str_eq(head->path, "/odd")) {
        cg_exchange_reply(x, 503, "text/plain", "Retry-After: -5\r\n", cogent_str(""));
    } else if (cg_str_eq(head->path, "/moved")) {
        cg_exchange_reply(x, 302, "text/plain", "Location: /echo\r\n", cogent_str(""));
    } else if (cg_str_eq(head->path, "/events")) {
        cg_exchange_begin(x, 200, "text/event-stream; charset=utf-8", NULL);
        cg_exchange_write(x, cogent_str("event: a\ndata: 1\n\ndata: 2\n"));
        cg_exchange_write(x, cogent_str("\ndata: 3\n\n"));
        cg_exchange_end(x);
    } else if (cg_str_eq(head->path, "/torn")) {
        cg_exchange_begin(x, 200, "text/event-stream", NULL);
        cg_exchange_write(x, cogent_str("data: 1\n\n"));
        f.held = x;
        cg_exchange_on_close(x, on_gone, NULL);
        cg_exchange_watch_fin(x);
    } else {
        f.held = x;
        cg_exchange_on_close(x, on_gone, NULL);
        cg_exchange_watch_fin(x);
    }
}

static void on_refuse(void *arg, struct cg_exchange *x, int status, const char *why)
{
    (void)arg;
    cg_exchange_reply(x, status, "text/plain", NULL, cogent_str(why));
}

static int setup(void **state)
{
    static const struct cg_http_handler handler = { on_head, on_request, on_refuse, NULL };
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    (void)state;
    memset(&f, 0, sizeof f);
    f.loop = cg_loop_create();
    f.server = cg_http_server_create(f.loop, &cg_http_limits_default, &handler);
    f.client = cg_http_client_create(f.loop, NULL, NULL);
    f.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f.listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(f.listener, 16), 0);
    assert_int_equal(getsockname(f.listener, (struct sockaddr *)&addr, &len), 0);
    f.port = ntohs(addr.sin_port);
    assert_true(cg_http_server_listen(f.server, f.listener));
    f.run = cg_op_start(f.loop, none, "run", 0, NULL, NULL);
    cg_buf_add(&f.events, "", 0);
    cg_buf_add(&f.body, "", 0);
    return 0;
}

static void stop(void *arg)
{
    cg_loop_stop(arg);
}

static void turn(uint32_t ms)
{
    cg_timer_after(f.loop, none, "test", ms, stop, f.loop);
    cg_loop_run(f.loop);
}

static int teardown(void **state)
{
    (void)state;
    cg_op_cancel(f.loop, f.run, COGENT_CANCELLED);
    turn(5);
    assert_int_equal(cg_op_count(f.loop), 0);
    cg_http_client_destroy(f.client);
    cg_http_server_destroy(f.server);
    cg_loop_destroy(f.loop);
    close(f.listener);
    cg_buf_finish(&f.events);
    cg_buf_finish(&f.body);
    return 0;
}

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    (void)arg;
    cg_buf_printf(&f.events, "[%.*s|%.*s]", (int)name.len, name.ptr, (int)data.len, data.ptr);
    if (f.cancel_at && --f.cancel_at == 0)
        cg_op_cancel(f.loop, f.run, COGENT_CANCELLED);
    if (f.pause_at && --f.pause_at == 0)
        cg_http_pause(f.client, f.transfer, true);
}

static void on_done(void *arg, const struct cogent_http_result *r)
{
    (void)arg;
    f.done++;
    f.err = r->err;
    f.status = r->status;
    f.sent = r->sent;
    f.retry_after_ms = r->retry_after_ms;
    cg_buf_str(&f.body, r->body);
    cg_str_copy(f.content_type, sizeof f.content_type, r->content_type);
    const char *answer = r->header(r, "X-ANSWER");
    cg_str_copy(f.x_answer, sizeof f.x_answer, cogent_str(answer ? answer : "none"));
    assert_non_null(r->detail);
    assert_null(r->header(r, "x-nothing"));
}

static const struct cogent_http_events events = { sizeof events, on_event, on_done };

static char url[128];

static struct cogent_http_request request(const char *method, const char *path)
{
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", f.port, path);
    return (struct cogent_http_request){
        .size = sizeof(struct cogent_http_request), .label = "test", .method = method, .url = url
    };
}

static void go(const struct cogent_http_request *r, int ms)
{
    f.transfer = cg_http_send(f.client, f.run, r, &events, NULL);
    assert_false(cogent_op_none(f.transfer));
    assert_int_equal(f.done, 0);
    for (; !f.done && ms > 0; ms -= 5)
        turn(5);
}

static void answers(void **state)
{
    (void)state;
    struct cogent_http_request r = request("POST", "/echo");
    const struct cogent_http_header headers[] = { { "X-Seen", "yes" }, { "Content-Type", "text/plain" } };
    r.headers = headers;
    r.n_headers = 2;
    r.body = cogent_str("hello");
    go(&r, 1000);
    assert_int_equal(f.done, 1);
    assert_int_equal(f.err, 0);
    assert_int_equal(f.status, 201);
    assert_int_equal(f.sent, 1);
    assert_string_equal(f.body.ptr, "hello");
    assert_string_equal(f.seen, "POST yes");
    assert_string_equal(f.x_answer, "first");
    assert_string_equal(f.content_type, "text/x-echo");
    assert_int_equal(f.retry_after_ms, 2000);
    assert_false(cg_op_alive(f.loop, f.transfer));
}

static void events_come_as_they_are(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/events");
    r.flags = COGENT_HTTP_SSE;
    go(&r, 1000);
    assert_string_equal(f.events.ptr, "[a|1][|2][|3]");
    assert_int_equal(f.body.len, 0);
    assert_int_equal(f.err, 0);
}

static void only_a_200_streams(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/busy");
    r.flags = COGENT_HTTP_SSE;
    go(&r, 1000);
    assert_string_equal(f.events.ptr, "");
    assert_string_equal(f.body.ptr, "data: no event\n\n");
    assert_int_equal(f.status, 429);
    assert_int_equal(f.retry_after_ms, 150);
}

static void odd_answers(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/odd");
    go(&r, 1000);
    assert_int_equal(f.retry_after_ms, 0);
    f.done = 0;
    r = request("GET", "/moved"); /* never followed */
    go(&r, 1000);
    assert_int_equal(f.status, 302);
    f.done = 0;
    r = request("HEAD", "/echo");
    go(&r, 1000);
    assert_int_equal(f.status, 201);
    assert_string_equal(f.seen, "HEAD ");
}

static void too_large(void **state)
{
    (void)state;
    struct cogent_http_request r = request("POST", "/echo");
    r.body = cogent_str("0123456789");
    r.max_body = 9;
    go(&r, 1000);
    assert_int_equal(f.err, COGENT_UPSTREAM);
    assert_int_equal(f.sent, 1);
    f.done = 0;
    cg_buf_clear(&f.body);
    r.max_body = 10;
    go(&r, 1000);
    assert_int_equal(f.err, 0);
}

/* A stream that breaks off is never a success. */
static void torn(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/torn");
    r.flags = COGENT_HTTP_SSE;
    go(&r, 50);
    assert_int_equal(f.done, 0);
    assert_string_equal(f.events.ptr, "[|1]");
    cg_exchange_abort(f.held);
    for (int i = 0; i < 50 && !f.done; i++)
        turn(5);
    assert_int_equal(f.done, 1);
    assert_int_not_equal(f.err, 0);
}

static void cancelled_in_a_callback(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/events");
    r.flags = COGENT_HTTP_SSE;
    f.cancel_at = 1;
    go(&r, 60);
    assert_string_equal(f.events.ptr, "[a|1]");
    assert_int_equal(f.done, 0);
}

static void cancelled_closes_the_upstream(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/hold");
    go(&r, 40);
    assert_non_null(f.held);
    cg_op_cancel(f.loop, f.run, COGENT_CANCELLED);
    turn(50);
    assert_int_equal(f.gone, 1);
    assert_int_equal(f.done, 0);
    assert_true(cogent_op_none(cg_http_send(f.client, f.run, &r, &events, NULL)));
}

static void time_outs(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/hold");
    r.first_ms = 40;
    go(&r, 500);
    assert_int_equal(f.err, COGENT_TIMEOUT);
    assert_int_equal(f.sent, 1);
    turn(20);
    assert_int_equal(f.gone, 1);
    f.done = 0;
    r = request("GET", "/torn");
    r.flags = COGENT_HTTP_SSE;
    r.first_ms = 400;
    r.gap_ms = 40;
    go(&r, 300);
    assert_int_equal(f.err, COGENT_TIMEOUT);
    f.done = 0;
    r = request("GET", "/hold");
    r.total_ms = 40;
    go(&r, 500);
    assert_int_equal(f.err, COGENT_TIMEOUT);
}

/* The time-out between bytes is counted from the last ones, not from the first. */
static void slow_but_steady(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/torn");
    r.flags = COGENT_HTTP_SSE;
    r.first_ms = 5000;
    r.gap_ms = 400;
    go(&r, 30);
    for (int i = 0; i < 5; i++) {
        turn(120);
        cg_exchange_write(f.held, cogent_str("data: 2\n\n"));
    }
    turn(20);
    assert_int_equal(f.done, 0);
    assert_string_equal(f.events.ptr, "[|1][|2][|2][|2][|2][|2]");
    turn(600);
    assert_int_equal(f.done, 1);
    assert_int_equal(f.err, COGENT_TIMEOUT);
}

static void paused(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/torn");
    r.flags = COGENT_HTTP_SSE;
    r.gap_ms = 50;
    f.pause_at = 1;
    go(&r, 30);
    cg_exchange_write(f.held, cogent_str("data: 2\n\n"));
    turn(120);
    assert_string_equal(f.events.ptr, "[|1]");
    assert_int_equal(f.done, 0); /* nobody asked for more: no time-out */
    cg_http_pause(f.client, f.transfer, false);
    turn(20);
    assert_string_equal(f.events.ptr, "[|1][|2]");
    turn(120);
    assert_int_equal(f.done, 1);
    assert_int_equal(f.err, COGENT_TIMEOUT);
}

static void refused(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/echo");
    const struct cogent_http_header bad = { "X-A", "b\r\nX-C: d" };
    r.headers = &bad;
    r.n_headers = 1;
    go(&r, 500);
    assert_int_equal(f.err, COGENT_INVALID);
    assert_int_equal(f.sent, 0);
    assert_string_equal(f.x_answer, "none");
    static const struct {
        const char *url;
        int err;
    } rows[] = {
        { "ftp://127.0.0.1/x", COGENT_INVALID },
        { "file:///etc/passwd", COGENT_INVALID },
        { "http://", COGENT_INVALID },
        { "http://127.0.0.1:1/", COGENT_UNAVAILABLE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        f.done = 0;
        r = request("GET", "/");
        r.url = rows[i].url;
        go(&r, 2000);
        assert_int_equal(f.done, 1);
        assert_int_equal(f.err, rows[i].err);
        assert_int_equal(f.sent, 0);
    }
}

/* More than one multi holds, and all of them cancelled at once. */
static void many(void **state)
{
    (void)state;
    struct cogent_http_request r = request("GET", "/hold");
    for (int i = 0; i < 200; i++)
        assert_false(cogent_op_none(cg_http_send(f.client, f.run, &r, &events, NULL)));
    turn(100);
    cg_op_cancel(f.loop, f.run, COGENT_CANCELLED);
    turn(50);
    assert_int_equal(f.done, 0);
    assert_int_equal(cg_http_server_busy(f.server), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(answers),
        T(events_come_as_they_are),
        T(only_a_200_streams),
        T(odd_answers),
        T(too_large),
        T(torn),
        T(cancelled_in_a_callback),
        T(cancelled_closes_the_upstream),
        T(time_outs),
        T(slow_but_steady),
        T(paused),
        T(refused),
        T(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
