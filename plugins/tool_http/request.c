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

static int base_valid(const char *base)
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
    if (!vars->sample && !base_valid(out->ptr ? out->ptr : ""))
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
    struct cp_buf text = { 0 };
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
    struct cp_buf text = { 0 };
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
    json_decref(object);
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
    json_decref(body);
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

static int add_header(struct th_request *r, const char *name, const char *value, struct th_problem *problem)
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
    struct cp_buf text = { 0 };
    int err = th_render(h->value, vars, &value);
    if (err) {
        render_failed(tool, err, problem);
    } else if (value && !json_is_null(value)) {
        cp_json_text(&text, value);
        err = text.failed ? th_problem(problem, COGENT_NO_MEMORY, no_memory)
                          : add_header(r, h->name, text.ptr ? text.ptr : "", problem);
    }
    json_decref(value);
    cp_buf_finish(&text);
    return err;
}

static int add_account(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                       struct th_problem *problem)
{
    size_t before = r->n_headers;
    int err = add_rendered(tool, vars, &tool->account, r, problem);
    if (!err && r->n_headers == before)
        err = th_problem(problem, COGENT_AUTH, "%s: the credential of its service account is not set",
                         tool->service->name);
    return err;
}

static int add_auth(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                    struct th_problem *problem)
{
    const char *token = vars->asker ? vars->asker->authorization : NULL;
    if (tool->auth == TH_AUTH_ACCOUNT)
        return add_account(tool, vars, r, problem);
    if (tool->auth == TH_AUTH_NONE)
        return 0;
    if (vars->sample)
        token = "Bearer ***";
    if (!token || !*token)
        return th_problem(problem, COGENT_AUTH, "%s needs the user's own credential, and there is none",
                          tool->service->name);
    return add_header(r, "Authorization", token, problem);
}

static int add_headers(const struct th_tool *tool, const struct th_vars *vars, struct th_request *r,
                       struct th_problem *problem)
{
    enum { OURS = 4 }; /* auth, once, Accept, Content-Type */
    r->headers = calloc(tool->n_headers + OURS, sizeof *r->headers);
    if (!r->headers)
        return th_problem(problem, COGENT_NO_MEMORY, no_memory);
    int err = add_auth(tool, vars, r, problem);
    for (size_t i = 0; i < tool->n_headers && !err; i++)
        if (!has_header(r, tool->headers[i].name))
            err = add_rendered(tool, vars, &tool->headers[i], r, problem);
    if (!err && tool->once_header && vars->effect_key && *vars->effect_key)
        err = add_header(r, tool->once_header, vars->effect_key, problem);
    if (!err && !has_header(r, "Accept"))
        err = add_header(r, "Accept", "application/json", problem);
    if (!err && r->body.len && !has_header(r, "Content-Type"))
        err = add_header(r, "Content-Type",
                         tool->form ? "application/x-www-form-urlencoded" : "application/json", problem);
    return err;
}

int th_request_build(const struct th_tool *tool, const struct th_vars *vars, const char *next,
                     struct th_request *out, struct th_problem *problem)
{
    int err = 0;
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
