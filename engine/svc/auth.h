/* SPDX-License-Identifier: Apache-2.0
 * Who asks. A verified token makes a cg_caller: tenant, user, permissions, roles, the credential as it came. */
#ifndef CG_SVC_AUTH_H
#define CG_SVC_AUTH_H

#include "tenants.h"

struct cg_auth_config {
    const char *issuer;                              /* NULL: any */
    const char *audience;                            /* NULL: any */
    const char *secret;                              /* HS256, at least 32 bytes; or keys */
    const json_t *keys;                              /* paths of public keys; NULL: none */
    const char *jwks;                                /* the address of the issuer's key set; or the others */
    const char *tenant, *user, *permissions, *roles; /* JSON pointers into the claims */
};

struct cg_caller {
    unsigned refs;
    const struct cg_tenant *tenant;
    const json_t *fields;     /* the tenant's operator fields; borrowed from the tenants */
    char *user;               /* sub */
    char *name;               /* "" when the token says none */
    char *locale, *time_zone; /* of the token, else of the tenant */
    json_t *permissions;      /* array: what the token grants, and what cg_caller_grant added */
    size_t own;               /* how many of them the token grants; the others stand behind */
    json_t *roles;            /* array */
    char *authorization;      /* "Bearer ..."; secret; NULL for the engine's own work */
    int64_t expires_us;       /* of the token */
    char *issuer;             /* its iss; NULL: none */
    char *audience;           /* its aud as a JSON array; NULL: none */
    json_t *
        handed; /* {"erp": "..."}: the user's own credentials, as the backend handed them over; secret; may be NULL */
};

struct cg_auth;
struct cg_jwt_keys;

int cg_auth_create(const struct cg_auth_config *config, const struct cg_tenants *tenants,
                   struct cg_auth **out, struct cg_err *err);
void cg_auth_destroy(struct cg_auth *auth);

/* The keys of the issuer's set, which take the place of those before; takes them. Until they come no token can be looked
 * at. */
void cg_auth_set_keys(struct cg_auth *auth, struct cg_jwt_keys *keys);

/* The value of an Authorization header. COGENT_AUTH: no, bad or expired token; COGENT_DENIED with "tenant_unknown"
 * in *code: a good token of a tenant that is not served. *code: the error's stable code; "key_unknown" (COGENT_AUTH) and
 * "keys_missing" (COGENT_UNAVAILABLE) may be mended by a new look at the issuer's set. */
int cg_auth_bearer(const struct cg_auth *auth, struct cogent_str header, struct cg_caller **out,
                   const char **code, struct cg_err *err);

/* What tokens are verified with, for people. */
void cg_auth_describe(const struct cg_auth *auth, struct cg_buf *out);

struct cg_caller *cg_caller_ref(struct cg_caller *caller);
void cg_caller_unref(struct cg_caller *caller);
/* Takes the user's own credential at a service: "NAME VALUE", as Cogent-Credential has it. COGENT_INVALID. */
int cg_caller_hand(struct cg_caller *caller, struct cogent_str credential);
/* Whether the token still holds, with the skew that the door allows. */
bool cg_caller_fresh(const struct cg_caller *caller);
bool cg_caller_may(const struct cg_caller *caller, const char *permission);
/* Adds what the tenant's roles.lua gives. */
void cg_caller_grant(struct cg_caller *caller, const json_t *permissions);
/* Whom a record's acl must name one of: ["user:ann", "role:sales"], as JSON text to free. */
char *cg_caller_principals(const struct cg_caller *caller);
/* A caller without a token: what a suspended run is taken up with. takes permissions, roles. */
struct cg_caller *cg_caller_create(const struct cg_tenant *tenant, const json_t *fields, const char *user);

#endif
