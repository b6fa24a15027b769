/* SPDX-License-Identifier: Apache-2.0
 * A model service for tests: OpenAI's chat completions, streaming and not, after a script, and embeddings, and as badly behaved as
 * the script says. It keeps no state between requests: which turn it plays follows from the messages.
 *
 *     mock-openai --listen 127.0.0.1:0 --script openai_script.json [--port-file FILE]
 *
 * README.md in this folder describes the script.
 */
#include "mock_embed.h"
#include "mock_play.h"
#include "mock_request.h"

#include <event2/event.h>
#include <event2/http.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
    char host[64];
    int port;
    const char *port_file;
    const char *script;
};

static int parse_listen(struct args *a, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof a->host)
        return 0;
    memcpy(a->host, text, (size_t)(colon - text));
    a->host[colon - text] = '\0';
    a->port = (int)strtol(colon + 1, NULL, 10);
    return 1;
}

static int parse_args(struct args *a, int argc, char **argv)
{
    parse_listen(a, "127.0.0.1:0");
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--listen") == 0 && parse_listen(a, argv[i + 1]))
            continue;
        if (strcmp(argv[i], "--port-file") == 0)
            a->port_file = argv[i + 1];
        else if (strcmp(argv[i], "--script") == 0)
            a->script = argv[i + 1];
        else
            return 0;
    }
    return argc % 2 == 1 && a->script;
}

/* --- routes --- */

static void on_stats(struct evhttp_request *req, void *arg)
{
    const struct mock *m = arg;
    mock_reply_json(req, 200,
                    json_pack("{s:I, s:I, s:I}", "requests", (json_int_t)m->requests, "open",
                              (json_int_t)m->open, "closed_early", (json_int_t)m->closed_early));
}

static void on_models(struct evhttp_request *req, void *arg)
{
    const struct mock *m = arg;
    json_t *list = json_array(), *unused;
    const char *name;
    json_object_foreach (m->models, name, unused) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s}", "id", name, "object", "model",
                                              "created", 1767225600, "owned_by", "mock"));
    }
    mock_reply_json(req, 200, json_pack("{s:s, s:o}", "object", "list", "data", list));
}

static void on_chat(struct evhttp_request *req, void *arg)
{
    struct mock *m = arg;
    m->requests++;
    json_t *body = mock_request_read(req);
    json_t *turn = body ? mock_request_turn(req, m->models, body) : NULL;
    if (turn)
        mock_play(m, req, body, turn);
    json_decref(body);
}

static void on_embeddings(struct evhttp_request *req, void *arg)
{
    struct mock *m = arg;
    m->requests++;
    json_t *body = mock_request_read(req);
    if (body)
        mock_embed(req, body);
    json_decref(body);
}

static void on_other(struct evhttp_request *req, void *arg)
{
    (void)arg;
    mock_reply_error(req, 404, "invalid_request_error", "unknown_url", "Unknown request URL");
}

/* --- start and end --- */

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static int announce(const struct args *a, struct evhttp_bound_socket *bound)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0)
        return 0;
    int port = ntohs(((struct sockaddr_in *)&address)->sin_port); /* the same place for IPv6 */
    if (a->port_file) {
        FILE *file = fopen(a->port_file, "w");
        if (!file || fprintf(file, "%d\n", port) < 0 || fclose(file) != 0)
            return 0;
    }
    printf("listening on %s:%d\n", a->host, port);
    return fflush(stdout) == 0;
}

static int serve(const struct args *a, json_t *script)
{
    struct mock m = { .base = event_base_new(), .models = json_object_get(script, "models") };
    struct evhttp *http = evhttp_new(m.base);
    struct event *term = evsignal_new(m.base, SIGTERM, on_signal, m.base);
    struct event *intr = evsignal_new(m.base, SIGINT, on_signal, m.base);
    event_add(term, NULL);
    event_add(intr, NULL);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_cb(http, "/v1/chat/completions", on_chat, &m);
    evhttp_set_cb(http, "/v1/embeddings", on_embeddings, &m);
    evhttp_set_cb(http, "/v1/models", on_models, &m);
    evhttp_set_cb(http, "/_stats", on_stats, &m);
    evhttp_set_gencb(http, on_other, &m);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, a->host, (ev_uint16_t)a->port);
    int good = bound && announce(a, bound);
    if (good)
        event_base_dispatch(m.base);
    else
        perror("mock-openai");
    evhttp_free(http);
    event_free(term);
    event_free(intr);
    event_base_free(m.base);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct args a = { .port = 0 };
    json_error_t why;
    if (!parse_args(&a, argc, argv)) {
        fprintf(stderr, "usage: mock-openai --script FILE [--listen HOST:PORT] [--port-file FILE]\n");
        return 2;
    }
    json_t *script = json_load_file(a.script, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(json_object_get(script, "models"))) {
        fprintf(stderr, "%s:%d: %s\n", a.script, script ? 1 : why.line, script ? "no models" : why.text);
        json_decref(script);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int status = serve(&a, script);
    json_decref(script);
    return status;
}
