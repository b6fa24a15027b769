/* SPDX-License-Identifier: Apache-2.0
 * The service, its tools, and what does not concern the wire: names, rights, effects, promises.
 */
#include "declaration.h"

#include "call.h"
#include "common/json.h"
#include "common/words.h"
#include "errors.h"
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int th_wrong(struct th_error *error, const char *format, ...)
{
    va_list args;
    int n = snprintf(error->text, error->size, "service %s%s%s%s%s: ", error->service ? error->service : "?",
                     error->tool ? ", tool " : "", error->tool ? error->tool : "", error->part ? ", " : "",
                     error->part ? error->part : "");
    if (n < 0 || (size_t)n >= error->size)
        return COGENT_INVALID;
    va_start(args, format);
    vsnprintf(error->text + n, error->size - (size_t)n, format, args);
    va_end(args);
    return COGENT_INVALID;
}

/* --- keys --- */

enum { SERVICE = 1, TOOL = 2, BOTH = 3 };
enum type { STRING, BOOL, NUMBER, OBJECT, LIST, ANY };

static const struct key {
    const char *name;
    int where;
    enum type type;
} keys[] = {
    { "service", SERVICE, STRING }, { "base", SERVICE, STRING }, { "tools", SERVICE, OBJECT },
    { "about", TOOL, STRING },      { "args", TOOL, OBJECT },    { "required", TOOL, LIST },
    { "permission", BOTH, STRING }, { "effect", BOTH, STRING },  { "route", BOTH, STRING },
    { "query", BOTH, ANY },         { "body", BOTH, ANY },       { "form", BOTH, ANY },
    { "headers", BOTH, OBJECT },    { "lists", BOTH, STRING },   { "call", TOOL, STRING },
    { "params", TOOL, ANY },        { "auth", BOTH, ANY },       { "result", BOTH, ANY },
    { "pages", BOTH, OBJECT },      { "errors", BOTH, OBJECT },  { "once", BOTH, ANY },
    { "trusted", TOOL, LIST },      { "trust", BOTH, BOOL },     { "ask", BOTH, STRING },
    { "cite", BOTH, STRING },       { "timeout", BOTH, NUMBER }, { "retry", BOTH, NUMBER },
    { "hidden", BOTH, BOOL },       { "undo", TOOL, STRING },    { "example", TOOL, OBJECT },
    { "issuer", SERVICE, STRING },
};

enum { N_KEYS = sizeof keys / sizeof *keys };

int th_empty(json_t *value)
{
    return json_is_object(value) && json_object_size(value) == 0;
}

static int has_type(json_t *value, enum type type)
{
    switch (type) {
    case STRING:
        return json_is_string(value);
    case BOOL:
        return json_is_boolean(value);
    case NUMBER:
        return json_is_number(value);
    case OBJECT:
        return json_is_object(value) || (json_is_array(value) && json_array_size(value) == 0);
    case LIST:
        return json_is_array(value) || th_empty(value);
    default:
        return 1;
    }
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static int unknown_key(struct th_error *error, const char *name, int where)
{
    const char *names[N_KEYS + 1];
    size_t n = 0;
    for (size_t i = 0; i < N_KEYS; i++)
        if (keys[i].where & where)
            names[n++] = keys[i].name;
    names[n] = NULL;
    const char *near = cp_near(name, names);
    return th_wrong(error, "unknown key \"%s\"%s%s%s", name, near ? "; nearest: \"" : "", near ? near : "",
                    near ? "\"" : "");
}

static int check_keys(struct th_error *error, json_t *object, int where)
{
    static const char *const words[] = { "a text", "true or false", "a number", "a table", "a list", "" };
    const char *name;
    json_t *value;
    json_object_foreach (object, name, value) {
        const struct key *key = find_key(name);
        if (!key)
            return unknown_key(error, name, where);
        if (!(key->where & where))
            return th_wrong(error, "\"%s\" belongs to the %s", name, where == TOOL ? "service" : "tools");
        if (!has_type(value, key->type))
            return th_wrong(error, "%s: must be %s", name, words[key->type]);
    }
    return 0;
}

int th_only(struct th_error *error, const char *where, json_t *object, const char *const *names)
{
    const char *name;
    json_t *unused;
    json_object_foreach (object, name, unused) {
        const char *const *known = names;
        while (*known && strcmp(*known, name) != 0)
            known++;
        if (*known)
            continue;
        const char *near = cp_near(name, names);
        return th_wrong(error, "%s: unknown key \"%s\"%s%s%s", where, name, near ? "; nearest: \"" : "",
                        near ? near : "", near ? "\"" : "");
    }
    return 0;
}

json_t *th_said(const struct th_reading *r, const char *key)
{
    json_t *own = json_object_get(r->own, key);
    const struct key *k = find_key(key);
    return own || !(k->where & SERVICE) ? own : json_object_get(r->service, key);
}

static const char *text(const struct th_reading *r, const char *key)
{
    return json_string_value(th_said(r, key));
}

/* --- one tool --- */

static int name_valid(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return n >= 1 && n <= 64 && name[n] == '\0';
}

static int declare_about(struct th_reading *r)
{
    struct cogent_tool *abi = &r->tool->abi;
    abi->hidden = json_is_true(th_said(r, "hidden"));
    abi->about = text(r, "about");
    abi->permission = text(r, "permission");
    abi->trust = json_is_true(th_said(r, "trust"));
    abi->cite = text(r, "cite");
    abi->undo = text(r, "undo");
    if (!abi->about && !abi->hidden)
        return th_wrong(r->error, "about is missing: it tells the model when to use the tool");
    if (!abi->permission || !*abi->permission)
        return th_wrong(r->error, "permission is missing: without it nobody may use the tool");
    abi->about = abi->about ? abi->about : "Used by the engine itself.";
    return 0;
}

static int check_names(struct th_reading *r, const char *key, json_t *list)
{
    size_t i;
    json_t *name;
    json_array_foreach (list, i, name) {
        if (!json_is_string(name))
            return th_wrong(r->error, "%s: names of arguments", key);
        if (!json_object_get(r->args, json_string_value(name)))
            return th_wrong(r->error, "%s: \"%s\" is no argument", key, json_string_value(name));
    }
    return 0;
}

static int declare_args(struct th_reading *r)
{
    json_t *required = json_object_get(r->own, "required"), *schema;
    const char *name;
    json_object_foreach (r->args, name, schema) {
        if (!json_is_object(schema))
            return th_wrong(r->error, "args: %s: must be a table, a JSON Schema", name);
        if (strchr(name, '.'))
            return th_wrong(r->error, "args: %s: a name of an argument has no dot", name);
    }
    if (check_names(r, "required", required) != 0)
        return COGENT_INVALID;
    struct cp_buf out = { 0 };
    cp_buf_text(&out, "{\"type\":\"object\",\"properties\":");
    cp_json_write(&out, r->args);
    cp_buf_text(&out, ",\"required\":");
    if (json_is_array(required))
        cp_json_write(&out, required);
    else
        cp_buf_text(&out, "[]");
    cp_buf_text(&out, ",\"additionalProperties\":false}");
    r->tool->abi.args = r->tool->args_text = cp_buf_take(&out);
    return r->tool->args_text ? 0 : COGENT_NO_MEMORY;
}

static int declare_effect(struct th_reading *r)
{
    static const char *const names[] = { "read", "write", "external", NULL };
    const char *said = text(r, "effect");
    int get = strcmp(r->tool->method, "GET") == 0;
    if (!said && !get)
        return th_wrong(r->error,
                        "effect is missing: \"read\", \"write\" or \"external\" must be said for %s",
                        r->tool->method);
    int effect = 0;
    while (said && names[effect] && strcmp(names[effect], said) != 0)
        effect++;
    if (!names[effect])
        return th_wrong(r->error, "effect: \"%s\" is none of read, write, external", said);
    r->tool->abi.effect = effect;
    r->tool->writes = effect == COGENT_WRITE || (effect == COGENT_EXTERNAL && !get);
    return 0;
}

static int declare_find(struct th_reading *r, json_t *once)
{
    static const char *const known[] = { "field", "find", NULL };
    const char *field = json_string_value(json_object_get(once, "field"));
    const char *find = json_string_value(json_object_get(once, "find"));
    if (th_only(r->error, "once", once, known) != 0)
        return COGENT_INVALID;
    if (!field || !find)
        return th_wrong(r->error, "once: { field, find } needs both, as texts");
    json_t *other = json_object_get(json_object_get(r->service, "tools"), find);
    if (!other)
        return th_wrong(r->error, "once.find: \"%s\" is no tool of this service", find);
    if (!json_object_get(json_object_get(other, "args"), "key"))
        return th_wrong(r->error, "once.find: \"%s\" takes no argument \"key\"", find);
    if (r->tool->spread == 'b')
        r->tool->key_field = field;
    else if (!(r->used & (TH_EFFECT | TH_FUNCTION)))
        return th_wrong(r->error, "once.field: nothing that is sent holds {effect.key}");
    r->tool->abi.once = COGENT_ONCE_FIND;
    r->tool->abi.find = find;
    return 0;
}

static int declare_once(struct th_reading *r)
{
    static const char *const known[] = { "header", NULL };
    json_t *once = th_said(r, "once");
    if (!r->tool->writes)
        return json_object_get(r->own, "once") ? th_wrong(r->error, "once: only a write promises this") : 0;
    if (!once)
        return th_wrong(r->error,
                        "once is missing: a write must say { header }, { field, find } or \"never\"");
    if (json_is_string(once) && strcmp(json_string_value(once), "never") == 0) {
        r->tool->abi.once = COGENT_ONCE_NEVER;
        return 0;
    }
    if (json_object_get(once, "field") || json_object_get(once, "find"))
        return declare_find(r, once);
    r->tool->once_header = json_string_value(json_object_get(once, "header"));
    if (!r->tool->once_header)
        return th_wrong(r->error, "once: { header }, { field, find } or \"never\"");
    r->tool->abi.once = COGENT_ONCE_HEADER;
    int err = th_only(r->error, "once", once, known);
    return err ? err : th_header_name(r, "once.header", r->tool->once_header);
}

static int declare_trusted(struct th_reading *r)
{
    json_t *trusted = json_object_get(r->own, "trusted"), *name;
    size_t i;
    if (!trusted)
        return 0;
    if (check_names(r, "trusted", trusted) != 0)
        return COGENT_INVALID;
    r->tool->trusted = calloc(json_array_size(trusted) + 1, sizeof *r->tool->trusted);
    if (!r->tool->trusted)
        return COGENT_NO_MEMORY;
    json_array_foreach (trusted, i, name) {
        r->tool->trusted[i] = json_string_value(name);
    }
    r->tool->abi.trusted = r->tool->trusted;
    return 0;
}

static int declare_ask(struct th_reading *r)
{
    const char *ask = text(r, "ask");
    if (!ask)
        return 0;
    struct th_scope scope = { .error = r->error, .where = "ask", .args = r->args, .allowed = TH_ARG };
    struct th_template *t = th_template_create_text(ask, &scope);
    if (!t)
        return COGENT_INVALID;
    th_template_destroy(t);
    r->tool->abi.ask = ask;
    return 0;
}

/* The engine's deadline leaves room for what one request does not cover: more pages, a second attempt. */
int th_declare_time(struct th_reading *r)
{
    json_t *timeout = th_said(r, "timeout"), *retry = th_said(r, "retry");
    double seconds = timeout ? json_number_value(timeout) : 10;
    double times = retry ? json_number_value(retry) : 2;
    if (!(seconds > 0 && seconds <= 600))
        return th_wrong(r->error, "timeout: more than 0 and at most 600 seconds");
    if (!(times >= 0 && times <= 5) || times != (int)times)
        return th_wrong(r->error, "retry: a whole number from 0 to 5");
    r->tool->timeout_ms = (uint32_t)(seconds * 1000);
    r->tool->retry = (unsigned)times;
    unsigned requests = r->tool->pages.size ? 3 : r->tool->once_header ? 2 : 1;
    if (r->tool->auth->kind >= TH_AUTH_LOGIN)
        requests += 2; /* a login, and what was refused once more */
    r->tool->abi.timeout_ms = r->tool->timeout_ms * requests + 1500;
    return 0;
}

static int declare_example(struct th_reading *r)
{
    static const char *const known[] = { "args", "reply", "gives", NULL };
    json_t *example = json_object_get(r->own, "example"), *unused;
    const char *name;
    if (!example)
        return 0;
    if (th_only(r->error, "example", example, known) != 0)
        return COGENT_INVALID;
    if (!json_is_object(json_object_get(example, "args")))
        return th_wrong(r->error, "example: args is missing");
    json_object_foreach (json_object_get(example, "args"), name, unused) {
        if (!json_object_get(r->args, name))
            return th_wrong(r->error, "example.args: \"%s\" is no argument", name);
    }
    r->tool->example = example;
    return 0;
}

/* In this order: later ones look at what earlier ones found. */
static int (*const steps[])(struct th_reading *r) = {
    declare_about, declare_args,    th_declare_auth, th_declare_wire, declare_effect,  th_declare_answer,
    declare_once,  declare_trusted, declare_ask,     th_declare_time, declare_example,
};

void th_tool_destroy(struct th_tool *t)
{
    if (!t)
        return;
    th_template_destroy(t->path);
    th_template_destroy(t->query);
    th_template_destroy(t->body);
    th_template_destroy(t->form);
    th_template_destroy(t->params);
    for (size_t i = 0; i < t->n_headers; i++)
        th_template_destroy(t->headers[i].value);
    for (size_t i = 0; i < t->result.n_keep; i++)
        free(t->result.keep[i].name);
    free(t->headers);
    free(t->result.keep);
    json_decref(t->errors.map);
    json_decref(t->named);
    json_decref(t->secrets);
    free(t->args_text);
    free(t->trusted);
    free(t);
}

struct th_tool *th_tool_create(struct th_service *service, const char *name)
{
    static const struct th_auth nobody = { .kind = TH_AUTH_NONE };
    struct th_tool *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->service = service;
    t->auth = &nobody;
    t->abi.size = sizeof t->abi;
    t->abi.name = name;
    t->abi.call = th_call;
    t->named = json_object();
    t->secrets = json_object();
    return t;
}

static int tool_create(struct th_service *service, const char *name, json_t *own, struct th_error *error)
{
    struct th_tool *t = th_tool_create(service, name);
    if (!t)
        return COGENT_NO_MEMORY;
    service->tools[service->n_tools++] = t;
    json_t *args = json_object_get(own, "args"), *none = json_object();
    struct th_reading r = { .tool = t,
                            .own = own,
                            .service = service->declaration,
                            .args = json_is_object(args) ? args : none,
                            .error = error };
    error->tool = name;
    int err = !name_valid(name)      ? th_wrong(error, "a name has at most 64 letters, digits, _ and -")
              : !json_is_object(own) ? th_wrong(error, "must be a table")
                                     : check_keys(error, own, TOOL);
    for (size_t i = 0; !err && i < sizeof steps / sizeof *steps; i++)
        err = steps[i](&r);
    error->tool = NULL;
    json_decref(none);
    return err;
}

/* --- the service --- */

static int check_base(struct th_service *s, const char *base, struct th_error *error)
{
    struct th_scope scope = { .error = error, .where = "base", .allowed = TH_TENANT };
    if (!base)
        return th_wrong(error, "base is missing: where the service listens");
    if (*base != '{' && strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0)
        return th_wrong(error, "base: begins with http://, https:// or {tenant.NAME}");
    if (strpbrk(base, "?# \t\r\n\\"))
        return th_wrong(error, "base: no query, fragment or space");
    s->base = th_template_create_text(base, &scope);
    return s->base ? 0 : COGENT_INVALID;
}

static int check_issuer(struct th_service *s, const char *issuer, struct th_error *error)
{
    struct th_scope scope = { .error = error, .where = "issuer", .allowed = TH_TENANT };
    if (issuer)
        s->issuer = th_template_create_text(issuer, &scope);
    return issuer && !s->issuer ? COGENT_INVALID : 0;
}

/* A tool that a once.find names must be a read; only now all are known. */
static int check_finds(struct th_service *s, struct th_error *error)
{
    for (size_t i = 0; i < s->n_tools; i++) {
        const struct th_tool *t = s->tools[i];
        for (size_t j = 0; t->abi.find && j < s->n_tools; j++)
            if (strcmp(s->tools[j]->abi.name, t->abi.find) == 0 && s->tools[j]->abi.effect != COGENT_READ) {
                error->tool = t->abi.name;
                return th_wrong(error, "once.find: \"%s\" is not a read", t->abi.find);
            }
    }
    return 0;
}

static int read_service(struct th_service *s, struct th_error *error)
{
    json_t *tools = json_object_get(s->declaration, "tools"), *tool;
    const char *name;
    s->name = error->service = json_string_value(json_object_get(s->declaration, "service"));
    if (!s->name || !name_valid(s->name))
        return th_wrong(error, "service: a name of at most 64 letters, digits, _ and -");
    int err = check_keys(error, s->declaration, SERVICE);
    if (!err)
        err = check_base(s, json_string_value(json_object_get(s->declaration, "base")), error);
    if (!err)
        err = check_issuer(s, json_string_value(json_object_get(s->declaration, "issuer")), error);
    if (!err && !json_object_size(tools))
        err = th_wrong(error, "tools: there is none");
    s->tools = err ? NULL : calloc(json_object_size(tools), sizeof(struct th_tool *));
    s->auths = err ? NULL : calloc(json_object_size(tools), sizeof(struct th_auth *));
    if (!err && (!s->tools || !s->auths))
        err = COGENT_NO_MEMORY;
    if (err)
        return err;
    json_object_foreach (tools, name, tool) {
        err = err ? err : tool_create(s, name, tool, error);
    }
    return err ? err : check_finds(s, error);
}

struct th_service *th_service_create(const struct cogent_host *host, json_t *declaration,
                                     struct th_error *error)
{
    struct th_service *s = calloc(1, sizeof *s);
    if (!s) {
        json_decref(declaration);
        return NULL;
    }
    s->host = host;
    s->declaration = declaration;
    if (read_service(s, error) == 0)
        return s;
    th_service_destroy(s);
    return NULL;
}

void th_service_destroy(struct th_service *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_tools; i++)
        th_tool_destroy(s->tools[i]);
    for (size_t i = 0; i < s->n_auths; i++)
        th_auth_destroy(s->auths[i]);
    th_sessions_destroy(s->sessions);
    free(s->tools);
    free(s->auths);
    th_template_destroy(s->base);
    th_template_destroy(s->issuer);
    json_decref(s->declaration);
    free(s);
}
