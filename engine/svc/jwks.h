/* SPDX-License-Identifier: Apache-2.0
 * The issuer's keys by their address (RFC 7517). A worker reads the set when it starts, every ten minutes, and when a token
 * names a key that is not in it, but for that at most once a minute: whoever makes tokens up must not make us knock at the
 * issuer's door. What the set does not list any more is not believed any more; while it cannot be read, the last one holds.
 *
 * On the loop's thread. */
#ifndef CG_SVC_JWKS_H
#define CG_SVC_JWKS_H

#include "auth.h"

#include "engine/io/http_client.h"

struct cg_jwks;

/* Begins to read at once. The keys go to auth, which must outlive it. */
struct cg_jwks *cg_jwks_create(struct cg_loop *loop, struct cg_http_client *http, const char *url,
                               struct cg_auth *auth);
void cg_jwks_destroy(struct cg_jwks *jwks);

/* Asks for a new look because of a key that is not there. looked(arg) comes once when the look at hand, or the one begun
 * now, is over, whatever it brought; not when the wait above ends first. false: it is too early for another look. */
bool cg_jwks_look(struct cg_jwks *jwks, struct cogent_op parent, void (*looked)(void *arg), void *arg);

/* The same for whoever does not wait: the next one may find the key. */
void cg_jwks_hint(struct cg_jwks *jwks);

/* One look: asks for the set, and reads what came. keys is of the caller. */
struct cogent_op cg_jwks_send(struct cg_http_client *http, struct cogent_op parent, const char *url,
                              const struct cogent_http_events *events, void *arg);
int cg_jwks_read(const struct cogent_http_result *result, struct cg_jwt_keys **keys, struct cg_err *err);

/* NULL, or what is wrong with an address: https, or http on this machine; no name and password, which would be shown. */
const char *cg_jwks_url_wrong(const char *url);

#endif
