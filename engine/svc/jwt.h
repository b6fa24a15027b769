/* SPDX-License-Identifier: Apache-2.0
 * JSON Web Tokens in the compact form (RFC 7515, 7519, 8725): signed with a secret (HS256), or with one of several keys
 * of which the public halves are known (RS256, ES256, EdDSA). Never both: what can check a signature of one kind must
 * not be mistaken for the secret of another. */
#ifndef CG_SVC_JWT_H
#define CG_SVC_JWT_H

#include "engine/base/json.h"
#include "engine/base/signature.h"

enum { CG_JWT_MAX = 16 * 1024, CG_JWT_SECRET_MIN = 32, CG_JWT_KEYS_MAX = 16 };

struct cg_jwt_keys;

/* Exactly one of the two. secret: at least CG_JWT_SECRET_MIN bytes. files: array of paths of PEM files, a key each. */
int cg_jwt_keys_create(const char *secret, const json_t *files, struct cg_jwt_keys **out, struct cg_err *err);
/* From a JSON Web Key Set (RFC 7517). Keys of other kinds and uses, and broken ones, are passed over; no key that verifies,
 * two with one kid, and more than CG_JWT_KEYS_MAX are mistakes. */
int cg_jwt_keys_read_set(const json_t *set, struct cg_jwt_keys **out, struct cg_err *err);
void cg_jwt_keys_destroy(struct cg_jwt_keys *keys);
size_t cg_jwt_keys_count(const struct cg_jwt_keys *keys);
/* "HS256 with a secret", or each key: name, algorithm, thumbprint. For people. */
void cg_jwt_keys_describe(const struct cg_jwt_keys *keys, struct cg_buf *out);

/* The claims of a token whose signature is right; a new reference. COGENT_AUTH otherwise, and COGENT_NOT_FOUND when it is
 * that no key is of the token's kid and algorithm. What a token says of keys (jwk, jku, x5u, x5c) is never looked at; its
 * kid must equal a key's thumbprint, its file's name, or its kid in the set. */
int cg_jwt_open(const struct cg_jwt_keys *keys, struct cogent_str token, json_t **claims, struct cg_err *err);

/* Adds a token of our own to out; key's thumbprint is its kid. */
int cg_jwt_sign_secret(const char *secret, const json_t *claims, struct cg_buf *out);
int cg_jwt_sign_key(const struct cg_sign_key *key, const json_t *claims, struct cg_buf *out);

#endif
