/* SPDX-License-Identifier: Apache-2.0
 * Closed-loop clients of POST /v1/chat/completions, each with a connection of its own and no think time. Every answer is
 * checked byte by byte, and all of them count, those of the ramp too.
 *
 *   bench-load ADDRESS:PORT --tokens FILE --model w2 [--clients N] [--seconds S | --requests N] [--ramp S]
 *              [--plain] [--no-tools] [--give-up S] [--first-order N] [--rate N]
 *
 * With --rate clients do not wait for each other: so many come a second, for the seconds given, each with one question.
 *
 * FILE: a bearer token a line; client i uses line i modulo their number. Prints one JSON object. */
#include "wire.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKENS_MAX = 4096, STATUSES = 600 };

struct samples {
    float *ms;
    size_t n, cap;
};

struct load {
    struct event_base *base;
    struct sockaddr_in server;
    char *tokens[TOKENS_MAX];
    size_t n_tokens;
    const struct wire_pace *pace;
    bool plain, tools;
    unsigned clients, begun_clients, live, next_order, orders_left;
    double seconds, ramp, rate, give_up, began, last;
    struct samples first, whole, refused;
    unsigned long right, wrong, broken, late, in_time, statuses[STATUSES];
    char example[400];
};

struct client {
    struct load *load;
    struct bufferevent *bev;
    struct evbuffer *body;
    struct event *timer;
    struct wire wire;
    const char *token;
    unsigned order;
    double began, last;
    bool reused, has_first;
    size_t matched; /* bytes of the expected text */
    size_t expected_len;
    char expected[WIRE_TOKENS_MAX * 8];
};

static void ask(struct client *c);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sample(struct samples *s, double seconds)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4096;
        s->ms = realloc(s->ms, s->cap * sizeof *s->ms);
    }
    s->ms[s->n++] = (float)(seconds * 1000);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(struct samples *s, double p)
{
    if (!s->n)
        return 0;
    size_t at = (size_t)(p * (double)(s->n - 1) + 0.5);
    return (double)s->ms[at];
}

static void stop_if_idle(struct load *l)
{
    if (l->live == 0 && l->begun_clients == l->clients)
        event_base_loopbreak(l->base);
}

static bool more_to_ask(const struct load *l)
{
    if (l->rate > 0)
        return false;
    return l->seconds > 0 ? now() - l->began < l->seconds : l->orders_left > 0;
}

static void client_end(struct client *c)
{
    c->load->live--;
    if (c->bev)
        bufferevent_free(c->bev);
    event_free(c->timer);
    evbuffer_free(c->body);
    stop_if_idle(c->load);
    free(c);
}

static void disconnect(struct client *c)
{
    if (c->bev)
        bufferevent_free(c->bev);
    c->bev = NULL;
    c->reused = false;
}

static void note(struct load *l, const struct client *c, const char *what)
{
    if (!l->example[0])
        snprintf(l->example, sizeof l->example, "%s; order %u, %zu of %zu bytes right, status %d", what,
                 c->order, c->matched, c->expected_len, c->wire.status);
}

/* The answer is complete, or will never be. */
static void over(struct client *c, unsigned long *kind, const char *what)
{
    struct load *l = c->load;
    double t = now();
    ++*kind;
    if (kind == &l->right) {
        sample(&l->whole, t - c->began);
        l->in_time += l->seconds <= 0 || t - l->began <= l->seconds;
    } else if (what) {
        note(l, c, what);
    }
    l->last = t;
    evtimer_del(c->timer);
    if (more_to_ask(l))
        ask(c);
    else
        client_end(c);
}

static void took(struct client *c, const char *text, size_t len)
{
    double t = now();
    if (len == 0)
        return;
    if (!c->has_first)
        sample(&c->load->first, t - c->began);
    c->has_first = true;
    c->last = t;
    bool same = c->matched + len <= c->expected_len && memcmp(c->expected + c->matched, text, len) == 0;
    c->matched = same ? c->matched + len : c->expected_len + 1; /* never right again */
}

/* The content of a chunk's delta. The text has no character that JSON escapes. */
static void take_event(struct client *c, const char *data)
{
    const char *delta = strstr(data, "\"delta\":{"), *text = delta ? strstr(delta, "\"content\":\"") : NULL;
    const char *cogent = strstr(data, "\"cogent\":{");
    if (!text || (cogent && cogent < text))
        return;
    took(c, text + 11, strcspn(text + 11, "\""));
}

static void finished(struct client *c)
{
    struct load *l = c->load;
    if (c->wire.status != 200) {
        l->statuses[c->wire.status % STATUSES]++;
        sample(&l->refused, now() - c->began);
        if (strstr(c->wire.first, "close"))
            disconnect(c);
        over(c, c->wire.status == 503 || c->wire.status == 429 ? &l->statuses[0] : &l->broken,
             "a status that is not 200");
        return;
    }
    if (!c->wire.stream) {
        size_t len = evbuffer_get_length(c->body);
        evbuffer_add(c->body, "", 1);
        const char *body = (const char *)evbuffer_pullup(c->body, -1);
        const char *text = len ? strstr(body, "\"content\":") : NULL;
        text = text ? strchr(text + 10, '"') : NULL;
        if (text)
            took(c, text + 1, strcspn(text + 1, "\""));
    }
    bool right = c->matched == c->expected_len;
    over(c, right ? &l->right : &l->wrong, right ? NULL : "another text than expected");
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;
    char *data;
    bool ok = wire_read(&c->wire, bufferevent_get_input(bev), c->body);
    while (ok && c->wire.status == 200 && c->wire.stream && (data = wire_event(c->body))) {
        take_event(c, data);
        free(data);
    }
    if (!ok) {
        disconnect(c);
        over(c, &c->load->broken, "not HTTP");
    } else if (c->wire.state == WIRE_DONE) {
        finished(c);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct client *c = arg;
    if (what & BEV_EVENT_CONNECTED)
        return;
    bool stale = c->reused && c->wire.state == WIRE_HEAD && !c->wire.first[0];
    disconnect(c);
    if (stale) /* a kept connection that had ended: as every client, ask on a new one */
        ask(c);
    else
        over(c, &c->load->broken, what & BEV_EVENT_EOF ? "the connection ended" : "the connection broke");
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct client *c = arg;
    disconnect(c);
    over(c, &c->load->late, "no end in time");
}

static void connect_to(struct client *c)
{
    struct load *l = c->load;
    if (c->bev) {
        c->reused = true;
        return;
    }
    c->bev = bufferevent_socket_new(l->base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    bufferevent_socket_connect(c->bev, (struct sockaddr *)&l->server, sizeof l->server);
    wire_no_delay(bufferevent_getfd(c->bev));
}

static void ask(struct client *c)
{
    struct load *l = c->load;
    char body[400];
    const struct timeval limit = { (time_t)l->give_up, 0 };
    c->order = l->next_order++;
    if (l->orders_left)
        l->orders_left--;
    c->expected_len = 0;
    for (unsigned i = 0; i < l->pace->tokens; i++)
        c->expected_len += wire_piece(c->expected + c->expected_len, sizeof c->expected - c->expected_len,
                                      c->order, l->tools, i);
    c->matched = 0;
    c->has_first = false;
    c->began = now();
    c->wire = (struct wire){ 0 };
    evbuffer_drain(c->body, evbuffer_get_length(c->body));
    connect_to(c);
    int n = snprintf(
        body, sizeof body,
        "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"What is the total of order "
        "#%u?\"}]%s}",
        l->pace->model, l->plain ? "false" : "true", c->order,
        l->tools ? "" : ",\"cogent\":{\"tools\":false}");
    evbuffer_add_printf(bufferevent_get_output(c->bev),
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                        c->token, n, body);
    event_add(c->timer, event_base_init_common_timeout(l->base, &limit));
}

/* Clients come evenly over the ramp. */
static void on_ramp(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct load *l = arg;
    double passed = now() - l->began;
    double part = l->rate > 0 ? passed * l->rate : l->ramp > 0 ? passed / l->ramp * l->clients : l->clients;
    unsigned due = part < l->clients ? (unsigned)part : l->clients;
    while (l->begun_clients < due) {
        struct client *c = calloc(1, sizeof *c);
        c->load = l;
        c->token = l->tokens[l->begun_clients % l->n_tokens];
        c->body = evbuffer_new();
        c->timer = event_new(l->base, -1, 0, on_late, c);
        l->begun_clients++;
        l->live++;
        ask(c);
    }
    const struct timeval tick = { 0, 1000 };
    if (l->begun_clients < l->clients)
        event_base_once(l->base, -1, EV_TIMEOUT, on_ramp, l, &tick);
}

static void print_samples(const char *name, struct samples *s)
{
    if (s->n) /* ms is NULL else */
        qsort(s->ms, s->n, sizeof *s->ms, by_value);
    printf(", \"%s\": {\"n\": %zu, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name, s->n,
           percentile(s, 0.5), percentile(s, 0.9), percentile(s, 0.99), percentile(s, 1));
}

static void report(struct load *l)
{
    double seconds = l->last - l->began;
    double counted = l->seconds > 0 ? l->seconds : seconds;
    printf(
        "{\"model\": \"%s\", \"clients\": %u, \"right\": %lu, \"wrong\": %lu, \"broken\": %lu, \"late\": %lu, "
        "\"turned_away\": %lu, \"seconds\": %.3f, \"per_second\": %.2f",
        l->pace->model, l->clients, l->right, l->wrong, l->broken, l->late, l->statuses[0], seconds,
        (double)l->in_time / counted);
    print_samples("first_ms", &l->first);
    print_samples("whole_ms", &l->whole);
    print_samples("refused_ms", &l->refused);
    printf(", \"statuses\": {");
    for (unsigned i = 1, n = 0; i < STATUSES; i++) {
        if (l->statuses[i])
            printf("%s\"%u\": %lu", n++ ? ", " : "", i, l->statuses[i]);
    }
    printf("}, \"example\": \"%s\"}\n", l->example);
}

static void read_tokens(struct load *l, const char *path)
{
    char line[2048];
    FILE *file = fopen(path, "r");
    while (file && l->n_tokens < TOKENS_MAX && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line)
            l->tokens[l->n_tokens++] = strdup(line);
    }
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    struct load l = { .clients = 1, .tools = true, .next_order = 1, .give_up = 90 };
    signal(SIGPIPE, SIG_IGN);
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--plain") == 0) {
            l.plain = true;
            continue;
        }
        if (strcmp(argv[i], "--no-tools") == 0) {
            l.tools = false;
            continue;
        }
        if (strcmp(argv[i], "--tokens") == 0)
            read_tokens(&l, value);
        else if (strcmp(argv[i], "--model") == 0)
            l.pace = wire_pace(value, strlen(value));
        else if (strcmp(argv[i], "--clients") == 0)
            l.clients = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            l.seconds = strtod(value, NULL);
        else if (strcmp(argv[i], "--requests") == 0)
            l.orders_left = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--ramp") == 0)
            l.ramp = strtod(value, NULL);
        else if (strcmp(argv[i], "--rate") == 0)
            l.rate = strtod(value, NULL);
        else if (strcmp(argv[i], "--give-up") == 0)
            l.give_up = strtod(value, NULL);
        else if (strcmp(argv[i], "--first-order") == 0)
            l.next_order = (unsigned)strtoul(value, NULL, 10);
        else
            argc = 0; /* unknown */
        i++;
    }
    if (argc < 2 || !l.pace || !l.n_tokens || (l.seconds <= 0 && !l.orders_left)) {
        fprintf(
            stderr,
            "bench-load ADDRESS:PORT --tokens FILE --model NAME (--seconds S | --requests N) ...: see load.c\n");
        return 2;
    }
    if (l.rate > 0)
        l.clients = (unsigned)(l.rate * l.seconds);
    wire_address(argv[1], &l.server);
    l.base = event_base_new();
    l.began = l.last = now();
    on_ramp(-1, 0, &l);
    event_base_dispatch(l.base);
    report(&l);
    struct samples *all[] = { &l.first, &l.whole, &l.refused };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]->ms);
    for (size_t i = 0; i < l.n_tokens; i++)
        free(l.tokens[i]);
    event_base_free(l.base);
    return l.wrong || l.broken || l.late ? 1 : 0;
}
