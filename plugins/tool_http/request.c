/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "common/json.h"

#include <stdlib.h>
#include <strings.h>

static const char no_memory[] = "out of memory";

/* What renders fails only by memory or by an operator's function. */
static int render_failed(const struct th_tool *tool, int err, struct th_problem *problem)
{
    return th_problem(problem, err, "%s, %s: %s", tool->service->name, tool->abi.name,
                      err == COGENT_NO_MEMORY ? no_memory : "a function of its declaration failed");
}

/* --- address --- */

int th_address_valid(const char *base)
{
    const char *host = strstr(base, "://");
    if (strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0)
        return 0;
    for (const char *c = base; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("?#\\\"<>", *c))
            return 0;
    size_t n = strcspn(host + 3, "/");
    return n > 0 && !memchr(host + 3, '@', n);
}

/* A field that ends with a slash before a path that begins with one gives a double slash; none stays at the end. */
static void tidy(struct cp_buf *url)
{
    char *path = url->ptr ? strstr(url->ptr, "://") : NULL;
    char *to = path ? path + 3 : NULL;
    for (const char *from = to; from && *from; from++)
        if (*from != '/' || to == path + 3 || to[-1] != '/')
            *to++ = *from;
    if (to)
        url->len = (size_t)(to - url->ptr);
    while (url->len && url->ptr[url->len - 1] == '/')
        url->len--;
    if (url->ptr)
        url->ptr[url->len] = '\0';
}

int th_base(const struct th_tool *tool, const struct th_vars *vars, struct cp_buf *out,
            struct th_problem *problem)
{
    const char *missing = NULL;
    int err = th_render_text(tool->service->base, vars, TH_PLAIN, out, &missing);
    if (err == COGENT_NOT_FOUND)
        return th_problem(problem, COGENT_UNAVAILABLE, "%s: the tenant has no %s", tool->service->name,
                          missing);
    if (err)
        return render_failed(tool, err, problem);
    tidy(out);
    if (!vars->sample && !th_address_valid(out->ptr ? out->ptr : ""))
        return th_problem(problem, COGENT_UNAVAILABLE, "%s: its address is none", tool->service->name);
    return 0;
}

/* A value of "." or ".." would walk to another route, however it is encoded. */
static int walks(const char *path)
{
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        size_t n = strcspn(at + 1, "/");
        if ((n == 1 || n == 2) && strspn(at + 1, ".") >= n)
            return 1;
    }
    return 0;
}

static int add_path(const struct th_tool *tool, const struct th_vars *vars, struct cp_buf *url,
                    struct th_problem *problem)
{
    const char *missing = NULL;
    struct cp_buf path = { 0 };
    int err = th_render_text(tool->path, vars, TH_PATH, &path, &missing);
    if (err == COGENT_NOT_FOUND)
        th_problem(problem, COGENT_INVALID, "%s is missing: it is part of the address", missing);
    else if (err)
        render_failed(tool, err, problem);
    else if (walks(path.ptr))
        err = th_problem(problem, COGENT_INVALID, "\".\" and \"..\" cannot be part of the address");
    if (err == COGENT_NOT_FOUND)
        err = COGENT_INVALID;
    if (!err)
        cp_buf_str(url, cp_buf_peek(&path));
    cp_buf_finish(&path);
    return err;
}

/* --- query and form --- */

static void pair(struct cp_buf *out, char first, const char *key, json_t *value)
{
    struct cp_buf text = { .secret = 1 };
    cp_json_text(&text, value);
    if (first == '?' || out->len)
        cp_buf_byte(out, first == '?' && !(out->ptr && strchr(out->ptr, '?')) ? '?' : '&');
    cp_buf_percent(out, cogent_str(key), "");
    cp_buf_byte(out, '=');
    cp_buf_percent(out, cp_buf_peek(&text), "");
    out->failed |= text.failed;
    cp_buf_finish(&text);
}

static void comma(struct cp_buf *out, char first, const char *key, json_t *list)
{
    struct cp_buf text = { .secret = 1 };
    json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        if (i)
            cp_buf_byte(&text, ',');
        cp_json_text(&text, item);
    }
    json_t *joined = json_stringn(cp_buf_peek(&text).ptr, text.len);
    if (joined)
        pair(out, first, key, joined);
    else
        out->failed = 1;
    json_decref(joined);
    cp_buf_finish(&text);
}

/* first: '?' for a query that follows an address, '&' for a form. */
static void pairs(struct cp_buf *out, char first, enum th_lists lists, json_t *object)
{
    const char *key;
    json_t *value, *item;
    size_t i;
    json_object_foreach (object, key, value) {
        if (json_is_null(value))
            continue;
        if (json_is_array(value) && lists == TH_LISTS_REPEAT) {
            json_array_foreach (value, i, item) {
                pair(out, first, key, item);
            }
        } else if (json_is_array(value) && lists == TH_LISTS_COMMA) {
            comma(out, first, key, value);
        } else {
            pair(out, first, key, value);
        }
    }
}

/* The arguments that the route does not name. */
static int rest(const struct th_tool *tool, const struct th_vars *vars, json_t **out)
{
    const char *name;
    json_t *value;
    *out = json_object();
    json_object_foreach (vars->args, name, value) {
        if (!json_object_get(tool->named, name) && json_object_set(*out, name, value) != 0)
            return COGENT_NO_MEMORY; /* json_copy would leave it out and say nothing */
    }
    return *out ? 0 : COGENT_NO_MEMORY;
}

static int add_pairs(const struct th_tool *tool, const struct th_vars *vars, const struct th_template *t,
                     struct cp_buf *out, char first, struct th_problem *problem)
{
    json_t *object = NULL;
    int err = 0;
    if (t)
        err = th_render(t, vars, &object);
    else
        err = rest(tool, vars, &object);
    if (!err && object && !json_is_object(object))
        err = COGENT_INTERNAL;
    if (!err)
        pairs(out, first, tool->lists, object);
    cp_json_drop(object);
    return err ? render_failed(tool, err, problem) : 0;
}

/* --- body --- */

static int add_body(const struct th_tool *tool, const struct th_vars *vars, struct cp_buf *out,
                    struct th_problem *problem)
{
    json_t *body = NULL;
    int err = 0;
    if (tool->body)
        err = th_render(tool->body, vars, &body);
    else
        err = rest(tool, vars, &body);
    if (!err && tool->key_field && vars->effect_key && *vars->effect_key)
        err =
            json_object_set_new(body, tool->key_field, json_string(vars->effect_key)) ? COGENT_NO_MEMORY : 0;
    if (!err && body)
        cp_json_write(out, body);
    cp_json_drop(body);
    return err ? render_failed(tool, err, problem) : 0;
}

/* --- headers --- */

static int header_valid(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return 0;
    return 1;
}

static int has_header(const struct th_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return 1;
    return 0;
}

int th_request_header(struct th_request *r, const char *name, const char *value, struct th_problem *problem)
{
    if (!header_valid(value))
        return th_problem(problem, COGENT_INVALID, "a value for the header %s holds a control character",
                          name);
    char *copy = strdup(value);
    if (!copy)
        return th_problem(problem, COGENT_NO_MEMORY, no_memory);
    r->headers[r->n_headers].name = name;
    r->headers[r->n_headers++].value = copy;
    return 0;
}

static int add_rendered(const struct th_tool *tool, const struct th_vars *vars, const struct th_header *h,
                        struct th_request *r, struct th_problem *problem)
{
    json_t *value = NULL;
    struct cp_buf text = { .secret = 1 };
    int err = th_render(h->value, vars, &value);
    if (err) {
        render_failed(tool, err, problem);
    } else if (value && !json_is_null(value)) {
        cp_json_text(&text, value);
        err = text.failed ? th_problem(problem, COGENT_NO_MEMORY, no_memory)
                          : th_request_header(r, h->name, text.ptr ? text.ptr : "", problem);
    }
    cp_json_drop(value);
    cp_buf_finish(&text);
    return err;
}

/* --- whose rights --- */

/* Without a slash at the end, as people write it. */
static int names(const char *audience, const char *name)
{
    size_t n = strlen(audience), m = strlen(name);
    while (n && audience[n - 1] == '/')
        n--;
    while (m && name[m - 1] == '/')
        m--;
    return n && n == m && strncmp(audience, name, n) == 0;
}

static int is_named(const struct th_service *service, const char *base, json_t *audience)
{
    json_t *entry;
    size_t i;
    json_array_foreach (audience, i, entry) {
        const char *text = json_string_value(entry);
        if (text && (names(text, service->name) || (base && names(text, base))))
            return 1;
    }
    return 0;
}

static int shares_issuer(const struct th_service *service, const struct th_vars *vars)
{
    struct cp_buf issuer = { 0 };
    const char *missing = NULL, *theirs = vars->asker->issuer;
    int same = service->issuer && theirs && *theirs &&
               th_render_text(service->issuer, vars, TH_PLAIN, &issuer, &missing) == 0 && !issuer.failed &&
               strcmp(cp_buf_peek(&issuer).ptr, theirs) == 0;
    cp_buf_finish(&issuer);
    return same;
}

/* A token that says whom it is for goes to nobody else. */
static int check_audience(const struct th_tool *tool, const struct th_vars *vars, struct th_problem *problem)
{
    const struct cogent_asker *a = vars->asker;
    const struct th_service *service = tool->service;
    struct cp_buf base = { 0 };
    struct th_problem unused;
    if (!a || !COGENT_HAS(a, audience) || !a->audience || shares_issuer(service, vars))
        return 0;
    json_t *audience = cp_json_load(cogent_str(a->audience));
    th_base(tool, vars, &base, &unused);
    int named = is_named(service, base.ptr, audience);
    json_decref(audience);
    cp_buf_finish(&base);
    return named
               ? 0
               : th_problem(
                     problem, COGENT_AUTH,
                     "%s: the user's token is not for this service, so it is not sent there: let the token's "
                     "aud name \"%s\" or its address, or, if it takes tokens of the same issuer, say "
                     "issuer = \"...\" in its tools file",
                     service->name, service->name);
}

static int add_caller(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                      struct th_problem *problem)
{
    const char *token = vars->asker ? vars->asker->authorization : NULL;
    if (!vars->sample && (!token || !*token))
        return th_problem(problem, COGENT_AUTH, "%s needs the user's own credential, and there is none",
                          tool->service->name);
    int err = check_audience(tool, vars, problem);
    return err ? err : th_request_header(r, "Authorization", vars->masked ? "Bearer ***" : token, problem);
}

static int add_rendered_auth(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                             struct th_problem *problem)
{
    size_t before = r->n_headers;
    struct th_vars granted = *vars;
    granted.granted = tool->auth->secrets;
    int err = add_rendered(tool, &granted, &tool->auth->header, r, problem);
    if (err == COGENT_INTERNAL)
        return th_problem(problem, err,
                          "%s: the function of its auth failed, perhaps for a secret that is not set",
                          tool->service->name);
    if (!err && r->n_headers == before)
        err = th_problem(problem, COGENT_AUTH, "%s: the credential of its service account is not set",
                         tool->service->name);
    return err;
}

/* As a bearer token, unless it names its scheme itself ("Basic ..."). */
static int add_handed(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                      struct th_problem *problem)
{
    const struct cogent_asker *a = vars->asker;
    struct th_vars handed = *vars;
    struct cp_buf value = { .secret = 1 };
    if (vars->masked)
        handed.credential = "***";
    else if (a && COGENT_HAS(a, handed) && a->handed)
        handed.credential = a->handed(a, tool->service->name);
    if (!handed.credential || !*handed.credential)
        return th_problem(
            problem, COGENT_AUTH,
            "%s needs the user's own credential there, and the question came without: the backend "
            "hands it over as \"Cogent-Credential: %s VALUE\"",
            tool->service->name, tool->service->name);
    if (tool->auth->header.name)
        return add_rendered_auth(tool, &handed, r, problem);
    cp_buf_text(&value, strchr(handed.credential, ' ') ? "" : "Bearer ");
    cp_buf_text(&value, handed.credential);
    int err = value.failed ? th_problem(problem, COGENT_NO_MEMORY, no_memory)
                           : th_request_header(r, "Authorization", value.ptr, problem);
    cp_buf_finish(&value);
    return err;
}

static int add_auth(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                    struct th_problem *problem)
{
    size_t before = r->n_headers;
    int err = 0;
    if (tool->auth->kind == TH_AUTH_CALLER)
        err = add_caller(tool, vars, r, problem);
    else if (tool->auth->kind == TH_AUTH_HANDED)
        err = add_handed(tool, vars, r, problem);
    else if (tool->auth->header.name)
        err = add_rendered_auth(tool, vars, r, problem);
    if (!err && r->n_headers > before)
        r->credential = r->headers[before].value;
    return err;
}

int th_request_begin(struct th_request *r, size_t n, struct th_problem *problem)
{
    r->body.secret = 1;
    r->headers = calloc(n, sizeof *r->headers);
    return r->headers ? 0 : th_problem(problem, COGENT_NO_MEMORY, no_memory);
}

static int add_headers(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                       struct th_problem *problem)
{
    enum { OURS = 4 }; /* auth, once, Accept, Content-Type */
    int err = th_request_begin(r, tool->n_headers + OURS, problem);
    err = err ? err : add_auth(tool, vars, r, problem);
    for (size_t i = 0; i < tool->n_headers && !err; i++)
        if (!has_header(r, tool->headers[i].name))
            err = add_rendered(tool, vars, &tool->headers[i], r, problem);
    if (!err && tool->once_header && vars->effect_key && *vars->effect_key)
        err = th_request_header(r, tool->once_header, vars->effect_key, problem);
    if (!err && !has_header(r, "Accept"))
        err = th_request_header(r, "Accept", "application/json", problem);
    if (!err && r->body.len && !has_header(r, "Content-Type"))
        err =
            th_request_header(r, "Content-Type",
                              tool->form ? "application/x-www-form-urlencoded" : "application/json", problem);
    return err;
}

int th_request_build(const struct th_tool *tool, const struct th_vars *vars, const char *next,
                     struct th_request *out, struct th_problem *problem)
{
    int err = 0;
    out->body.secret = 1;
    if (next)
        cp_buf_text(&out->url, next);
    else
        err = th_base(tool, vars, &out->url, problem);
    if (!err && !next)
        err = add_path(tool, vars, &out->url, problem);
    if (!err && !next && (tool->query || tool->spread == 'q'))
        err = add_pairs(tool, vars, tool->query, &out->url, '?', problem);
    if (!err && tool->form)
        err = add_pairs(tool, vars, tool->form, &out->body, '&', problem);
    else if (!err && (tool->body || tool->spread == 'b'))
        err = add_body(tool, vars, &out->body, problem);
    if (!err)
        err = add_headers(tool, vars, out, problem);
    if (!err && (out->url.failed || out->body.failed))
        err = th_problem(problem, COGENT_NO_MEMORY, no_memory);
    return err;
}

void th_request_finish(struct th_request *request)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        /* A credential may have stood here: it does not stay in freed memory. */
        char *value = (char *)(uintptr_t)request->headers[i].value;
        explicit_bzero(value, strlen(value));
        free(value);
    }
    free(request->headers);
    cp_buf_finish(&request->url);
    cp_buf_finish(&request->body);
    memset(request, 0, sizeof *request);
}
