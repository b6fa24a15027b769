/* SPDX-License-Identifier: Apache-2.0
 * The table of routes, and the way from a request to its handler. */
#ifndef ERP_ROUTES_H
#define ERP_ROUTES_H

#include "request.h"

/* Answers a request; its effects are committed, or undone when it fails or `lose` is set. */
void routes_answer(struct site *site, struct request *request, struct reply *reply, bool lose);

#endif
