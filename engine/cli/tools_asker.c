/* SPDX-License-Identifier: Apache-2.0
 * Somebody who asks, where there is no server: the tenant's fields and secrets of the configuration, and a token that
 * its own secret signs. */
#include "tools.h"

#include "engine/base/clock.h"
#include "engine/svc/jwt.h"

#include <stdlib.h>

enum { TOKEN_SECONDS = 300 };

static struct cg_tools_asker *mine(const struct cogent_asker *asker)
{
    return (struct cg_tools_asker *)(void *)asker;
}

static const char *field(const struct cogent_asker *asker, const char *name)
{
    return cg_json_str(mine(asker)->fields, name, NULL);
}

static const char *secret(const struct cogent_asker *asker, const char *name)
{
    struct cg_tools_asker *a = mine(asker);
    int n = cg_tenants_secret(a->tools->parts.tenants, a->tenant, name, a->secret, sizeof a->secret);
    return n >= 0 ? a->secret : NULL;
}

static const char *handed(const struct cogent_asker *asker, const char *service)
{
    (void)asker;
    (void)service; /* one tool is tried: it is meant for that one */
    return getenv("COGENT_CREDENTIAL");
}

static int find_tenant(struct cg_tools_asker *a, const char *name, struct cg_err *err)
{
    const char *first = NULL;
    json_t *fields = NULL;
    a->all = cg_json_parse(cogent_str(a->tools->config->tenants), err);
    size_t n = json_object_size(a->all);
    void *at = a->all ? json_object_iter(a->all) : NULL;
    if (at)
        first = json_object_iter_key(at);
    if (n == 0)
        return cg_err_set(err, COGENT_INVALID, "the configuration has no tenants: name one with its fields");
    if (!name && n > 1)
        return cg_err_set(err, COGENT_INVALID, "there are %zu tenants: say --tenant NAME (%s, ...)", n,
                          first);
    fields = json_object_get(a->all, name ? name : first);
    if (!fields)
        return cg_err_set(err, COGENT_NOT_FOUND, "the configuration has no tenant \"%s\"; it has \"%s\"%s",
                          name, first, n > 1 ? ", ..." : "");
    a->fields = fields;
    a->tenant = cg_str_dup(cogent_str(name ? name : first));
    a->fields_text = cg_json_text(fields);
    return 0;
}

/* Puts a claim where the configuration's pointer looks for it. */
static int claim(json_t *claims, const char *pointer, json_t *value, struct cg_err *err)
{
    const char *name = pointer && *pointer == '/' ? pointer + 1 : NULL;
    if (!name || !*name || strpbrk(name, "/~")) {
        json_decref(value);
        return cg_err_set(err, COGENT_INVALID,
                          "auth: no token can be made for \"%s\": only plain names of claims",
                          pointer ? pointer : "");
    }
    return json_object_set_new(claims, name, value) ? cg_err_set(err, COGENT_NO_MEMORY, "out of memory") : 0;
}

static int add_names(const struct cg_tools_asker *a, const char *user, const json_t *permissions,
                     json_t *claims, struct cg_err *err)
{
    const struct cg_config_auth *auth = &a->tools->config->auth_options;
    int64_t now = cg_now_us() / 1000000;
    json_object_set_new(claims, "iat", json_integer((json_int_t)now));
    json_object_set_new(claims, "exp", json_integer((json_int_t)(now + TOKEN_SECONDS)));
    if (auth->issuer)
        json_object_set_new(claims, "iss", json_string(auth->issuer));
    if (auth->audience)
        json_object_set_new(claims, "aud", json_string(auth->audience));
    int rc = claim(claims, auth->tenant, json_string(a->tenant), err);
    rc = rc ? rc : claim(claims, auth->user, json_string(user), err);
    return rc ? rc : claim(claims, auth->permissions, json_deep_copy(permissions), err);
}

/* Without a secret there is no token, and a tool that needs one says so. */
static int make_token(struct cg_tools_asker *a, const char *user, const json_t *permissions,
                      struct cg_err *err)
{
    const struct cg_config_auth *auth = &a->tools->config->auth_options;
    cg_auto_buf out = { 0 };
    cg_auto_json claims = json_object();
    if (!auth->secret)
        return 0;
    int rc = add_names(a, user, permissions, claims, err);
    if (rc < 0)
        return rc;
    cg_buf_text(&out, "Bearer ");
    if (cg_jwt_sign_secret(auth->secret, claims, &out) < 0)
        return cg_err_set(err, COGENT_INVALID, "the user's name is not valid UTF-8");
    a->authorization = cg_buf_steal(&out);
    if (auth->audience) {
        cg_auto_json list = json_pack("[s]", auth->audience);
        a->audience = cg_json_text(list);
    }
    return 0;
}

int cg_tools_asker_init(struct cg_tools_asker *a, const struct cg_tools *tools, const char *tenant,
                        const char *user, const json_t *permissions, struct cg_err *err)
{
    *a = (struct cg_tools_asker){ .tools = tools };
    int rc = find_tenant(a, tenant, err);
    rc = rc ? rc : make_token(a, user, permissions, err);
    a->asker = (struct cogent_asker){ .size = sizeof a->asker,
                                      .tenant = a->tenant,
                                      .user = user,
                                      .name = "",
                                      .locale = cg_json_str(a->fields, "locale", "en"),
                                      .language = "en",
                                      .time_zone = cg_json_str(a->fields, "time_zone", "UTC"),
                                      .authorization = a->authorization,
                                      .tenant_field = field,
                                      .secret = secret,
                                      .tenant_fields = a->fields_text,
                                      .issuer = tools->config->auth_options.issuer,
                                      .audience = a->audience,
                                      .handed = handed };
    return rc;
}

void cg_tools_asker_finish(struct cg_tools_asker *a)
{
    if (a->authorization)
        explicit_bzero(a->authorization, strlen(a->authorization));
    explicit_bzero(a->secret, sizeof a->secret);
    free(a->authorization);
    free(a->audience);
    free(a->tenant);
    free(a->fields_text);
    json_decref(a->all);
}
