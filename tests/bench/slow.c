/* SPDX-License-Identifier: Apache-2.0
 * Clients that keep a server waiting, and one that measures what they cost it.
 *
 *   bench-slow attack PORT TOKEN IDLE HEADS BODIES DEAF
 *     That many connections: kept alive without a request; a head and a body of a byte a second; asking for much and taking
 *     nothing. Whoever is cut comes again within a second. Prints "ready" when all are there, and on the end of its input what became of them.
 *   bench-slow probe PORT TOKEN SECONDS
 *     One client that asks, waits for the answer and asks again, by turns on one connection and on new ones. Prints the microseconds.
 *
 * For scripts/dev/slow_clients and tests/security/test_slow.py. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { IDLE, HEADS, BODIES, DEAF, KINDS };
enum { TICK_MS = 10, SLICES = 100, ASKED_BY_THE_DEAF = 40, SAMPLES_MAX = 1000000 };

struct attacker {
    enum kind kind;
    int fd;
};

struct fate {
    unsigned long told, closed; /* 408; and without a word */
};

static struct sockaddr_in server;
static const char *token;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* from: the last byte of an address of loopback. Attackers have their own: else the ports of the probe's would be scarce, and
 * that would be measured. */
static int open_connection(unsigned from, int receive_buffer)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 | from) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0)
        die("bind");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0)
        die("connect");
    return fd;
}

static bool send_all(int fd, const char *text, size_t len)
{
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* One answer, up to the end of its body. 0: the connection was closed; else its status. */
static int read_answer(int fd)
{
    char text[8192];
    size_t len = 0;
    for (;;) {
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        text[len] = '\0';
        const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        if (end && length && length < end && len >= (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10))
            return (int)strtol(text + 9, NULL, 10);
        if (len == sizeof text - 1)
            return 0;
    }
}

/* Attackers. */

static void begin(struct attacker *a)
{
    static unsigned n;
    char text[4096];
    a->fd = open_connection(2 + n++ % 4, a->kind == DEAF ? 4096 : 0);
    if (a->kind == IDLE) {
        snprintf(text, sizeof text, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        if (send_all(a->fd, text, strlen(text)))
            read_answer(a->fd);
    } else if (a->kind == HEADS) {
        send_all(a->fd, "GET /", 5);
    } else if (a->kind == BODIES) {
        snprintf(
            text, sizeof text,
            "POST /v1/search HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 10000\r\n\r\n",
            token);
        send_all(a->fd, text, strlen(text));
    } else {
        for (int i = 0; i < ASKED_BY_THE_DEAF; i++)
            send_all(a->fd, "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n", 39);
    }
    fcntl(a->fd, F_SETFL, O_NONBLOCK);
}

static void watch(int epoll, struct attacker *a)
{
    struct epoll_event ev = { .events = a->kind == DEAF ? 0 : EPOLLIN, .data.ptr = a };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, a->fd, &ev) != 0)
        die("epoll_ctl");
}

static void heard(struct attacker *a, struct fate *fate)
{
    char text[4096];
    ssize_t n = recv(a->fd, text, sizeof text - 1, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    text[n > 0 ? n : 0] = '\0';
    if (strncmp(text, "HTTP/1.1 408 ", 13) == 0)
        fate[a->kind].told++;
    else
        fate[a->kind].closed++;
    close(a->fd);
    a->fd = -1;
}

/* Each has its turn once a second: the slow ones for their byte, and whoever was cut to come again. */
static void drip(int epoll, struct attacker *all, size_t n, size_t slice)
{
    for (size_t i = slice; i < n; i += SLICES) {
        if (all[i].fd < 0) {
            begin(&all[i]);
            watch(epoll, &all[i]);
        } else if (all[i].kind == HEADS || all[i].kind == BODIES)
            send_all(all[i].fd, "a", 1);
    }
}

static void tell(const struct fate *fate)
{
    static const char *const names[KINDS] = { "idle", "heads", "bodies", "deaf" };
    printf("{");
    for (int i = 0; i < KINDS; i++)
        printf("%s\"%s\": {\"told\": %lu, \"closed\": %lu}", i ? ", " : "", names[i], fate[i].told,
               fate[i].closed);
    printf("}\n");
}

static int attack(char **counts)
{
    struct fate fate[KINDS] = { { 0 } };
    struct epoll_event events[256], input = { .events = EPOLLIN };
    size_t n = 0, each[KINDS], slice = 0;
    for (int i = 0; i < KINDS; i++)
        n += each[i] = strtoul(counts[i], NULL, 10);
    struct attacker *all = calloc(n + 1, sizeof *all);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0)
        die("epoll");
    n = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < each[kind]; i++, n++) {
            all[n].kind = (enum kind)kind;
            begin(&all[n]);
            watch(epoll, &all[n]);
        }
    }
    printf("ready\n");
    fflush(stdout);
    for (int64_t next = now_us(); true;) {
        int found = epoll_wait(epoll, events, 256, TICK_MS);
        for (int i = 0; i < found; i++) {
            if (!events[i].data.ptr) {
                tell(fate);
                free(all);
                return 0;
            }
            heard(events[i].data.ptr, fate);
        }
        for (; next <= now_us(); next += 1000000 / SLICES)
            drip(epoll, all, n, slice++ % SLICES);
    }
}

/* The one who measures. */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void tell_times(const char *name, uint32_t *times, size_t n, const char *end)
{
    qsort(times, n, sizeof *times, by_size);
    printf("\"%s\": {\"n\": %zu, \"p50\": %u, \"p99\": %u, \"max\": %u}%s", name, n, n ? times[n / 2] : 0,
           n ? times[n * 99 / 100] : 0, n ? times[n - 1] : 0, end);
}

static int probe(double seconds)
{
    char text[4096];
    uint32_t *times[2] = { malloc(SAMPLES_MAX * sizeof **times), malloc(SAMPLES_MAX * sizeof **times) };
    size_t n[2] = { 0, 0 }, failed = 0;
    snprintf(text, sizeof text, "GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", token);
    int kept = open_connection(1, 0);
    int64_t end = now_us() + (int64_t)(seconds * 1e6);
    for (unsigned i = 0; times[0] && times[1] && now_us() < end && n[0] < SAMPLES_MAX; i++) {
        bool fresh = i % 2;
        int64_t from = now_us();
        int fd = fresh ? open_connection(1, 0) : kept;
        int status = send_all(fd, text, strlen(text)) ? read_answer(fd) : 0;
        if (status == 200)
            times[fresh][n[fresh]++] = (uint32_t)(now_us() - from);
        else
            failed++;
        if (fresh || status == 0)
            close(fd);
        if (!fresh && status == 0)
            kept = open_connection(1, 0);
    }
    printf("{");
    tell_times("kept", times[0], n[0], ", ");
    tell_times("fresh", times[1], n[1], ", ");
    printf("\"failed\": %zu}\n", failed);
    free(times[0]);
    free(times[1]);
    return 0;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (argc >= 4) {
        server = (struct sockaddr_in){ .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        token = argv[3];
    }
    if (argc == 8 && strcmp(argv[1], "attack") == 0)
        return attack(argv + 4);
    if (argc == 5 && strcmp(argv[1], "probe") == 0)
        return probe(strtod(argv[4], NULL));
    fprintf(stderr,
            "usage: bench-slow attack PORT TOKEN IDLE HEADS BODIES DEAF | probe PORT TOKEN SECONDS\n");
    return 2;
}
