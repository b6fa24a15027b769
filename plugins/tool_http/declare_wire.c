/* SPDX-License-Identifier: Apache-2.0
 * What a tool sends: route, query, body, form, headers.
 */
#include "declaration.h"

#include "common/json.h"

#include <stdlib.h>
#include <strings.h>

/* What may stand in a part of a request. A login is made once for all users: it knows none of them, and no call. */
static unsigned anywhere(const struct th_reading *r)
{
    return r->login ? TH_TENANT | TH_FUNCTION
                    : TH_ARG | TH_TENANT | TH_USER | TH_EFFECT | TH_PAGE | TH_FUNCTION;
}

/* Where credentials may stand: not in an address, which is logged on the way. */
static unsigned credentials(const struct th_reading *r)
{
    return TH_SECRET | (r->tool->auth->kind == TH_AUTH_LOGIN ? TH_LOGIN : 0);
}

static int needs_pages(const struct th_reading *r, const struct th_scope *scope)
{
    if ((scope->used & TH_PAGE) && !json_is_object(th_said(r, "pages")))
        return th_wrong(r->error, "%s: {page.*} without pages", scope->where);
    if ((scope->used & TH_TOOL) && !json_object_get(r->own, "call") && !json_object_get(r->own, "params"))
        return th_wrong(r->error, "%s names tool.call or tool.params: the tool says neither", scope->where);
    return 0;
}

static int compile(struct th_reading *r, const char *key, json_t *json, unsigned allowed,
                   struct th_template **out)
{
    struct th_scope scope = {
        .error = r->error, .where = key, .args = r->args, .allowed = allowed, .secrets = r->tool->secrets
    };
    *out = th_template_create(json, &scope);
    if (!*out)
        return COGENT_INVALID;
    r->used |= scope.used;
    return needs_pages(r, &scope);
}

/* --- route --- */

static const char *method(const char *route, size_t len)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strlen(methods[i]) == len && memcmp(methods[i], route, len) == 0)
            return methods[i];
    return NULL;
}

static int dots(const char *path)
{
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        size_t n = strcspn(at + 1, "/");
        if ((n == 1 && at[1] == '.') || (n == 2 && at[1] == '.' && at[2] == '.'))
            return 1;
    }
    return 0;
}

static int declare_route(struct th_reading *r)
{
    const char *route = json_string_value(th_said(r, "route"));
    if (!route)
        return th_wrong(r->error, "route is missing: \"GET /invoices/{number}\"");
    size_t n = strcspn(route, " ");
    r->tool->method = method(route, n);
    const char *path = route + n + strspn(route + n, " ");
    if (!r->tool->method)
        return th_wrong(r->error, "route: begins with GET, POST, PUT, PATCH or DELETE");
    if (*path != '/')
        return th_wrong(r->error, "route: the path begins with /");
    if (strpbrk(path, "?#"))
        return th_wrong(r->error, "route: no query or fragment in the path; use query");
    if (dots(path))
        return th_wrong(r->error, "route: no . or .. in the path");
    struct th_scope scope = { .error = r->error,
                              .where = "route",
                              .args = r->args,
                              .allowed = TH_ARG | TH_TENANT | TH_USER,
                              .arguments = r->tool->named };
    r->tool->path = th_template_create_text(path, &scope);
    return r->tool->path ? 0 : COGENT_INVALID;
}

/* --- what goes with it --- */

static int declare_parts(struct th_reading *r)
{
    static const char *const names[] = { "query", "body", "form" };
    struct th_template **const places[] = { &r->tool->query, &r->tool->body, &r->tool->form };
    const unsigned more[] = { TH_TOOL, TH_TOOL | credentials(r), TH_TOOL | credentials(r) };
    json_t *params = json_object_get(r->own, "params");
    int err = 0, own = 0;
    r->tool->call_name = json_string_value(json_object_get(r->own, "call"));
    if (params && r->login && json_object_get(r->service, "query"))
        return th_wrong(r->error, "params: the service has a query: say the login's own query or body");
    if (params)
        err = compile(r, "params", params, anywhere(r) | (r->login ? TH_SECRET : 0), &r->tool->params);
    for (size_t i = 0; i < 3 && !err; i++) {
        json_t *json = th_said(r, names[i]);
        if (!json)
            continue;
        own = 1;
        if (i != 1 && !json_is_object(json))
            return th_wrong(r->error, "%s: a table or a function", names[i]);
        err = compile(r, names[i], json, anywhere(r) | more[i], places[i]);
    }
    if (!err && r->tool->body && r->tool->form)
        err = th_wrong(r->error, "body and form: one of them");
    int get = strcmp(r->tool->method, "GET") == 0;
    if (!err && get && (r->tool->body || r->tool->form))
        err = th_wrong(r->error, "a GET has no body; use query");
    if (!own)
        r->tool->spread = get || strcmp(r->tool->method, "DELETE") == 0 ? 'q' : 'b';
    return err;
}

static int declare_lists(struct th_reading *r)
{
    const char *lists = json_string_value(th_said(r, "lists"));
    if (!lists || strcmp(lists, "repeat") == 0)
        r->tool->lists = TH_LISTS_REPEAT;
    else if (strcmp(lists, "json") == 0)
        r->tool->lists = TH_LISTS_JSON;
    else if (strcmp(lists, "comma") == 0)
        r->tool->lists = TH_LISTS_COMMA;
    else
        return th_wrong(r->error, "lists: \"repeat\", \"json\" or \"comma\"");
    return 0;
}

/* --- headers --- */

int th_header_name(struct th_reading *r, const char *where, const char *name)
{
    static const char *const ours[] = { "Host",       "Content-Length", "Transfer-Encoding",
                                        "Connection", "Upgrade",        "TE",
                                        "Trailer",    "Expect" };
    size_t n = strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (n == 0 || name[n])
        return th_wrong(r->error, "%s: \"%s\" is no name of a header", where, name);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasecmp(ours[i], name) == 0)
            return th_wrong(r->error, "%s: %s is the engine's own", where, name);
    return 0;
}

static int add_header(struct th_reading *r, const char *name, json_t *value)
{
    struct th_header *h = NULL;
    if (th_header_name(r, "headers", name) != 0)
        return COGENT_INVALID;
    if (json_is_array(value) || (json_is_object(value) && !th_reference(value)))
        return th_wrong(r->error, "headers: %s: a text or a function", name);
    for (size_t i = 0; i < r->tool->n_headers; i++)
        if (strcasecmp(r->tool->headers[i].name, name) == 0)
            h = &r->tool->headers[i];
    if (!h)
        h = &r->tool->headers[r->tool->n_headers++];
    th_template_destroy(h->value);
    h->name = name;
    h->value = NULL;
    return compile(r, "headers", value, anywhere(r) | TH_USER | TH_TOOL | credentials(r), &h->value);
}

/* The tool's are added to the service's; the same name replaces. */
static int declare_headers(struct th_reading *r)
{
    json_t *of[] = { json_object_get(r->service, "headers"), json_object_get(r->own, "headers") };
    r->tool->headers =
        calloc(json_object_size(of[0]) + json_object_size(of[1]) + 1, sizeof *r->tool->headers);
    if (!r->tool->headers)
        return COGENT_NO_MEMORY;
    for (size_t i = 0; i < 2; i++) {
        const char *name;
        json_t *value;
        json_object_foreach (of[i], name, value) {
            int err = add_header(r, name, value);
            if (err)
                return err;
        }
    }
    return 0;
}

int th_declare_wire(struct th_reading *r)
{
    int err = declare_route(r);
    err = err ? err : declare_parts(r);
    err = err ? err : declare_lists(r);
    return err ? err : declare_headers(r);
}
