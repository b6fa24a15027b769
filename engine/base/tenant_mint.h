/* SPDX-License-Identifier: Apache-2.0
 * Making tenant handles. Whoever includes this proves first whose data may be touched: lint holds the list of the
 * few files that may (svc/auth.c after a verified token, svc/due.c after an opened ticket, tests). */
#ifndef CG_BASE_TENANT_MINT_H
#define CG_BASE_TENANT_MINT_H

#include "tenant.h"

/* A new reference, NULL without memory or when the id is no uuid. */
const struct cg_tenant *cg_tenant_mint(const char *uuid, const char *name);

#endif
