/* SPDX-License-Identifier: Apache-2.0
 * From the claims of a verified token to a caller. */
#include "auth.h"

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/tenant_mint.h"
#include "jwks.h"
#include "jwt.h"
#include "rbac.h"

#include <stdlib.h>
#include <strings.h>

enum { CREDENTIAL_MAX = 8 * 1024, SKEW_US = 60 * 1000000 };

struct cg_auth {
    struct cg_auth_config config;
    const struct cg_tenants *tenants;
    struct cg_jwt_keys *keys;
};

int cg_auth_create(const struct cg_auth_config *config, const struct cg_tenants *tenants,
                   struct cg_auth **out, struct cg_err *err)
{
    *out = NULL;
    struct cg_auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    auth->config = *config;
    auth->tenants = tenants;
    int rc = 0;
    if (config->jwks && (config->secret || config->keys))
        rc = cg_err_set(err, COGENT_INVALID,
                        "auth: jwks stands beside secret or keys; tokens are of one kind: take one away");
    else if (config->jwks && cg_jwks_url_wrong(config->jwks))
        rc = cg_err_set(err, COGENT_INVALID, "auth: jwks: %s", cg_jwks_url_wrong(config->jwks));
    else if (config->jwks && (!config->issuer || !config->audience))
        rc = cg_err_set(err, COGENT_INVALID,
                        "auth: jwks wants issuer and audience: an issuer's keys sign tokens for others too");
    else if (!config->jwks)
        rc = cg_jwt_keys_create(config->secret, config->keys, &auth->keys, err);
    if (rc < 0)
        cg_auth_destroy(auth);
    else
        *out = auth;
    return rc;
}

void cg_auth_destroy(struct cg_auth *auth)
{
    if (!auth)
        return;
    cg_jwt_keys_destroy(auth->keys);
    free(auth);
}

void cg_auth_set_keys(struct cg_auth *auth, struct cg_jwt_keys *keys)
{
    cg_jwt_keys_destroy(auth->keys);
    auth->keys = keys;
}

void cg_auth_describe(const struct cg_auth *auth, struct cg_buf *out)
{
    if (auth->config.jwks)
        cg_buf_printf(out, "the keys at %s", auth->config.jwks);
    else
        cg_jwt_keys_describe(auth->keys, out);
}

static bool audience_ok(const json_t *aud, const char *want)
{
    size_t i;
    json_t *entry;
    if (!want || (json_is_string(aud) && strcmp(json_string_value(aud), want) == 0))
        return true;
    json_array_foreach (aud, i, entry) {
        if (json_is_string(entry) && strcmp(json_string_value(entry), want) == 0)
            return true;
    }
    return false;
}

/* A time claim in microseconds; false when it is there and no sensible number. */
static bool time_claim(const json_t *claims, const char *key, int64_t *out)
{
    const json_t *v = json_object_get(claims, key);
    if (!v)
        return true;
    double seconds = json_is_number(v) ? json_number_value(v) : -1;
    if (seconds < 0 || seconds > 253402300799.0)
        return false;
    *out = (int64_t)(seconds * 1e6);
    return true;
}

static const char *claims_wrong(const struct cg_auth *auth, const json_t *claims, int64_t *expires)
{
    int64_t now = cg_now_us(), nbf = 0, iat = 0;
    *expires = -1;
    if (!time_claim(claims, "exp", expires) || !time_claim(claims, "nbf", &nbf) ||
        !time_claim(claims, "iat", &iat) || *expires < 0)
        return "the token's exp is missing, or a time in it is not a number";
    if (*expires + SKEW_US < now)
        return "the token has expired";
    if (nbf > now + SKEW_US || iat > now + SKEW_US)
        return "the token is not valid yet";
    if (auth->config.issuer && strcmp(cg_json_str(claims, "iss", ""), auth->config.issuer) != 0)
        return "the token's issuer is another";
    if (!audience_ok(json_object_get(claims, "aud"), auth->config.audience))
        return "the token is for another audience";
    return NULL;
}

/* An array of strings from an array, or from a text of words. */
static json_t *word_list(const json_t *value)
{
    json_t *list = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach (value, i, entry) {
        if (json_is_string(entry))
            json_array_append(list, entry);
    }
    const char *at = json_is_string(value) ? json_string_value(value) : "";
    while (*at) {
        size_t n = strcspn(at, " ");
        if (n)
            json_array_append_new(list, json_stringn(at, n));
        at += n + (at[n] == ' ');
    }
    return list;
}

struct cg_caller *cg_caller_create(const struct cg_tenant *tenant, const json_t *fields, const char *user)
{
    struct cg_caller *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->refs = 1;
    c->tenant = cg_tenant_ref(tenant);
    c->fields = fields;
    c->user = cg_str_dup(cogent_str(user));
    c->name = cg_str_dup(cogent_str(""));
    c->locale = cg_str_dup(cogent_str(cg_json_str(fields, "locale", "en")));
    c->time_zone = cg_str_dup(cogent_str(cg_json_str(fields, "time_zone", "UTC")));
    c->permissions = json_array();
    c->roles = json_array();
    if (c->user && c->name && c->locale && c->time_zone && c->permissions && c->roles)
        return c;
    cg_caller_unref(c);
    return NULL;
}

static void take_text(char **at, const json_t *claims, const char *key)
{
    const char *text = cg_json_str(claims, key, NULL);
    char *copy = text && strlen(text) <= 128 ? cg_str_dup(cogent_str(text)) : NULL;
    if (!copy)
        return;
    free(*at);
    *at = copy;
}

/* `aud` is one text or a list of them (RFC 7519). */
static char *audience_of(const json_t *aud)
{
    cg_auto_json list = json_is_string(aud) ? json_pack("[O]", (json_t *)aud) : json_array();
    size_t i;
    json_t *entry;
    json_array_foreach (aud, i, entry) {
        if (json_is_string(entry))
            json_array_append(list, entry);
    }
    return json_array_size(list) ? cg_json_text(list) : NULL;
}

static struct cg_caller *caller_of(const struct cg_auth *auth, const json_t *claims,
                                   const struct cg_tenant_info *info, const char *user,
                                   struct cogent_str header)
{
    const struct cg_tenant *tenant = cg_tenant_mint(info->uuid, info->name);
    struct cg_caller *c = tenant ? cg_caller_create(tenant, info->fields, user) : NULL;
    cg_tenant_unref(tenant);
    if (!c)
        return NULL;
    const json_t *permissions = cg_json_at(claims, auth->config.permissions);
    if (!permissions)
        permissions = json_object_get(claims, "scope") ? json_object_get(claims, "scope")
                                                       : json_object_get(claims, "scp");
    json_decref(c->permissions);
    json_decref(c->roles);
    c->permissions = word_list(permissions);
    c->roles = word_list(cg_json_at(claims, auth->config.roles));
    take_text(&c->name, claims, "name");
    take_text(&c->locale, claims, "locale");
    take_text(&c->time_zone, claims, "zoneinfo");
    const char *issuer = cg_json_str(claims, "iss", NULL);
    c->authorization = cg_str_dup(header);
    c->issuer = issuer ? cg_str_dup(cogent_str(issuer)) : NULL;
    c->audience = audience_of(json_object_get(claims, "aud"));
    return c;
}

int cg_auth_bearer(const struct cg_auth *auth, struct cogent_str header, struct cg_caller **out,
                   const char **code, struct cg_err *err)
{
    *out = NULL;
    *code = "token_invalid";
    if (!header.ptr) {
        *code = "token_missing";
        return cg_err_set(err, COGENT_AUTH,
                          "The request has no token. Send it as \"Authorization: Bearer TOKEN\".");
    }
    if (header.len < 8 || header.len > CG_JWT_MAX || strncasecmp(header.ptr, "Bearer ", 7) != 0)
        return cg_err_set(err, COGENT_AUTH, "The token is not a JSON Web Token behind \"Bearer \".");
    cg_auto_json claims = NULL;
    if (!auth->keys) {
        *code = "keys_missing";
        return cg_err_set(
            err, COGENT_UNAVAILABLE,
            "The issuer's keys are not known yet: its key set could not be read. Try again soon.");
    }
    int rc = cg_jwt_open(auth->keys, (struct cogent_str){ header.ptr + 7, header.len - 7 }, &claims, err);
    if (rc == COGENT_NOT_FOUND) {
        *code = auth->config.jwks ? "key_unknown" : "token_invalid";
        return err->code = COGENT_AUTH;
    }
    if (rc < 0)
        return rc;
    int64_t expires = 0;
    const char *wrong = claims_wrong(auth, claims, &expires);
    const json_t *tenant = cg_json_at(claims, auth->config.tenant);
    const json_t *user = cg_json_at(claims, auth->config.user);
    if (!wrong && (!json_is_string(user) || !*json_string_value(user) || json_string_length(user) > 128))
        wrong = "the token names no user (sub, at most 128 bytes)";
    if (!wrong && (!json_is_string(tenant) || !*json_string_value(tenant)))
        wrong = "the token names no tenant (tenant_id)";
    if (wrong) {
        *code = strstr(wrong, "expired") ? "token_expired" : "token_invalid";
        return cg_err_set(err, COGENT_AUTH, "The token was refused: %s.", wrong);
    }
    const struct cg_tenant_info *info = cg_tenants_find(auth->tenants, json_string_value(tenant));
    if (!info) {
        *code = "tenant_unknown";
        return cg_err_set(err, COGENT_DENIED, "The token's tenant is not served here.");
    }
    *out = caller_of(auth, claims, info, json_string_value(user), header);
    if (!*out)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    (*out)->expires_us = expires;
    return 0;
}

struct cg_caller *cg_caller_ref(struct cg_caller *caller)
{
    caller->refs++;
    return caller;
}

void cg_caller_unref(struct cg_caller *c)
{
    if (!c || --c->refs)
        return;
    cg_tenant_unref(c->tenant);
    free(c->user);
    free(c->name);
    free(c->locale);
    free(c->time_zone);
    json_decref(c->permissions);
    json_decref(c->roles);
    if (c->authorization)
        cg_wipe(c->authorization, strlen(c->authorization));
    free(c->authorization);
    free(c->issuer);
    free(c->audience);
    json_decref(c->handed);
    free(c);
}

int cg_caller_hand(struct cg_caller *caller, struct cogent_str credential)
{
    const char *blank = memchr(credential.ptr, ' ', credential.len);
    size_t n = blank ? (size_t)(blank - credential.ptr) : 0;
    if (n == 0 || n > 64 || n + 1 >= credential.len || credential.len > CREDENTIAL_MAX)
        return COGENT_INVALID;
    if (!caller->handed)
        caller->handed = json_object();
    json_t *value = cg_json_strn((struct cogent_str){ blank + 1, credential.len - n - 1 });
    char name[65];
    cg_str_copy(name, sizeof name, (struct cogent_str){ credential.ptr, n });
    return value && json_object_set_new(caller->handed, name, value) == 0 ? 0 : COGENT_INVALID;
}

bool cg_caller_fresh(const struct cg_caller *caller)
{
    return caller->authorization && cg_now_us() <= caller->expires_us + SKEW_US;
}

bool cg_caller_may(const struct cg_caller *caller, const char *permission)
{
    return cg_rbac_allows(caller->permissions, permission);
}

void cg_caller_grant(struct cg_caller *caller, const json_t *permissions)
{
    caller->own = json_array_size(caller->permissions);
    json_array_extend(caller->permissions, (json_t *)permissions);
}

char *cg_caller_principals(const struct cg_caller *caller)
{
    size_t i;
    json_t *role;
    cg_auto_json list = json_array();
    json_array_append_new(list, json_sprintf("user:%s", caller->user));
    json_array_foreach (caller->roles, i, role)
        json_array_append_new(list, json_sprintf("role:%s", json_string_value(role)));
    return cg_json_text(list);
}
