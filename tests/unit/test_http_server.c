/* SPDX-License-Identifier: Apache-2.0
 * The server over loopback: a client of plain sockets in the same loop. */
#include "check.h"

#include "engine/io/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BIG = 3 * 1024 * 1024 };

static struct fixture {
    struct cg_loop *loop;
    struct cg_http_server *server;
    int listener, port;
    char *big;
    /* What the routes saw. */
    int heads, requests, refused, closed, drained, before_mark;
    struct cg_exchange *held;
    char last_body[64];
    /* A body that is handed over. */
    struct cg_buf pieces;
    bool sated, answers;
    size_t largest;
} f;

static void on_closed(void *arg)
{
    (void)arg;
    f.closed++;
    f.held = NULL;
}

static bool on_piece(void *arg, struct cogent_str bytes)
{
    struct cg_exchange *x = arg;
    cg_buf_str(&f.pieces, bytes);
    f.largest = bytes.len > f.largest ? bytes.len : f.largest;
    if (f.answers) {
        f.held = NULL;
        cg_exchange_reply(x, 400, "text/plain", NULL, cogent_str("enough"));
    }
    return !f.sated;
}

static int64_t on_head(void *arg, struct cg_exchange *x)
{
    (void)arg;
    f.heads++;
    if (cg_str_eq(cg_exchange_head(x)->path, "/pieces")) {
        f.held = x;
        cg_exchange_on_body(x, on_piece, x);
        cg_exchange_on_close(x, on_closed, NULL);
    }
    if (!cg_str_eq(cg_exchange_head(x)->path, "/early"))
        return 1000;
    cg_exchange_reply(x, 403, "text/plain", NULL, cogent_str("early"));
    return -1;
}

static void on_request(void *arg, struct cg_exchange *x)
{
    (void)arg;
    struct cogent_str path = cg_exchange_head(x)->path;
    f.requests++;
    cg_str_copy(f.last_body, sizeof f.last_body, cg_exchange_body(x));
    if (cg_str_eq(path, "/hold") || cg_str_eq(path, "/hold-fin")) {
        f.held = x;
        cg_exchange_on_close(x, on_closed, NULL);
        if (cg_str_eq(path, "/hold-fin"))
            cg_exchange_watch_fin(x);
    } else if (cg_str_eq(path, "/big")) {
        cg_exchange_reply(x, 200, "text/plain", NULL, (struct cogent_str){ f.big, BIG });
    } else if (cg_str_eq(path, "/mark")) {
        f.before_mark = f.requests - 1;
        cg_exchange_reply(x, 200, "text/plain", NULL, path);
    } else if (cg_str_eq(path, "/stream")) {
        cg_exchange_begin(x, 200, "text/plain", "X-A: 1\r\n");
        cg_exchange_write(x, cogent_str("hello "));
        cg_exchange_write(x, cogent_str("world"));
        cg_exchange_end(x);
    } else if (cg_str_eq(path, "/abort")) {
        cg_exchange_begin(x, 200, "text/plain", NULL);
        cg_exchange_write(x, cogent_str("half"));
        cg_exchange_abort(x);
    } else if (cg_str_eq(path, "/none")) {
        cg_exchange_reply(x, 204, "text/plain", NULL, cogent_str(""));
    } else {
        cg_exchange_reply(x, 200, "text/plain", NULL, path);
    }
}

static void on_refuse(void *arg, struct cg_exchange *x, int status, const char *why)
{
    (void)arg;
    f.refused = status;
    cg_exchange_reply(x, status, "text/plain", NULL, cogent_str(why));
}

static int setup_with(const struct cg_http_limits *limits)
{
    static const struct cg_http_handler handler = { on_head, on_request, on_refuse, NULL };
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    memset(&f, 0, sizeof f);
    f.big = malloc(BIG);
    memset(f.big, 'x', BIG);
    f.loop = cg_loop_create();
    f.server = cg_http_server_create(f.loop, limits, &handler);
    f.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f.listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(f.listener, 256), 0);
    assert_int_equal(getsockname(f.listener, (struct sockaddr *)&addr, &len), 0);
    f.port = ntohs(addr.sin_port);
    assert_true(cg_http_server_listen(f.server, f.listener));
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(&cg_http_limits_default);
}

static int setup_short(void **state)
{
    struct cg_http_limits limits = cg_http_limits_default;
    (void)state;
    limits.head_ms = 120;
    limits.idle_ms = 150;
    limits.requests = 2;
    limits.body_grace_ms = 100;
    limits.body_rate = 200;
    return setup_with(&limits);
}

static int setup_two(void **state)
{
    (void)state;
    struct cg_http_limits limits = cg_http_limits_default;
    limits.connections = 2;
    return setup_with(&limits);
}

static int setup_shares(void **state)
{
    static struct cg_net trusted;
    (void)state;
    struct cg_http_limits limits = cg_http_limits_default;
    assert_true(cg_net_parse(cogent_str("127.0.0.1"), &trusted));
    limits.peer_connections = 2;
    limits.trusted = &trusted;
    limits.n_trusted = 1;
    return setup_with(&limits);
}

static int teardown(void **state)
{
    (void)state;
    cg_http_server_destroy(f.server);
    cg_loop_destroy(f.loop);
    close(f.listener);
    free(f.big);
    cg_buf_finish(&f.pieces);
    return 0;
}

static void stop(void *arg)
{
    cg_loop_stop(arg);
}

static void turn(uint32_t ms)
{
    cg_timer_after(f.loop, (struct cogent_op){ 0, 0 }, "test", ms, stop, f.loop);
    cg_loop_run(f.loop);
}

static int client_open_from(const char *address)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)f.port) };
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static int client_open(void)
{
    return client_open_from("127.0.0.1");
}

static void client_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything that comes within ms, or until the server closes. Returns whether it closed. */
static bool client_read(int fd, struct cg_buf *out, int ms)
{
    static char chunk[65536];
    cg_buf_clear(out);
    cg_buf_add(out, "", 0);
    for (int waited = 0; waited < ms; waited += 5) {
        turn(5);
        ssize_t n;
        while ((n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT)) > 0) {
            cg_buf_add(out, chunk, (size_t)n);
            waited = 0;
        }
        if (n == 0 || errno != EAGAIN)
            return true;
    }
    return false;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

static void keeps_alive_and_pipelines(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /one" HOST "\r\n");
    assert_false(client_read(fd, &out, 40));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK\r\n"), 1);
    assert_non_null(strstr(out.ptr, "Connection: keep-alive\r\n\r\n/one"));
    client_send(fd, "POST /two" HOST "Content-Length: 5\r\n\r\nhelloGET /three" HOST "\r\nGET /stream" HOST
                    "\r\n");
    assert_false(client_read(fd, &out, 40));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK\r\n"), 3);
    assert_non_null(strstr(out.ptr, "\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"));
    assert_int_equal(f.requests, 4);
    assert_int_equal(cg_http_server_busy(f.server), 0);
    assert_int_equal(cg_http_server_open(f.server), 1);
    close(fd);
    turn(20);
    assert_int_equal(cg_http_server_open(f.server), 0);
}

static void pipelined_wait_for_a_late_answer(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /hold" HOST "\r\nGET /two" HOST "\r\n");
    assert_false(client_read(fd, &out, 30));
    assert_int_equal(out.len, 0);
    assert_int_equal(f.requests, 1);
    cg_exchange_reply(f.held, 200, "text/plain", NULL, cogent_str("late"));
    assert_false(client_read(fd, &out, 40));
    const char *late = strstr(out.ptr, "late"), *two = strstr(out.ptr, "/two");
    assert_true(late && two && late < two);
    assert_int_equal(f.closed, 0);
    close(fd);
}

static void bodies(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "POST /c" HOST "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    client_read(fd, &out, 30);
    assert_string_equal(out.ptr, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\nGET /next" HOST "\r\n");
    client_read(fd, &out, 30);
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(f.requests, 2);
    close(fd);
    static const char *const too_large[] = { "POST /c" HOST "Content-Length: 1001\r\n\r\n",
                                             "POST /c" HOST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" };
    for (size_t i = 0; i < 2; i++) {
        fd = client_open();
        client_send(fd, too_large[i]);
        for (int k = 0; i == 1 && k < 1001; k++)
            client_send(fd, "x");
        assert_true(client_read(fd, &out, 100));
        assert_non_null(strstr(out.ptr, "HTTP/1.1 413 "));
        assert_non_null(strstr(out.ptr, "Connection: close\r\n"));
        close(fd);
    }
    assert_int_equal(f.requests, 2);
    fd = client_open();
    client_send(fd, "POST /c" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    assert_true(client_read(fd, &out, 100));
    assert_int_equal(f.refused, 400);
    close(fd);
}

static void bodies_in_pieces(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    /* Both framings, cut anywhere, and a request behind them. */
    static const char *const sent[] = { "POST /pieces" HOST "Content-Length: 7\r\n\r\nseve", "nth",
                                        "POST /pieces" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\neig",
                                        "\r", "\n3\r\nhth\r\n0\r\n\r\nGET /next" HOST "\r\n" };
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        client_send(fd, sent[i]);
        turn(10);
    }
    client_read(fd, &out, 30);
    assert_string_equal(f.pieces.ptr, "seventheighth");
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 3);
    close(fd);
}

/* What nobody wants yet stays with the client: little of it is held here. */
static void bodies_that_are_paused(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    char head[120];
    size_t sent = 0, before;
    f.sated = true;
    snprintf(head, sizeof head, "POST /pieces" HOST "Content-Length: %d\r\n\r\n", 5 * BIG);
    client_send(fd, head);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    do {
        before = sent;
        for (ssize_t n; (n = send(fd, f.big, BIG, MSG_NOSIGNAL)) > 0;)
            sent += (size_t)n;
        turn(20);
    } while (sent > before);
    assert_true(f.pieces.len > 0 && f.pieces.len <= 128 * 1024);
    assert_true(sent < 5 * BIG); /* the kernel holds some, the client the rest */
    for (int i = 0; i < 5000 && f.pieces.len < 5 * BIG; i++) {
        size_t left = 5 * BIG - sent;
        for (ssize_t n; left && (n = send(fd, f.big, left < BIG ? left : BIG, MSG_NOSIGNAL)) > 0;
             left = 5 * BIG - sent)
            sent += (size_t)n;
        if (!left)
            shutdown(fd, SHUT_WR); /* while it waits: it gets its answer all the same */
        cg_exchange_resume(f.held);
        turn(1);
    }
    assert_int_equal(f.pieces.len, 5 * BIG);
    assert_true(f.largest <= 128 * 1024);
    client_read(fd, &out, 50);
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 1);
    assert_int_equal(f.closed, 0);
    close(fd);
}

static void bodies_that_end_early(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "POST /pieces" HOST "Content-Length: 9\r\n\r\nhalf");
    turn(20);
    close(fd);
    turn(20);
    assert_int_equal(f.closed, 1);
    /* Answered from within a piece, in both framings. */
    static const char *const rows[] = {
        "POST /pieces" HOST "Content-Length: 500\r\n\r\nhalf",
        "POST /pieces" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n",
    };
    f.answers = true;
    for (size_t i = 0; i < 2; i++) {
        fd = client_open();
        client_send(fd, rows[i]);
        assert_true(client_read(fd, &out, 100));
        assert_non_null(strstr(out.ptr, "HTTP/1.1 400 "));
        assert_non_null(strstr(out.ptr, "Connection: close\r\n"));
        close(fd);
    }
    assert_int_equal(f.requests, 0);
}

/* An answer before the body: the connection ends, however much of the body still comes. */
static void early_answer(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "POST /early" HOST "Content-Length: 500\r\n\r\nGET /smuggled" HOST "\r\n");
    assert_true(client_read(fd, &out, 100));
    assert_non_null(strstr(out.ptr, "HTTP/1.1 403 Forbidden"));
    assert_non_null(strstr(out.ptr, "Connection: close"));
    assert_int_equal(f.heads, 1);
    assert_int_equal(f.requests, 0);
    close(fd);
    /* Without a body there is nothing to mistake. */
    fd = client_open();
    client_send(fd, "GET /early" HOST "\r\nGET /next" HOST "\r\n");
    assert_false(client_read(fd, &out, 40));
    assert_non_null(strstr(out.ptr, "/next"));
    close(fd);
}

static void half_closed_clients_get_their_answers(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /big" HOST "\r\nGET /one" HOST "\r\nGET /big" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    assert_true(client_read(fd, &out, 500));
    assert_int_equal(f.requests, 3);
    assert_true(out.len > 2 * BIG);
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 3);
    close(fd);
    turn(10);
    assert_int_equal(cg_http_server_open(f.server), 0);
    /* The same with an answer that comes after the end of input. */
    fd = client_open();
    client_send(fd, "GET /hold" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    client_read(fd, &out, 20);
    assert_non_null(f.held);
    cg_exchange_reply(f.held, 200, "text/plain", NULL, (struct cogent_str){ f.big, BIG });
    assert_true(client_read(fd, &out, 500));
    assert_true(out.len > BIG);
    assert_int_equal(f.closed, 0);
    close(fd);
    /* And with a connection that was to close anyway. */
    fd = client_open();
    client_send(fd, "GET /big" HOST "Connection: close\r\n\r\n");
    shutdown(fd, SHUT_WR);
    assert_true(client_read(fd, &out, 500));
    assert_true(out.len > BIG);
    close(fd);
}

static void gone_clients_are_told_of(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /hold-fin" HOST "\r\n");
    client_read(fd, &out, 20);
    shutdown(fd, SHUT_WR);
    assert_true(client_read(fd, &out, 50));
    assert_int_equal(f.closed, 1);
    assert_int_equal(out.len, 0);
    close(fd);
    fd = client_open();
    client_send(fd, "GET /hold" HOST "\r\n");
    client_read(fd, &out, 20);
    struct linger hard = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    turn(30);
    assert_int_equal(f.closed, 2);
    assert_int_equal(cg_http_server_open(f.server), 0);
    assert_int_equal(cg_http_server_busy(f.server), 0);
}

static void streams_end_and_break(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /stream HTTP/1.0\r\n\r\n");
    assert_true(client_read(fd, &out, 300));
    assert_non_null(strstr(out.ptr, "\r\n\r\nhello world"));
    assert_null(strstr(out.ptr, "chunked"));
    close(fd);
    /* Nothing left to write when it ends: the close comes all the same. */
    fd = client_open();
    client_send(fd, "GET /hold HTTP/1.0\r\n\r\n");
    client_read(fd, &out, 20);
    cg_exchange_begin(f.held, 200, "text/plain", NULL);
    client_read(fd, &out, 20);
    cg_exchange_end(f.held);
    assert_true(client_read(fd, &out, 300));
    close(fd);
    fd = client_open();
    client_send(fd, "GET /abort" HOST "\r\n");
    assert_true(client_read(fd, &out, 300));
    assert_null(strstr(out.ptr, "\r\n0\r\n"));
    assert_int_equal(f.closed, 0);
    close(fd);
    fd = client_open();
    client_send(fd, "HEAD /stream" HOST "\r\nHEAD /one" HOST "\r\nGET /none" HOST "\r\n");
    assert_false(client_read(fd, &out, 40));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(count(out.ptr, "HTTP/1.1 204 No Content"), 1);
    assert_null(strstr(out.ptr, "hello"));
    close(fd);
}

static void on_drained(void *arg)
{
    (void)arg;
    f.drained++;
}

static void full_sinks_are_told_when_they_drain(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /hold" HOST "\r\n");
    client_read(fd, &out, 20);
    cg_exchange_begin(f.held, 200, "text/plain", NULL);
    /* Nothing is waiting: told at once, but not from inside the call. */
    cg_exchange_on_drain(f.held, on_drained, NULL);
    assert_int_equal(f.drained, 0);
    turn(10);
    assert_int_equal(f.drained, 1);
    for (int i = 0; i < 4; i++)
        cg_exchange_write(f.held, (struct cogent_str){ f.big, BIG });
    cg_exchange_on_drain(f.held, on_drained, NULL);
    turn(20);
    assert_int_equal(f.drained, 1);
    assert_true(cg_exchange_pending(f.held) > 16384);
    client_read(fd, &out, 60);
    assert_int_equal(f.drained, 2);
    cg_exchange_end(f.held);
    client_read(fd, &out, 20);
    close(fd);
}

static void slow_heads_and_idle_connections(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /one HTTP/1.1\r\nHo");
    assert_true(client_read(fd, &out, 400));
    assert_non_null(strstr(out.ptr, "HTTP/1.1 408 Request Timeout"));
    close(fd);
    turn(10);
    /* Nothing was asked, nothing is answered. */
    fd = client_open();
    assert_true(client_read(fd, &out, 400));
    assert_int_equal(out.len, 0);
    close(fd);
    turn(10);
    fd = client_open();
    client_send(fd, "GET /one" HOST "\r\n");
    assert_true(client_read(fd, &out, 600));
    assert_int_equal(count(out.ptr, "HTTP/1.1 "), 1);
    close(fd);
    turn(10);
    /* The second request of a connection is its last here. */
    fd = client_open();
    client_send(fd, "GET /one" HOST "\r\nGET /two" HOST "\r\nGET /three" HOST "\r\n");
    assert_true(client_read(fd, &out, 100));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200"), 2);
    assert_int_equal(count(out.ptr, "Connection: close"), 1);
    close(fd);
}

/* In every form that a body has: one that stands still is cut, with words; one that keeps up is not. */
static void slow_bodies(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    static const char *const heads[] = { "POST /c" HOST "Content-Length: 500\r\n\r\n",
                                         "POST /c" HOST "Transfer-Encoding: chunked\r\n\r\n1f4\r\n",
                                         "POST /pieces" HOST "Content-Length: 500\r\n\r\n",
                                         "POST /pieces" HOST "Transfer-Encoding: chunked\r\n\r\n1f4\r\n" };
    for (size_t i = 0; i < 4; i++) {
        int fd = client_open();
        client_send(fd, heads[i]);
        assert_true(client_read(fd, &out, 1000));
        assert_non_null(strstr(out.ptr, "HTTP/1.1 408 Request Timeout"));
        assert_non_null(strstr(out.ptr, "Connection: close"));
        close(fd);
        /* A byte now and then does not help. */
        fd = client_open();
        client_send(fd, heads[i]);
        for (int k = 0; k < 100 && !client_read(fd, &out, 20); k++)
            send(fd, "x", 1, MSG_NOSIGNAL);
        assert_non_null(strstr(out.ptr, "HTTP/1.1 408 Request Timeout"));
        close(fd);
        /* Ten times the rate does. */
        fd = client_open();
        client_send(fd, heads[i]);
        for (int k = 0; k < 10; k++) {
            turn(24);
            for (int n = 0; n < 50; n++)
                client_send(fd, "x");
        }
        client_send(fd, i % 2 ? "\r\n0\r\n\r\n" : "");
        client_read(fd, &out, 30);
        assert_non_null(strstr(out.ptr, "HTTP/1.1 200 OK"));
        close(fd);
    }
    assert_int_equal(f.closed, 0); /* who was refused was not also told that the client had gone */
}

/* Two connections are all that there may be. */
static void who_waits_makes_room(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int oldest = client_open(), fresh, busy, other;
    client_send(oldest, "GET /one" HOST "\r\n");
    assert_false(client_read(oldest, &out, 20));
    fresh = client_open();
    turn(150); /* nobody goes who has just come: their request may be on its way */
    /* The one that has waited for longest goes, kept alive or new. */
    busy = client_open();
    client_send(busy, "GET /hold" HOST "\r\n");
    assert_true(client_read(oldest, &out, 20));
    assert_int_equal(out.len, 0);
    assert_non_null(f.held);
    assert_int_equal(cg_http_server_open(f.server), 2);
    other = client_open();
    client_send(other, "GET /half");
    assert_true(client_read(fresh, &out, 20));
    /* Nobody waits: who comes is told. */
    close(fresh);
    fresh = client_open();
    client_send(fresh, "GET /one" HOST "\r\n");
    assert_true(client_read(fresh, &out, 100));
    assert_non_null(strstr(out.ptr, "HTTP/1.1 503 "));
    assert_int_equal(f.requests, 2);
    cg_exchange_reply(f.held, 200, "text/plain", NULL, cogent_str("held"));
    assert_false(client_read(busy, &out, 20));
    assert_non_null(strstr(out.ptr, "held"));
    close(oldest);
    close(fresh);
    close(busy);
    close(other);
    turn(20);
    assert_int_equal(cg_http_server_open(f.server), 0);
}

/* Many who are one too many: some are told, and none costs anything that stays. */
static void too_many_are_turned_away(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int busy[2], fds[200], told = 0;
    for (int i = 0; i < 2; i++) {
        busy[i] = client_open();
        client_send(busy[i], "GET /half");
        turn(5);
    }
    for (int i = 0; i < 200; i++)
        fds[i] = client_open();
    turn(20);
    assert_in_range(cg_http_server_open(f.server), 2, 66);
    for (int i = 0; i < 200; i++) {
        client_read(fds[i], &out, 1);
        told += count(out.ptr, "HTTP/1.1 503 ") == 1;
        close(fds[i]);
    }
    assert_in_range(told, 64, 199);
    turn(20);
    assert_int_equal(cg_http_server_open(f.server), 2);
    close(busy[0]);
    close(busy[1]);
}

static void each_address_has_its_share(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fds[3], other;
    for (int i = 0; i < 3; i++)
        fds[i] = client_open_from("127.0.0.2");
    assert_true(client_read(fds[2], &out, 50));
    assert_non_null(strstr(out.ptr, "HTTP/1.1 429 Too Many Requests"));
    assert_non_null(strstr(out.ptr, "http.trusted_proxies"));
    close(fds[0]);
    turn(10);
    other = client_open_from("127.0.0.2");
    client_send(other, "GET /one" HOST "\r\n");
    assert_false(client_read(other, &out, 20));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200"), 1);
    close(other);
    close(fds[1]);
    close(fds[2]);
    /* One that is trusted has no share. */
    for (int i = 0; i < 3; i++)
        fds[i] = client_open_from("127.0.0.1");
    client_send(fds[2], "GET /one" HOST "\r\n");
    assert_false(client_read(fds[2], &out, 20));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200"), 1);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static rlim_t descriptors_in_use(void)
{
    int fd = dup(0);
    close(fd);
    return (rlim_t)fd;
}

/* A process without descriptors neither spins nor stops for good. */
static void no_descriptors(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int waits = client_open(), fd, other;
    turn(150);
    fd = client_open();
    other = client_open();
    none = (struct rlimit){ descriptors_in_use(), before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    client_send(fd, "GET /hold" HOST "\r\n");
    turn(20);
    assert_non_null(f.held); /* who waited has made room */
    clock_t cpu = clock();
    turn(300);
    cpu = clock() - cpu;
    assert_true(cpu < CLOCKS_PER_SEC / 5);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_send(other, "GET /one" HOST "\r\n");
    assert_false(client_read(other, &out, 200));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200"), 1);
    close(waits);
    close(fd);
    close(other);
}

/* A client that asks for much at once and takes none of it is not asked what else it wants. */
static void unread_answers_are_not_heaped_up(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    for (int i = 0; i < 20; i++)
        client_send(fd, "GET /big" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    turn(50);
    assert_in_range(f.requests, 1, 4);
    /* Who takes them gets them all, half-closed or not. */
    assert_true(client_read(fd, &out, 500));
    assert_int_equal(count(out.ptr, "HTTP/1.1 200 OK"), 20);
    close(fd);
    assert_int_equal(cg_http_server_open(f.server), 0);
}

/* Somebody with many small requests does not keep the others waiting. */
static void turns_are_shared(void **state)
{
    (void)state;
    cg_auto_buf many = { 0 }, out = { 0 };
    int fd = client_open(), other = client_open();
    cg_buf_text(&many, "GET /hold" HOST "\r\n");
    for (int i = 0; i < 1500; i++)
        cg_buf_text(&many, "GET /one" HOST "\r\n");
    client_send(fd, many.ptr);
    turn(20);
    assert_non_null(f.held);
    client_send(other, "GET /mark" HOST "\r\n");
    cg_exchange_reply(f.held, 200, "text/plain", NULL,
                      cogent_str("held")); /* all the others are there by now */
    for (int i = 0; i < 1000 && f.requests < 1502; i++)
        client_read(fd, &out, 1);
    assert_int_equal(f.requests, 1502);
    assert_in_range(f.before_mark, 1, 200);
    close(fd);
    close(other);
}

/* The idle time of a connection does not cut an answer that its client takes slowly. */
static void slow_readers_get_all(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int fd = client_open();
    client_send(fd, "GET /big" HOST "\r\n");
    turn(500);
    client_read(fd, &out, 100);
    assert_true(out.len > BIG);
    close(fd);
}

static void refuses_and_closes(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
        { "GET /" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "GET /" HOST "Expect: wine\r\n\r\n", 417 },
        { "\x16\x03\x01\n", 400 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = client_open();
        client_send(fd, rows[i].text);
        assert_true(client_read(fd, &out, 100));
        assert_int_equal(f.refused, rows[i].status);
        assert_non_null(strstr(out.ptr, "Connection: close"));
        close(fd);
    }
    assert_int_equal(f.heads, 0);
}

static void drains(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    int idle = client_open(), held = client_open(), big = client_open();
    client_send(idle, "GET /one" HOST "\r\n");
    client_send(held, "GET /hold" HOST "\r\n");
    turn(20);
    client_send(big, "GET /big" HOST "\r\n");
    turn(20);
    cg_http_server_drain(f.server);
    assert_true(client_read(idle, &out, 50));
    cg_exchange_reply(f.held, 200, "text/plain", NULL, cogent_str("done"));
    assert_true(client_read(held, &out, 50));
    assert_non_null(strstr(out.ptr, "Connection: close"));
    assert_true(client_read(big, &out, 100));
    assert_true(out.len > BIG);
    close(idle);
    close(held);
    close(big);
    turn(10);
    assert_int_equal(cg_http_server_open(f.server), 0);
}

/* Open exchanges are told when the server goes. */
static void destroyed_in_the_middle(void **state)
{
    (void)state;
    int fd = client_open();
    client_send(fd, "GET /hold" HOST "\r\n");
    turn(20);
    cg_http_server_destroy(f.server);
    f.server = NULL;
    assert_int_equal(f.closed, 1);
    close(fd);
}

/* libevent's allocations of more than so many bytes fail; 0: none does. */
static size_t scarce_above;

static void *scarce_malloc(size_t size)
{
    return scarce_above && size > scarce_above ? NULL : malloc(size);
}

static void *scarce_realloc(void *p, size_t size)
{
    return scarce_above && size > scarce_above ? NULL : realloc(p, size);
}

static void an_answer_without_memory(void **state)
{
    (void)state;
    cg_auto_buf out = { 0 };
    event_set_mem_functions(scarce_malloc, scarce_realloc, free);
    int fd = client_open();
    scarce_above = 1000000;
    client_send(fd, "GET /big" HOST "\r\n");
    bool closed = client_read(fd, &out, 60);
    scarce_above = 0;
    assert_true(closed); /* or the next answer would be taken for this one's body */
    close(fd);
    turn(20);
}

static void a_body_without_memory(void **state)
{
    (void)state;
    static char many[60000];
    cg_auto_buf out = { 0 };
    event_set_mem_functions(scarce_malloc, scarce_realloc, free);
    memset(many, 'b', sizeof many - 1);
    int fd = client_open();
    f.sated = true;
    client_send(fd, "POST /pieces" HOST "Content-Length: 100000\r\n\r\nfirst");
    turn(20);
    client_send(fd, many);
    turn(60);
    f.sated = false;
    scarce_above = 20000;
    cg_exchange_resume(f.held);
    bool closed = client_read(fd, &out, 60);
    scarce_above = 0;
    assert_true(closed);
    assert_non_null(strstr(out.ptr, "503"));
    close(fd);
    turn(20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(keeps_alive_and_pipelines),
        T(an_answer_without_memory),
        T(a_body_without_memory),
        T(pipelined_wait_for_a_late_answer),
        T(bodies),
        T(bodies_in_pieces),
        T(bodies_that_are_paused),
        T(bodies_that_end_early),
        T(early_answer),
        T(half_closed_clients_get_their_answers),
        T(gone_clients_are_told_of),
        T(streams_end_and_break),
        T(full_sinks_are_told_when_they_drain),
        T(refuses_and_closes),
        T(unread_answers_are_not_heaped_up),
        T(turns_are_shared),
        T(no_descriptors),
        cmocka_unit_test_setup_teardown(who_waits_makes_room, setup_two, teardown),
        cmocka_unit_test_setup_teardown(too_many_are_turned_away, setup_two, teardown),
        cmocka_unit_test_setup_teardown(each_address_has_its_share, setup_shares, teardown),
        T(drains),
        T(destroyed_in_the_middle),
        cmocka_unit_test_setup_teardown(slow_heads_and_idle_connections, setup_short, teardown),
        cmocka_unit_test_setup_teardown(slow_readers_get_all, setup_short, teardown),
        cmocka_unit_test_setup_teardown(slow_bodies, setup_short, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
