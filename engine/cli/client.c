/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "command.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOTAL_MS = 60000, STREAM_MS = 900000, HEADERS = 4 };

int cg_client_open(struct cg_client *client, const char *command)
{
    const char *why = "";
    *client = (struct cg_client){ .command = command };
    if (cg_place_find(&client->place, &why) < 0) {
        fprintf(stderr, "cogent %s: %s\n", command, why);
        cg_client_close(client);
        return CG_EXIT_FAILED;
    }
    client->loop = cg_loop_create();
    client->http = client->loop ? cg_http_client_create(client->loop, NULL, NULL) : NULL;
    if (client->http)
        return CG_EXIT_OK;
    fprintf(stderr, "cogent %s: out of memory\n", command);
    cg_client_close(client);
    return CG_EXIT_FAILED;
}

void cg_client_close(struct cg_client *client)
{
    cg_http_client_destroy(client->http);
    cg_loop_destroy(client->loop);
    cg_place_finish(&client->place);
}

char *cg_client_path(const char *before, const char *first, const char *second)
{
    struct cg_buf out = { 0 };
    cg_buf_text(&out, before);
    cg_buf_percent(&out, cogent_str(first));
    if (second) {
        cg_buf_char(&out, '/');
        cg_buf_percent(&out, cogent_str(second));
    }
    return cg_buf_steal(&out);
}

static void what_to_do(const struct cg_client *client, int status, const char *code, struct cg_buf *out)
{
    if (status == 401 && !client->place.token)
        cg_buf_text(out, " Set COGENT_TOKEN (`cogent token` makes one).");
    else if (status == 401)
        cg_buf_text(out, " Make a new token (`cogent token`) and set COGENT_TOKEN.");
    else if (status == 403 && strcmp(code, "tenant_unknown") == 0)
        cg_buf_text(out, " Name the tenant in the server's configuration (tenants).");
    else if (status == 404 && strcmp(code, "route_unknown") == 0)
        cg_buf_text(out, " Is COGENT_URL a cogent server of this version?");
}

/* The answer had begun: there is a server, and COGENT_URL is right. */
static bool broke_off(const struct cogent_http_result *result)
{
    return result->err < 0 && result->err != COGENT_TIMEOUT && result->status > 0;
}

void cg_client_explain(const struct cg_client *client, const struct cogent_http_result *result,
                       struct cg_buf *out)
{
    if (broke_off(result)) {
        cg_buf_printf(out,
                      "the answer broke off (%s): the worker that gave it was lost, or the connection. "
                      "Do it again.",
                      result->detail);
        return;
    }
    if (result->err < 0 || result->status == 0) {
        /* Of a socket curl names a host and a port, which mean nothing here. */
        if (client->place.socket && result->status == 0 && !result->sent)
            cg_buf_printf(out, "no server answers at unix:%s.", client->place.socket);
        else
            cg_buf_printf(out, "%s%s does not answer: %s.", client->place.socket ? "unix:" : "",
                          client->place.socket ? client->place.socket : client->place.base, result->detail);
        cg_buf_text(out, getenv("COGENT_URL") ? " Is it running, and COGENT_URL right?"
                                              : " Start it: cogentd -c FILE (or scripts/quickstart --keep).");
        return;
    }
    cg_auto_json body = cg_json_parse(result->body, NULL);
    const char *detail = cg_json_str(body, "detail", NULL);
    const char *code = cg_json_str(json_object_get(body, "error"), "code", "");
    if (detail)
        cg_buf_text(out, detail);
    else
        cg_buf_printf(out, "the server answered with status %d.", result->status);
    what_to_do(client, result->status, code, out);
}

static bool send_request(struct cg_client *client, const char *method, const char *path,
                         struct cogent_str body, uint32_t flags, uint32_t total_ms,
                         const struct cogent_http_events *events, void *arg)
{
    cg_auto_buf url = { 0 }, bearer = { 0 };
    struct cogent_http_header headers[HEADERS];
    size_t n = 0;
    cg_buf_printf(&url, "%s%s", client->place.base, path);
    if (client->place.token) {
        cg_buf_printf(&bearer, "Bearer %s", client->place.token);
        headers[n++] = (struct cogent_http_header){ "Authorization", bearer.ptr };
    }
    if (body.len)
        headers[n++] = (struct cogent_http_header){ "Content-Type", "application/json" };
    headers[n++] = (struct cogent_http_header){ "Accept", flags & COGENT_HTTP_SSE ? "text/event-stream"
                                                                                  : "application/json" };
    if (url.failed || bearer.failed)
        return false;
    const struct cogent_http_request request = { .size = sizeof request,
                                                 .label = "cli",
                                                 .method = method,
                                                 .url = url.ptr,
                                                 .headers = headers,
                                                 .n_headers = n,
                                                 .body = body,
                                                 .flags = flags,
                                                 .total_ms = total_ms,
                                                 .max_body = 64 * 1024 * 1024 };
    return !cogent_op_none(cg_http_send_unix(client->http, client->place.socket, (struct cogent_op){ 0, 0 },
                                             &request, events, arg));
}

bool cg_client_send(struct cg_client *client, const char *method, const char *path, struct cogent_str body,
                    void (*done)(void *arg, const struct cogent_http_result *result), void *arg)
{
    const struct cogent_http_events events = { .size = sizeof events, .done = done };
    return send_request(client, method, path, body, 0, TOTAL_MS, &events, arg);
}

/* One at a time. */
struct call {
    struct cg_client *client;
    cg_client_event_fn event;
    void *arg;
    json_t *answer;
    int status;
};

static void on_event(void *arg, struct cogent_str name, struct cogent_str data)
{
    struct call *call = arg;
    cg_auto_json value = cg_json_parse(data, NULL);
    if (value)
        call->event(call->arg, name, value);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct call *call = arg;
    cg_loop_stop(call->client->loop);
    if (result->err == 0 && result->status >= 200 && result->status < 300) {
        call->status = CG_EXIT_OK;
        if (result->body.len)
            call->answer = cg_json_parse(result->body, NULL);
        return;
    }
    call->client->broke = call->event && broke_off(result);
    if (call->client->broke)
        return;
    cg_auto_buf words = { 0 };
    cg_client_explain(call->client, result, &words);
    fflush(stdout);
    fprintf(stderr, "cogent %s: %s\n", call->client->command, words.ptr ? words.ptr : "out of memory");
}

static int run_call(struct call *call, const char *method, const char *path, const json_t *body,
                    uint32_t flags)
{
    struct cg_client *client = call->client;
    cg_auto_buf text = { 0 };
    const struct cogent_http_events events = { .size = sizeof events,
                                               .event = call->event ? on_event : NULL,
                                               .done = on_done };
    if (body)
        cg_json_add(&text, body);
    call->status = CG_EXIT_FAILED;
    client->broke = false;
    if (text.failed || !send_request(client, method, path, cg_buf_view(&text), flags,
                                     call->event ? STREAM_MS : TOTAL_MS, &events, call)) {
        fprintf(stderr, "cogent %s: out of memory\n", client->command);
        return CG_EXIT_FAILED;
    }
    cg_loop_run(client->loop);
    return call->status;
}

int cg_client_call(struct cg_client *client, const char *method, const char *path, const json_t *body,
                   json_t **out)
{
    struct call call = { .client = client };
    int status = run_call(&call, method, path, body, 0);
    if (out)
        *out = call.answer;
    else
        json_decref(call.answer);
    return status;
}

int cg_client_stream(struct cg_client *client, const char *method, const char *path, const json_t *body,
                     cg_client_event_fn event, void *arg)
{
    struct call call = { .client = client, .event = event, .arg = arg };
    int status = run_call(&call, method, path, body, COGENT_HTTP_SSE);
    json_decref(call.answer);
    return status;
}
