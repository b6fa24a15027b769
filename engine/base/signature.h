/* SPDX-License-Identifier: Apache-2.0
 * Keys that sign and keys that verify: RS256, ES256 and EdDSA as JSON Web Signatures use them (RFC 7518, 8037). What a
 * key is for is said by the key: RSA of 2048 bits or more signs RS256, a point of P-256 ES256, Ed25519 EdDSA. */
#ifndef CG_BASE_SIGNATURE_H
#define CG_BASE_SIGNATURE_H

#include "json.h"

enum { CG_THUMBPRINT_SIZE = 44 }; /* base64url of a SHA-256, and its end */

struct cg_verify_key;
struct cg_sign_key;

/* One public key or certificate in PEM; of a certificate the key alone counts. where: what errors begin with. */
int cg_verify_key_read(struct cogent_str pem, const char *where, struct cg_verify_key **out,
                       struct cg_err *err);
/* The same from a JSON Web Key (RFC 7517): kty RSA, EC with crv P-256, OKP with crv Ed25519. COGENT_DENIED: it is a key of
 * another kind or for another use, which nothing is wrong with. */
int cg_verify_key_read_jwk(const json_t *jwk, const char *where, struct cg_verify_key **out,
                           struct cg_err *err);
void cg_verify_key_destroy(struct cg_verify_key *key);
const char *cg_verify_key_alg(const struct cg_verify_key *key); /* "RS256", "ES256", "EdDSA" */
/* RFC 7638, base64url. */
const char *cg_verify_key_thumbprint(const struct cg_verify_key *key);
/* signature: as it stands in a token; of ES256 the 64 bytes r and s. */
bool cg_verify(const struct cg_verify_key *key, struct cogent_str data, struct cogent_str signature);

/* One private key in PEM without a pass phrase. */
int cg_sign_key_read(struct cogent_str pem, const char *where, struct cg_sign_key **out, struct cg_err *err);
void cg_sign_key_destroy(struct cg_sign_key *key);
const char *cg_sign_key_alg(const struct cg_sign_key *key);
const char *cg_sign_key_thumbprint(const struct cg_sign_key *key);
/* Adds the signature's bytes to out. */
int cg_sign(const struct cg_sign_key *key, struct cogent_str data, struct cg_buf *out);

#endif
