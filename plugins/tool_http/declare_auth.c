/* SPDX-License-Identifier: Apache-2.0
 * Whose rights a call has: auth. What a file says once is read once, however many tools inherit it.
 */
#include "declaration.h"

#include <stdlib.h>

enum { VALUE = TH_TENANT | TH_SECRET | TH_FUNCTION };

static struct th_template *read_value(struct th_reading *r, struct th_auth *auth, const char *where,
                                      json_t *json, unsigned allowed)
{
    struct th_scope scope = {
        .error = r->error, .where = where, .allowed = allowed, .secrets = auth->secrets
    };
    return th_template_create(json, &scope);
}

/* header and value, which go together. */
static int declare_header(struct th_reading *r, struct th_auth *auth, json_t *said, unsigned allowed)
{
    json_t *value = json_object_get(said, "value");
    const char *name = json_string_value(json_object_get(said, "header"));
    if (!name || !value)
        return th_wrong(r->error, "auth: { header, value } needs both");
    if (!json_is_string(value) && !th_reference(value))
        return th_wrong(r->error, "auth.value: a text with {secret.NAME}, or a function");
    if (th_header_name(r, "auth.header", name) != 0)
        return COGENT_INVALID;
    auth->header.name = name;
    auth->header.value = read_value(r, auth, "auth.value", value, allowed);
    return auth->header.value ? 0 : COGENT_INVALID;
}

static int said_header(json_t *said)
{
    return json_object_get(said, "header") || json_object_get(said, "value");
}

/* --- the forms of a table --- */

static int declare_account(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    static const char *const known[] = { "header", "value", "login", "oauth2", "handed", NULL };
    auth->kind = TH_AUTH_ACCOUNT;
    int err = th_only(r->error, "auth", said, known);
    return err ? err : declare_header(r, auth, said, VALUE);
}

static int declare_handed(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    static const char *const known[] = { "handed", "header", "value", NULL };
    auth->kind = TH_AUTH_HANDED;
    int err = th_only(r->error, "auth", said, known);
    if (!err && !json_is_true(json_object_get(said, "handed")))
        err = th_wrong(r->error, "auth.handed: true, beside header and value");
    return err ? err : declare_header(r, auth, said, VALUE | TH_CREDENTIAL);
}

/* A request like a tool's, for nobody in particular. */
static int read_login(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    static const char *const known[] = { "route", "query",  "body",   "form",   "headers", "lists",
                                         "call",  "params", "result", "errors", "timeout", NULL };
    json_t *none = json_object();
    struct th_reading login = {
        .tool = auth->login, .own = said, .service = r->service, .args = none, .error = r->error, .login = 1
    };
    int err = th_only(r->error, "a request", said, known);
    err = err ? err : th_declare_wire(&login);
    err = err ? err : th_declare_answer(&login);
    err = err ? err : th_declare_time(&login);
    json_decref(none);
    return err;
}

static int declare_login(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    static const char *const known[] = { "login", "header", "value", NULL };
    json_t *login = json_object_get(said, "login");
    auth->kind = TH_AUTH_LOGIN;
    if (th_only(r->error, "auth", said, known) != 0)
        return COGENT_INVALID;
    if (!json_is_object(login))
        return th_wrong(r->error, "auth.login: a table: { call, params } or { route, body }");
    auth->login = th_tool_create(r->tool->service, "login");
    if (!auth->login)
        return COGENT_NO_MEMORY;
    r->error->part = "auth.login";
    int err = read_login(r, auth, login);
    r->error->part = NULL;
    if (!err && json_object_update(auth->secrets, auth->login->secrets) != 0)
        err = COGENT_NO_MEMORY;
    /* Without a header the session goes where {login.NAME} stands. */
    return err || !said_header(said) ? err : declare_header(r, auth, said, VALUE | TH_LOGIN);
}

static int declare_text(struct th_reading *r, struct th_auth *auth, json_t *said, const char *key,
                        unsigned allowed, struct th_template **out)
{
    json_t *value = json_object_get(said, key);
    char where[32] = "auth.";
    if (!value)
        return 0;
    if (!json_is_string(value))
        return th_wrong(r->error, "auth.%s: a text", key);
    strncat(where, key, sizeof where - strlen(where) - 1);
    *out = read_value(r, auth, where, value, allowed);
    return *out ? 0 : COGENT_INVALID;
}

static int bearer(struct th_reading *r, struct th_auth *auth)
{
    struct th_scope scope = { .error = r->error, .where = "auth", .allowed = TH_LOGIN };
    auth->header.name = "Authorization";
    auth->header.value = th_template_create_text("Bearer {login.access_token}", &scope);
    return auth->header.value ? 0 : COGENT_NO_MEMORY;
}

static int declare_as(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    const char *as = json_string_value(json_object_get(said, "as"));
    auth->as_user = as && strcmp(as, "user") == 0;
    if (!as || (!auth->as_user && strcmp(as, "service") != 0))
        return th_wrong(r->error, "auth.as: \"service\" (its own rights) or \"user\" (the asking user's)");
    return 0;
}

static int declare_oauth2(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    static const char *const known[] = { "oauth2", "id",     "secret", "scope", "audience",
                                         "as",     "header", "value",  NULL };
    const char *url = json_string_value(json_object_get(said, "oauth2"));
    auth->kind = TH_AUTH_OAUTH2;
    int err = th_only(r->error, "auth", said, known);
    if (!err &&
        (!url || (*url != '{' && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)))
        err = th_wrong(r->error, "auth.oauth2: the address of the token server's token endpoint");
    if (!err && (!json_object_get(said, "id") || !json_object_get(said, "secret")))
        err = th_wrong(r->error, "auth: { oauth2, id, secret } needs all three");
    err = err ? err : declare_text(r, auth, said, "oauth2", TH_TENANT, &auth->url);
    err = err ? err : declare_text(r, auth, said, "id", TH_TENANT | TH_SECRET, &auth->id);
    err = err ? err : declare_text(r, auth, said, "secret", TH_TENANT | TH_SECRET, &auth->secret);
    err = err ? err : declare_text(r, auth, said, "scope", TH_TENANT, &auth->scope);
    err = err ? err : declare_text(r, auth, said, "audience", TH_TENANT, &auth->audience);
    err = err ? err : declare_as(r, auth, said);
    if (err)
        return err;
    return said_header(said) ? declare_header(r, auth, said, VALUE | TH_LOGIN) : bearer(r, auth);
}

static const struct form {
    const char *key;
    int (*declare)(struct th_reading *r, struct th_auth *auth, json_t *said);
} forms[] = {
    { "login", declare_login },
    { "oauth2", declare_oauth2 },
    { "handed", declare_handed },
    { "", declare_account },
};

static int declare_table(struct th_reading *r, struct th_auth *auth, json_t *said)
{
    const struct form *form = forms;
    while (*form->key && !json_object_get(said, form->key))
        form++;
    return form->declare(r, auth, said);
}

/* --- one auth --- */

static const struct word {
    const char *name;
    enum th_auth_kind kind;
} words[] = { { "caller", TH_AUTH_CALLER }, { "handed", TH_AUTH_HANDED }, { "none", TH_AUTH_NONE } };

static int declare_word(struct th_reading *r, struct th_auth *auth, const char *said)
{
    for (size_t i = 0; said && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, said) == 0) {
            auth->kind = words[i].kind;
            return 0;
        }
    return th_wrong(r->error,
                    "auth: \"caller\", \"handed\", \"none\" (an open service), or a table: { header, "
                    "value }, { login, header, value }, { oauth2, id, secret, as }");
}

/* "caller", "handed" and "user" act as the user; with "service" the service cannot tell users apart. */
static const char *as_word(const struct th_auth *auth)
{
    return auth->kind == TH_AUTH_CALLER   ? "caller"
           : auth->kind == TH_AUTH_HANDED ? "handed"
           : auth->as_user                ? "user"
                                          : "service";
}

int th_declare_auth(struct th_reading *r)
{
    struct th_service *s = r->tool->service;
    json_t *said = th_said(r, "auth");
    struct th_auth *auth = NULL;
    int err = 0;
    if (!said)
        return th_wrong(r->error,
                        "auth is missing: \"caller\", \"handed\", { header, value } ..., or \"none\" "
                        "for an open service");
    for (size_t i = 0; i < s->n_auths; i++)
        auth = json_equal(s->auths[i]->said, said) ? s->auths[i] : auth;
    if (!auth) {
        auth = calloc(1, sizeof *auth);
        if (!auth || !(auth->secrets = json_object())) {
            free(auth);
            return COGENT_NO_MEMORY;
        }
        auth->said = said;
        s->auths[s->n_auths++] = auth;
        err = json_is_object(said) ? declare_table(r, auth, said)
                                   : declare_word(r, auth, json_string_value(said));
    }
    r->tool->auth = auth;
    r->tool->abi.as = as_word(auth);
    return err;
}

void th_auth_destroy(struct th_auth *auth)
{
    if (!auth)
        return;
    th_template_destroy(auth->header.value);
    th_tool_destroy(auth->login);
    th_template_destroy(auth->url);
    th_template_destroy(auth->id);
    th_template_destroy(auth->secret);
    th_template_destroy(auth->scope);
    th_template_destroy(auth->audience);
    json_decref(auth->secrets);
    free(auth);
}
