/* SPDX-License-Identifier: Apache-2.0
 * Every case of tests/security/http against the real server, over a socket: whole, byte by byte, and cut in two at every
 * place. However it comes, the same requests are seen, the same answers given, and the connection closes at the end. */
#include "check.h"

#include "engine/io/http_server.h"
#include "engine/io/loop_base.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WELCOME = 16 * 1024,
    LONG = 1200, /* a case of more bytes is cut near both ends, and here and there between */
    STRIDE = 211,
    PATIENCE = 2000
};

static const char behind[] = "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n";

static const char *folder;

static struct fixture {
    struct cg_loop *loop;
    struct cg_http_server *server;
    int listener;
    struct sockaddr_un address;
    socklen_t address_len;
    struct cg_buf seen; /* "METHOD PATH BODY\n" for each request */
} f;

struct text_case {
    const char *name;
    struct cg_buf bytes, seen, statuses;
    bool refused;
};

/* The format: tests/security/http/README.md. */

static void unescape(struct cogent_str in, struct cg_buf *out);

static size_t unescape_braces(struct cogent_str in, struct cg_buf *out)
{
    size_t n = 0, depth = 0;
    while (depth += in.ptr[n] == '{', depth -= in.ptr[n] == '}', depth && n < in.len)
        n++;
    assert_true(n < in.len);
    struct cogent_str inner = { in.ptr + 1, n - 1 };
    if (cg_str_eq(inner, "token")) {
        cg_buf_text(out, "t");
        return n + 1;
    }
    const char *star = memchr(inner.ptr, '*', inner.len);
    assert_non_null(star);
    for (long times = strtol(inner.ptr, NULL, 10); times > 0; times--)
        unescape((struct cogent_str){ star + 1, (size_t)(inner.ptr + inner.len - star) - 1 }, out);
    return n + 1;
}

static void unescape(struct cogent_str in, struct cg_buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '\n')
            continue;
        if (c != '\\') {
            cg_buf_char(out, c);
            continue;
        }
        assert_true(++i < in.len);
        static const char letters[] = "rnt\\", values[] = "\r\n\t\\";
        const char *letter = strchr(letters, in.ptr[i]);
        if (letter) {
            cg_buf_char(out, values[letter - letters]);
        } else if (in.ptr[i] == 'x' && i + 2 < in.len) {
            char digits[3] = { in.ptr[i + 1], in.ptr[i + 2], '\0' };
            cg_buf_char(out, (char)strtol(digits, NULL, 16));
            i += 2;
        } else if (in.ptr[i] == '{') {
            i += unescape_braces((struct cogent_str){ in.ptr + i, in.len - i }, out) - 1;
        } else {
            fail_msg("\\%c is no escape", in.ptr[i]);
        }
    }
}

/* "200 GET /x", "100", "400" or "closed". The handler here answers 200 to everything. */
static void read_expectation(struct text_case *c, struct cogent_str text)
{
    const char *blank = memchr(text.ptr, ' ', text.len);
    if (cg_str_eq(text, "closed"))
        return;
    if (!blank) {
        cg_buf_str(&c->statuses, text);
        cg_buf_char(&c->statuses, ' ');
        return;
    }
    cg_buf_text(&c->statuses, "200 ");
    unescape((struct cogent_str){ blank + 1, text.len - (size_t)(blank + 1 - text.ptr) }, &c->seen);
    cg_buf_char(&c->seen, '\n');
}

static void read_case(const char *kind, const char *name, struct text_case *c)
{
    char path[600], *line = NULL;
    size_t size = 0;
    cg_auto_buf bytes = { 0 };
    bool head = true;
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    *c = (struct text_case){ .name = name, .refused = strcmp(kind, "refused") == 0 };
    for (ssize_t n; (n = getline(&line, &size, file)) > 0;) {
        struct cogent_str text = { line, (size_t)n - (line[n - 1] == '\n') };
        head = head && (line[0] == '#' || line[0] == '=');
        if (!head)
            cg_buf_str(&bytes, text);
        else if (line[0] == '=')
            read_expectation(c, (struct cogent_str){ text.ptr + 2, text.len - 2 });
    }
    unescape(cg_buf_view(&bytes), &c->bytes);
    cg_buf_text(&c->bytes, c->refused ? behind : "");
    cg_buf_text(&c->seen, "");
    cg_buf_text(&c->statuses, "");
    free(line);
    fclose(file);
}

static void case_finish(struct text_case *c)
{
    cg_buf_finish(&c->bytes);
    cg_buf_finish(&c->seen);
    cg_buf_finish(&c->statuses);
}

/* The server. */

static int64_t on_head(void *arg, struct cg_exchange *x)
{
    (void)arg, (void)x;
    return WELCOME;
}

static void on_request(void *arg, struct cg_exchange *x)
{
    (void)arg;
    const struct cg_http_head *head = cg_exchange_head(x);
    cg_buf_str(&f.seen, head->method);
    cg_buf_char(&f.seen, ' ');
    cg_buf_str(&f.seen, head->path);
    if (cg_exchange_body(x).len)
        cg_buf_char(&f.seen, ' ');
    cg_buf_str(&f.seen, cg_exchange_body(x));
    cg_buf_char(&f.seen, '\n');
    cg_exchange_reply(x, 200, "text/plain", NULL, cogent_str("."));
}

static void on_refuse(void *arg, struct cg_exchange *x, int status, const char *why)
{
    (void)arg;
    assert_true(why[0] >= 'A' && why[0] <= 'Z' && why[strlen(why) - 1] == '.');
    cg_exchange_reply(x, status, "text/plain", NULL, cogent_str(why));
}

static int setup(void **state)
{
    static const struct cg_http_handler handler = { on_head, on_request, on_refuse, NULL };
    struct sockaddr_un any = { .sun_family = AF_UNIX };
    (void)state;
    memset(&f, 0, sizeof f);
    f.loop = cg_loop_create();
    f.server = cg_http_server_create(f.loop, &cg_http_limits_default, &handler);
    f.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(f.listener, (struct sockaddr *)&any, sizeof any.sun_family),
                     0); /* the kernel names it */
    assert_int_equal(listen(f.listener, 16), 0);
    f.address_len = sizeof f.address;
    assert_int_equal(getsockname(f.listener, (struct sockaddr *)&f.address, &f.address_len), 0);
    assert_true(cg_http_server_listen(f.server, f.listener));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cg_http_server_destroy(f.server);
    cg_loop_destroy(f.loop);
    close(f.listener);
    cg_buf_finish(&f.seen);
    return 0;
}

static void pump(int turns)
{
    while (turns--)
        event_base_loop(cg_loop_base(f.loop), EVLOOP_NONBLOCK);
}

static void client_send(int fd, struct cogent_str bytes, int turns)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            bytes = (struct cogent_str){ bytes.ptr + n, bytes.len - (size_t)n };
        else
            assert_int_equal(errno, EAGAIN);
        pump(turns);
    }
}

/* The rest of the answers, up to the end of the connection. */
static void client_read(int fd, struct cg_buf *out, const struct text_case *c)
{
    char chunk[4096];
    for (int i = 0; i < PATIENCE; i++) {
        ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n == 0)
            return;
        if (n > 0)
            cg_buf_add(out, chunk, (size_t)n);
        pump(1);
    }
    fail_msg("%s: the connection is not closed", c->name);
}

static void statuses_of(const struct cg_buf *answers, struct cg_buf *out)
{
    static const char begin[] = "HTTP/1.1 ";
    cg_buf_text(out, "");
    for (const char *at = answers->ptr; at && (at = strstr(at, begin)); at += sizeof begin - 1) {
        cg_buf_add(out, at + sizeof begin - 1, 3);
        cg_buf_char(out, ' ');
    }
}

/* first: how many bytes come by themselves; step: in which pieces the rest comes. */
static void play(const struct text_case *c, size_t first, size_t step)
{
    cg_auto_buf answers = { 0 }, statuses = { 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&f.address, f.address_len), 0);
    cg_buf_clear(&f.seen);
    cg_buf_text(&f.seen, "");
    pump(1);
    client_send(fd, (struct cogent_str){ c->bytes.ptr, first }, 2);
    for (size_t at = first, n; at < c->bytes.len; at += n) {
        n = c->bytes.len - at < step ? c->bytes.len - at : step;
        client_send(fd, (struct cogent_str){ c->bytes.ptr + at, n }, 1);
    }
    shutdown(fd, SHUT_WR);
    client_read(fd, &answers, c);
    close(fd);
    statuses_of(&answers, &statuses);
    if (strcmp(statuses.ptr, c->statuses.ptr) != 0 || f.seen.len != c->seen.len ||
        memcmp(f.seen.ptr, c->seen.ptr, f.seen.len) != 0)
        fail_msg("%s, cut at %zu, then by %zu: answers %s, wanted %s; requests\n%swanted\n%s", c->name, first,
                 step, statuses.ptr, c->statuses.ptr, f.seen.ptr, c->seen.ptr);
}

static void play_all_ways(const struct text_case *c)
{
    size_t len = c->bytes.len;
    play(c, len, 1);
    play(c, 0, 1);
    for (size_t cut = 1; cut < len; cut += len <= LONG || cut < LONG / 4 || cut + LONG / 4 > len ? 1 : STRIDE)
        play(c, cut, len);
}

static void play_folder(const char *kind, size_t least)
{
    char path[600];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct text_case c;
        if (entry->d_name[0] == '.')
            continue;
        read_case(kind, entry->d_name, &c);
        play_all_ways(&c);
        case_finish(&c);
        n++;
    }
    closedir(dir);
    assert_true(n >= least);
    assert_int_equal(cg_http_server_open(f.server), 0);
}

static void refused(void **state)
{
    (void)state;
    play_folder("refused", 150);
}

static void legal(void **state)
{
    (void)state;
    play_folder("legal", 50);
}

static void unfinished(void **state)
{
    (void)state;
    play_folder("unfinished", 10);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(legal, setup, teardown),
        cmocka_unit_test_setup_teardown(unfinished, setup, teardown),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s tests/security/http\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
