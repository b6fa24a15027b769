/* SPDX-License-Identifier: Apache-2.0
 * Idempotency-Key: the same request under the same key is carried out once and answered alike each time. */
#ifndef ERP_ONCE_H
#define ERP_ONCE_H

#include "request.h"

/* True when the reply is already known (or refused); the handler is not to run then. */
bool once_answered(struct request *request, struct reply *reply);

/* Keeps the reply in the transaction of what the handler did. */
void once_keep(struct request *request, const struct reply *reply);

#endif
