/* SPDX-License-Identifier: Apache-2.0
 * What must answer: the server, the issuer's key set, and each tenant's ERP. */
#include "doctor.h"

#include "engine/svc/jwks.h"
#include "engine/svc/jwt.h"

#include <string.h>

struct probe {
    struct cg_loop *loop;
    int err, status;
    char detail[200];
    json_t *body; /* NULL when it is no JSON */
};

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct probe *p = arg;
    p->err = result->err;
    p->status = result->status;
    p->body = cg_json_parse(result->body, NULL);
    cg_str_copy(p->detail, sizeof p->detail, cogent_str(result->detail));
    cg_loop_stop(p->loop);
}

static void get(struct cg_http_client *http, struct probe *p, const char *socket, const char *base,
                const char *path)
{
    cg_auto_buf url = { 0 };
    cg_buf_printf(&url, "%s%s", base, path);
    const struct cogent_http_request request = { .size = sizeof request,
                                                 .label = "doctor",
                                                 .method = "GET",
                                                 .url = url.ptr,
                                                 .connect_ms = 3000,
                                                 .total_ms = 5000 };
    const struct cogent_http_events events = { .size = sizeof events, .done = on_done };
    p->err = COGENT_NO_MEMORY;
    p->status = 0;
    json_decref(p->body);
    p->body = NULL;
    if (url.failed ||
        cogent_op_none(cg_http_send_unix(http, socket, (struct cogent_op){ 0, 0 }, &request, &events, p)))
        return;
    cg_loop_run(p->loop);
}

static void check_server(struct cg_doctor *d, struct cg_http_client *http, struct probe *p)
{
    struct cg_place place;
    size_t i;
    json_t *plugin;
    const char *why = "";
    if (cg_place_find(&place, &why) < 0) {
        cg_doctor_add(d, "server", false, why, "it is not known where the server is");
        cg_place_finish(&place);
        return;
    }
    const char *name = place.socket ? place.socket : place.base;
    get(http, p, place.socket, place.base, "/readyz");
    if (p->err < 0)
        cg_doctor_add(d, "server", false, "start it: cogentd -c FILE (or scripts/quickstart --keep)",
                      "%s does not answer%s%s", name, place.socket ? "" : ": ",
                      place.socket ? "" : p->detail); /* of a socket curl names a host, which means nothing */
    else
        cg_doctor_add(d, "server", p->status == 200,
                      "look into its log; readiness depends on the database only", "%s %s", name,
                      p->status == 200 ? "is ready" : "is not ready");
    json_array_foreach (json_object_get(p->body, "held_back"), i, plugin) {
        cg_auto_buf check = { 0 };
        cg_buf_printf(&check, "plugin %s", json_string_value(plugin) ? json_string_value(plugin) : "?");
        cg_doctor_add(d, check.ptr, false,
                      "see plugin.crashed in the server's log; cogent plugin list says until when",
                      "is held back by the server: it ended worker after worker");
    }
    cg_place_finish(&place);
}

/* Any answer will do: which paths there are is the service's business. */
static void check_service(struct cg_doctor *d, struct cg_http_client *http, struct probe *p,
                          const char *tenant, const char *field, const char *url)
{
    cg_auto_buf check = { 0 }, start = { 0 }, look = { 0 };
    const char *name = strcmp(field, "erp_url") == 0 ? "ERP" : field;
    cg_buf_printf(&check, "%s: %s", tenant, name);
    cg_buf_printf(&start, "start it, or mend tenants.%s.%s", tenant, field);
    cg_buf_printf(&look, "look into the log of what serves %s", url);
    if (check.failed || start.failed || look.failed)
        return;
    get(http, p, NULL, url, "/");
    if (p->err < 0)
        cg_doctor_add(d, check.ptr, false, start.ptr, "%s does not answer: %s", url, p->detail);
    else
        cg_doctor_add(d, check.ptr, p->status < 500, look.ptr, "%s answers (status %d)", url, p->status);
}

/* The addresses of a tenant that a tools file can name as `base`; pages of links are none. */
static void check_services(struct cg_doctor *d, struct cg_http_client *http, struct probe *p,
                           const char *tenant, json_t *fields)
{
    const char *field;
    json_t *value;
    size_t n = 0;
    cg_auto_buf check = { 0 };
    json_object_foreach (fields, field, value) {
        size_t length = strlen(field);
        if (length < 4 || strcmp(field + length - 4, "_url") != 0 || strcmp(field, "web_url") == 0 ||
            !json_is_string(value))
            continue;
        check_service(d, http, p, tenant, field, json_string_value(value));
        n++;
    }
    cg_buf_printf(&check, "%s: ERP", tenant);
    if (n == 0 && check.ptr)
        cg_doctor_add(d, check.ptr, false, "set tenants.NAME.erp_url, or import records (cogent import)",
                      "the tenant has no erp_url, nor the address of another service: no tools and no feeds");
}

struct key_look {
    struct cg_loop *loop;
    struct cg_jwt_keys *keys; /* NULL: why */
    struct cg_err why;
};

static void on_key_set(void *arg, const struct cogent_http_result *result)
{
    struct key_look *l = arg;
    cg_jwks_read(result, &l->keys, &l->why);
    cg_loop_stop(l->loop);
}

static void check_key_set(struct cg_doctor *d, struct cg_http_client *http, struct cg_loop *loop)
{
    static const struct cogent_http_events events = { .size = sizeof events, .done = on_key_set };
    const char *url = d->config->auth_options.jwks;
    struct key_look l = { .loop = loop, .why = { COGENT_NO_MEMORY, "out of memory" } };
    if (!cogent_op_none(cg_jwks_send(http, (struct cogent_op){ 0, 0 }, url, &events, &l)))
        cg_loop_run(loop);
    size_t n = l.keys ? cg_jwt_keys_count(l.keys) : 0;
    if (l.keys)
        cg_doctor_add(d, "auth", true, "", "tokens can be verified: %zu %s at %s", n, n == 1 ? "key" : "keys",
                      url);
    else
        cg_doctor_add(
            d, "auth", false,
            "mend auth.jwks, or what serves it; the server looks again by itself (jwks.failed in its log)",
            "the key set at %s cannot be read: %s", url, l.why.message);
    cg_jwt_keys_destroy(l.keys);
}

/* What the server reaches through its proxy is reached through it here. */
static void check_outside(struct cg_doctor *d, struct probe *p)
{
    const char *tenant;
    json_t *fields;
    struct cg_http_client *http = cg_http_client_create(p->loop, d->config->proxy, d->config->ca);
    cg_auto_json tenants = cg_json_parse(cogent_str(d->config->tenants), NULL);
    if (http && d->jwks)
        check_key_set(d, http, p->loop);
    json_object_foreach (tenants, tenant, fields) {
        if (http)
            check_services(d, http, p, tenant, fields);
    }
    cg_http_client_destroy(http);
}

void cg_doctor_network(struct cg_doctor *d)
{
    struct probe p = { .loop = cg_loop_create() };
    struct cg_http_client *http = p.loop ? cg_http_client_create(p.loop, NULL, NULL) : NULL;
    if (http)
        check_server(d, http, &p);
    if (http && d->config)
        check_outside(d, &p);
    json_decref(p.body);
    cg_http_client_destroy(http);
    cg_loop_destroy(p.loop);
}
