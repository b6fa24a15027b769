/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "routes.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define BODY_MAX      (2 << 20)
#define BODY_HARD_MAX (8 << 20) /* up to here a 413 is said, beyond it the connection is closed */
#define HEADERS_MAX   (64 << 10)
#define DELAY_MAX     600000

struct server {
    struct event_base *base;
    struct site *site;
    struct evhttp *http;
    int delay_ms;
    TAILQ_HEAD(held_list, held) held;
};

/* An answer on its way: libevent does not read from the connection before it is sent, so it stays there. */
struct held {
    TAILQ_ENTRY(held) next;
    struct server *server;
    struct evhttp_request *http;
    struct event *timer;
    struct reply reply;
    bool cut; /* close the connection instead of answering */
};

struct fault {
    bool lose; /* what the request did is undone */
    bool cut;
    int delay_ms;
    int status;
};

static const struct method {
    enum evhttp_cmd_type type;
    const char *name;
} methods[] = {
    { EVHTTP_REQ_GET, "GET" },         { EVHTTP_REQ_POST, "POST" },   { EVHTTP_REQ_PUT, "PUT" },
    { EVHTTP_REQ_PATCH, "PATCH" },     { EVHTTP_REQ_HEAD, "HEAD" },   { EVHTTP_REQ_DELETE, "DELETE" },
    { EVHTTP_REQ_OPTIONS, "OPTIONS" }, { EVHTTP_REQ_TRACE, "TRACE" }, { EVHTTP_REQ_CONNECT, "CONNECT" },
};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

static const char *method_name(enum evhttp_cmd_type type)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (methods[i].type == type)
            return methods[i].name;
    }
    return "?";
}

static bool fault_read(const char *text, struct fault *fault)
{
    if (text == NULL)
        return true;
    if (strcmp(text, "close-before-commit") == 0)
        fault->lose = fault->cut = true;
    else if (strcmp(text, "close-after-commit") == 0)
        fault->cut = true;
    else if (strncmp(text, "delay=", 6) == 0)
        fault->delay_ms = (int)strtol(text + 6, NULL, 10);
    else if (strncmp(text, "status=", 7) == 0)
        fault->status = (int)strtol(text + 7, NULL, 10);
    else
        return false;
    return fault->delay_ms >= 0 && fault->delay_ms <= DELAY_MAX &&
           (fault->status == 0 || (fault->status >= 400 && fault->status <= 599));
}

static void send_reply(struct evhttp_request *http, const struct reply *reply)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
    char *text = json_dumps(reply->body, JSON_COMPACT);

    evhttp_add_header(headers, "Content-Type", "application/json");
    if (reply->status == 401)
        evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
    if (reply->status == 405)
        evhttp_add_header(headers, "Allow", reply->allow);
    if (reply->replayed)
        evhttp_add_header(headers, "Idempotent-Replayed", "true");
    if (text != NULL) {
        evbuffer_add(evhttp_request_get_output_buffer(http), text, strlen(text));
        evbuffer_add(evhttp_request_get_output_buffer(http), "\n", 1);
    }
    evhttp_send_reply(http, reply->status, NULL, NULL);
    free(text);
}

static void held_destroy(struct held *held)
{
    TAILQ_REMOVE(&held->server->held, held, next);
    event_free(held->timer);
    json_decref(held->reply.body);
    free(held);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct held *held = arg;

    (void)fd;
    (void)what;
    if (held->cut)
        evhttp_connection_free(evhttp_request_get_connection(held->http));
    else
        send_reply(held->http, &held->reply);
    held_destroy(held);
}

/* Takes the reply's body. */
static void hold(struct server *server, struct evhttp_request *http, struct reply *reply, bool cut,
                 int delay_ms)
{
    struct timeval wait = { delay_ms / 1000, delay_ms % 1000 * 1000 };
    struct held *held = calloc(1, sizeof(*held));

    if (held == NULL || (held->timer = evtimer_new(server->base, on_due, held)) == NULL) {
        free(held);
        send_reply(http, reply);
        json_decref(reply->body);
        return;
    }
    held->server = server;
    held->http = http;
    held->cut = cut;
    held->reply = *reply;
    TAILQ_INSERT_TAIL(&server->held, held, next);
    evtimer_add(held->timer, &wait);
}

static void answer(struct server *server, struct evhttp_request *http, const struct evhttp_uri *uri,
                   struct request *request, struct reply *reply, bool lose)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(http);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    const char *query = evhttp_uri_get_query(uri);

    request->site = server->site;
    request->method = method_name(evhttp_request_get_command(http));
    request->path = evhttp_uri_get_path(uri);
    request->authorization = evhttp_find_header(headers, "Authorization");
    request->once_key = evhttp_find_header(headers, "Idempotency-Key");
    request->body_length = evbuffer_get_length(body);
    request->body_text = request->body_length == 0 ? "" : (const char *)evbuffer_pullup(body, -1);

    if (query != NULL && *query != '\0' && evhttp_parse_query_str(query, &request->query) != 0)
        reply_error(reply, 400, "the query is not of the form name=value&name=value");
    else if (request->body_length > BODY_MAX)
        reply_error(reply, 413, "a body has at most %d bytes", BODY_MAX);
    else
        routes_answer(server->site, request, reply, lose);

    evhttp_clear_headers(&request->query);
    caller_finish(&request->caller);
    json_decref(request->body);
    free(request->name);
}

static void on_request(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    struct request request = { 0 };
    struct reply reply = { 0 };
    struct fault fault = { 0 };

    TAILQ_INIT(&request.query);
    if (uri == NULL || evhttp_uri_get_path(uri) == NULL)
        reply_error(&reply, 400, "the request has no path");
    else if (server->site->faults &&
             !fault_read(evhttp_find_header(evhttp_request_get_input_headers(http), "X-Fault"), &fault))
        reply_error(&reply, 400, "X-Fault is not one of those this server knows");
    else if (fault.status != 0)
        reply_error(&reply, fault.status, "asked for by X-Fault");
    else
        answer(server, http, uri, &request, &reply, fault.lose);

    if (fault.cut || fault.delay_ms + server->delay_ms > 0) {
        hold(server, http, &reply, fault.cut, fault.delay_ms + server->delay_ms);
        return;
    }
    send_reply(http, &reply);
    json_decref(reply.body);
}

static int bound_port(struct evhttp_bound_socket *bound)
{
    struct sockaddr_in address = { 0 };
    socklen_t length = sizeof(address);

    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &length) != 0)
        return 0;
    return ntohs(address.sin_port);
}

struct server *server_create(struct event_base *base, struct site *site, const char *address, int *port,
                             int delay_ms)
{
    struct server *server = calloc(1, sizeof(*server));
    struct evhttp_bound_socket *bound = NULL;
    int allowed = 0;

    if (server == NULL)
        return NULL;
    TAILQ_INIT(&server->held);
    server->base = base;
    server->site = site;
    server->delay_ms = delay_ms;
    server->http = evhttp_new(base);
    if (server->http != NULL)
        bound = evhttp_bind_socket_with_handle(server->http, address, (ev_uint16_t)*port);
    if (bound == NULL) {
        fprintf(stderr, "erp-demo: cannot listen on %s:%d\n", address, *port);
        server_destroy(server);
        return NULL;
    }
    for (size_t i = 0; i < METHODS; i++)
        allowed |= methods[i].type;
    evhttp_set_allowed_methods(server->http, (ev_uint16_t)allowed);
    evhttp_set_max_headers_size(server->http, HEADERS_MAX);
    evhttp_set_max_body_size(server->http, BODY_HARD_MAX);
    evhttp_set_timeout(server->http, 300);
    evhttp_set_gencb(server->http, on_request, server);
    *port = bound_port(bound);
    return server;
}

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    while (!TAILQ_EMPTY(&server->held))
        held_destroy(TAILQ_FIRST(&server->held));
    if (server->http != NULL)
        evhttp_free(server->http);
    free(server);
}
