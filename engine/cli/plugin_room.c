/* SPDX-License-Identifier: Apache-2.0
 * The kit's host: the engine's own table, but no request leaves the process and no database is there. */
#include "plugin_kit.h"

#include "engine/base/clock.h"
#include "engine/io/loop.h"
#include "engine/plugin/host.h"

#include <stdlib.h>

static struct cg_room room; /* the one of this process: the host table's functions carry no context */

/* Whoever asks. */

static const char *some_field(const struct cogent_asker *asker, const char *name)
{
    (void)asker;
    size_t n = strlen(name);
    return n >= 3 && strcmp(name + n - 3, "url") == 0 ? "http://service.invalid" : "kit";
}

static const struct cogent_asker asker = {
    .size = sizeof asker,
    .tenant = "kit",
    .user = "kit",
    .name = "Kit",
    .locale = "en-GB",
    .language = "en",
    .time_zone = "UTC",
    .authorization = "Bearer kit",
    .tenant_field = some_field,
    .secret = some_field,
    .tenant_fields = "{}",
    .issuer = "https://login.invalid",
    .audience = "[\"cogent\"]",
    .handed = some_field,
};

/* Services. */

struct sending {
    struct cogent_http_events events;
    void *arg;
    bool streams;
};

/* Half of what a model says on the wire that most speak: a stream that breaks in the middle of a call. */
static const char *const half[] = {
    "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"I look it up.\"}}]}",
    "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\","
    "\"function\":{\"name\":\"kit_tool\",\"arguments\":\"{\\\"sku\\\":\\\"851\"}}]}}]}",
};

struct answer {
    int err, status, sent;
    const char *type, *body;
};

static const struct answer answers[] = {
    [CG_ANSWER_NOTHING] = { COGENT_UNAVAILABLE, 0, 0, "", "" },
    [CG_ANSWER_JSON] = { 0, 200, 1, "application/json", "{\"id\":\"1\",\"data\":{},\"items\":[]}" },
    [CG_ANSWER_OTHER] = { 0, 200, 1, "text/html", "<html><body>Please sign in</body></html>" },
    [CG_ANSWER_CUT] = { COGENT_UPSTREAM, 0, 1, "", "" },
};

static const char *no_header(const struct cogent_http_result *result, const char *name)
{
    (void)result, (void)name;
    return NULL;
}

static void on_sent(void *arg, int why)
{
    struct sending *s = arg;
    const struct sending kept = *s;
    const struct answer *a = &answers[room.answers];
    free(s);
    if (why != COGENT_TIMEOUT) /* the wait above ended: nobody is told */
        return;
    const struct cogent_http_result result = { .size = sizeof result,
                                               .err = a->err,
                                               .status = a->status,
                                               .sent = a->sent,
                                               .body = cogent_str(a->body),
                                               .content_type = cogent_str(a->type),
                                               .detail = a->err ? "the kit reaches nobody" : "",
                                               .header = no_header };
    for (size_t i = 0; kept.streams && room.answers == CG_ANSWER_CUT && i < sizeof half / sizeof half[0]; i++)
        kept.events.event(kept.arg, cogent_str(""), cogent_str(half[i]));
    kept.events.done(kept.arg, &result);
}

static const char *wrong_request(const struct cogent_http_request *r, const struct cogent_http_events *events)
{
    if (!r->label || !r->method || !r->url)
        return "a request lacks label, method or url";
    if (strncmp(r->url, "http://", 7) != 0 && strncmp(r->url, "https://", 8) != 0)
        return "a request's url begins with neither http:// nor https://";
    if (!events->done)
        return "a request has no done";
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!r->headers[i].name || !r->headers[i].value)
            return "a header of a request has no name or no value";
    }
    return NULL;
}

static struct cogent_op fake_send(struct cogent_op parent, const struct cogent_http_request *request,
                                  const struct cogent_http_events *events, void *arg)
{
    const struct cogent_op none = { 0, 0 };
    const char *wrong = wrong_request(request, events);
    struct sending *s = wrong ? NULL : calloc(1, sizeof *s);
    room.sent++;
    if (wrong)
        room.bad_request = wrong;
    else if (strcmp(request->method, "GET") != 0 && !(request->flags & COGENT_HTTP_ONCE))
        room.unguarded++;
    if (!s)
        return none;
    *s = (struct sending){ *events, arg, (request->flags & COGENT_HTTP_SSE) && events->event };
    struct cogent_op op = cg_op_start(room.loop, parent, "http", 1, on_sent, s);
    if (cogent_op_none(op))
        free(s);
    return op;
}

/* The database. */

struct asking {
    void (*done)(void *arg, const struct cogent_db_result *result);
    void *arg;
};

static size_t no_rows(const struct cogent_db_result *result, size_t i)
{
    (void)result, (void)i;
    return 0;
}

static struct cogent_row no_row(const struct cogent_db_result *result, size_t i, size_t row)
{
    (void)result, (void)i, (void)row;
    return (struct cogent_row){ NULL, 0 };
}

static void on_asked(void *arg, int why)
{
    struct asking *a = arg;
    const struct asking kept = *a;
    const struct cogent_db_result result = { sizeof result, COGENT_UNAVAILABLE, no_rows, no_rows, no_row };
    free(a);
    if (why == COGENT_TIMEOUT && kept.done)
        kept.done(kept.arg, &result);
}

static struct cogent_op fake_run(struct cogent_op parent, const char *plugin,
                                 const struct cogent_db_step *steps, size_t n, int reads,
                                 void (*done)(void *arg, const struct cogent_db_result *result), void *arg)
{
    (void)plugin, (void)steps, (void)n, (void)reads;
    struct asking *a = calloc(1, sizeof *a);
    if (!a)
        return (struct cogent_op){ 0, 0 };
    *a = (struct asking){ done, arg };
    struct cogent_op op = cg_op_start(room.loop, parent, "db", 1, on_asked, a);
    if (cogent_op_none(op))
        free(a);
    return op;
}

/* The room. */

struct cg_room *cg_room_open(const char *path, struct cg_err *err)
{
    static const struct cogent_http_api http = { sizeof http, fake_send };
    static const struct cogent_db_api db = { sizeof db, fake_run };
    static struct cogent_host host;
    host = *cg_host_table();
    host.http = &http;
    host.db = &db;
    room = (struct cg_room){ .loop = cg_loop_create(), .host = &host, .asker = &asker };
    room.plugins = cg_plugins_create(&host);
    if (!room.loop || !room.plugins) {
        cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
        return NULL;
    }
    room.invoke = (struct cg_invoke_env){ room.loop, &host, NULL, NULL };
    const struct cg_host_env env = { .loop = room.loop, .plugins = room.plugins };
    cg_host_setup(&env);
    return cg_plugins_open(room.plugins, path, err) < 0 ? NULL : &room;
}

struct until {
    bool (*fn)(void *arg);
    void *arg;
    int64_t end_us;
    bool came;
};

static void look(void *arg)
{
    struct until *u = arg;
    u->came = u->fn(u->arg);
    if (u->came || cg_mono_us() > u->end_us)
        cg_loop_stop(room.loop);
    else
        cg_timer_after(room.loop, (struct cogent_op){ 0, 0 }, "kit", 1, look, u);
}

bool cg_room_until(struct cg_room *r, uint32_t ms, bool (*fn)(void *arg), void *arg)
{
    struct until u = { fn, arg, cg_mono_us() + (int64_t)ms * 1000, false };
    cg_timer_after(r->loop, (struct cogent_op){ 0, 0 }, "kit", 1, look, &u);
    cg_loop_run(r->loop);
    return u.came;
}

size_t cg_room_waits(const struct cg_room *r)
{
    return cg_op_count(r->loop);
}
