/* SPDX-License-Identifier: Apache-2.0
 * Who is asking: a bearer token (JWT, HS256) and the permissions that it carries. */
#ifndef ERP_AUTH_H
#define ERP_AUTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct caller {
    json_t *claims;
    const char *subject;   /* of the claims */
    const char *tenant_id; /* of the claims */
};

/* Reads an Authorization header; NULL, or what is wrong with it. */
const char *caller_init(struct caller *caller, const char *header, const char *secret, size_t secret_length);
void caller_finish(struct caller *caller);

/* "finance.read" is granted by itself, "finance.*", "*.read" and "*"; an entry with a leading "-" takes it away. */
bool caller_may(const struct caller *caller, const char *permission);

#endif
