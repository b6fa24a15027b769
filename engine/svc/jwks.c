/* SPDX-License-Identifier: Apache-2.0 */
#include "jwks.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "jwt.h"

#include <stdlib.h>
#include <strings.h>

enum {
    SET_MAX = 256 * 1024,
    LOOK_MS = 5000,
    EVERY_MS = 600000, /* a look without a cause */
    APART_MS = 60000,  /* two looks because of unknown keys */
    RETRY_MS = 1000,   /* after a failure, doubled up to EVERY_MS */
    WAITS_MAX = 256    /* requests that wait for one look */
};

struct wait {
    struct wait *next, **prev;
    struct cg_jwks *jwks;
    struct cogent_op op;
    void (*looked)(void *arg);
    void *arg;
};

struct cg_jwks {
    struct cg_loop *loop;
    struct cg_http_client *http;
    struct cg_auth *auth;
    char *url;
    struct cogent_op root, next; /* next: the timer of the look without a cause */
    struct wait *waits;
    unsigned n_waits;
    int64_t unknown_us; /* of the last look because of an unknown key; 0: none */
    uint32_t retry_ms;
    bool looking, known;
};

static void look(void *arg);

static void wait_free(struct wait *w)
{
    *w->prev = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->jwks->n_waits--;
    free(w);
}

static void on_wait_ended(void *arg, int why)
{
    (void)why;
    wait_free(arg);
}

/* Each may ask again, or free another: the list is looked at anew after every one. */
static void tell(struct cg_jwks *j)
{
    while (j->waits) {
        struct wait *w = j->waits;
        void (*looked)(void *) = w->looked;
        void *arg = w->arg;
        cg_op_finish(j->loop, w->op);
        wait_free(w);
        looked(arg);
    }
}

int cg_jwks_read(const struct cogent_http_result *result, struct cg_jwt_keys **keys, struct cg_err *err)
{
    *keys = NULL;
    if (result->err < 0)
        return cg_err_set(err, result->err, "%s", result->detail);
    if (result->status != 200)
        return cg_err_set(err, COGENT_UPSTREAM, "the issuer answered with status %d", result->status);
    cg_auto_json set = cg_json_parse(result->body, err);
    return set ? cg_jwt_keys_read_set(set, keys, err) : COGENT_INVALID;
}

static int take_set(struct cg_jwks *j, const struct cogent_http_result *result, struct cg_err *err)
{
    struct cg_jwt_keys *keys;
    int rc = cg_jwks_read(result, &keys, err);
    if (rc < 0)
        return rc;
    if (!j->known)
        cg_log(CG_INFO, "jwks.known", CG_S("url", j->url), CG_I("keys", cg_jwt_keys_count(keys)));
    j->known = true;
    cg_auth_set_keys(j->auth, keys);
    return 0;
}

static void look_in(struct cg_jwks *j, uint32_t ms)
{
    cg_op_cancel(j->loop, j->next, COGENT_CANCELLED);
    j->next = cg_timer_after(j->loop, j->root, "jwks.next", ms, look, j);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct cg_jwks *j = arg;
    struct cg_err err;
    uint32_t next_ms = EVERY_MS;
    j->looking = false;
    if (take_set(j, result, &err) < 0) {
        cg_log(CG_WARN, "jwks.failed", CG_S("url", j->url), CG_S("why", err.message));
        next_ms = j->retry_ms;
        j->retry_ms = next_ms * 2 < EVERY_MS ? next_ms * 2 : EVERY_MS;
    } else {
        j->retry_ms = RETRY_MS;
    }
    look_in(j, next_ms);
    tell(j);
}

struct cogent_op cg_jwks_send(struct cg_http_client *http, struct cogent_op parent, const char *url,
                              const struct cogent_http_events *events, void *arg)
{
    const struct cogent_http_header accept = { "Accept", "application/jwk-set+json, application/json" };
    const struct cogent_http_request request = { .size = sizeof request,
                                                 .label = "jwks",
                                                 .method = "GET",
                                                 .url = url,
                                                 .headers = &accept,
                                                 .n_headers = 1,
                                                 .total_ms = LOOK_MS,
                                                 .max_body = SET_MAX };
    return cg_http_send(http, parent, &request, events, arg);
}

static void look(void *arg)
{
    struct cg_jwks *j = arg;
    static const struct cogent_http_events events = { .size = sizeof events, .done = on_done };
    if (j->looking)
        return;
    j->looking = true;
    if (!cogent_op_none(cg_jwks_send(j->http, j->root, j->url, &events, j)))
        return;
    j->looking = false;
    look_in(j, RETRY_MS); /* who waits, waits for that one */
}

struct cg_jwks *cg_jwks_create(struct cg_loop *loop, struct cg_http_client *http, const char *url,
                               struct cg_auth *auth)
{
    struct cg_jwks *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->loop = loop;
    j->http = http;
    j->auth = auth;
    j->retry_ms = RETRY_MS;
    j->url = cg_str_dup(cogent_str(url));
    j->root = cg_op_start(loop, (struct cogent_op){ 0, 0 }, "jwks", 0, NULL, NULL);
    if (!j->url || cogent_op_none(j->root)) {
        cg_jwks_destroy(j);
        return NULL;
    }
    look(j);
    return j;
}

void cg_jwks_destroy(struct cg_jwks *j)
{
    if (!j)
        return;
    cg_op_cancel(j->loop, j->root, COGENT_CANCELLED);
    while (j->waits) {
        cg_op_finish(j->loop, j->waits->op);
        wait_free(j->waits);
    }
    free(j->url);
    free(j);
}

/* An unknown key is a reason to look now. */
static bool may_look(const struct cg_jwks *j)
{
    return j->looking || !j->unknown_us || cg_mono_us() - j->unknown_us >= (int64_t)APART_MS * 1000;
}

static void look_for_unknown(struct cg_jwks *j)
{
    if (j->looking)
        return;
    j->unknown_us = cg_mono_us();
    look(j);
}

void cg_jwks_hint(struct cg_jwks *j)
{
    if (may_look(j))
        look_for_unknown(j);
}

bool cg_jwks_look(struct cg_jwks *j, struct cogent_op parent, void (*looked)(void *arg), void *arg)
{
    struct wait *w = may_look(j) && j->n_waits < WAITS_MAX ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return false;
    w->op = cg_op_start(j->loop, parent, "jwks.look", 0, on_wait_ended, w);
    if (cogent_op_none(w->op)) {
        free(w);
        return false;
    }
    w->jwks = j;
    w->looked = looked;
    w->arg = arg;
    w->next = j->waits;
    w->prev = &j->waits;
    if (w->next)
        w->next->prev = &w->next;
    j->waits = w;
    j->n_waits++;
    look_for_unknown(j);
    return true;
}

const char *cg_jwks_url_wrong(const char *url)
{
    static const char *const local[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };
    const char *host = strstr(url, "://");
    if (host && memchr(host + 3, '@', strcspn(host + 3, "/?#")))
        return "must hold no user name and no password: the log and doctor show the address";
    if (strncasecmp(url, "https://", 8) == 0 && url[8] && url[8] != '/')
        return NULL;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        size_t n = strlen(local[i]);
        if (strncasecmp(url, local[i], n) == 0 && (url[n] == ':' || url[n] == '/'))
            return NULL;
    }
    return "must be an https address (http only on this machine): whoever can change the keys on their way can sign tokens";
}
