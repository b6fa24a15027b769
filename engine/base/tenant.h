/* SPDX-License-Identifier: Apache-2.0
 * The tenant handle. No statement runs without one, and only what a request or a ticket proves makes one
 * (tenant_mint.h). */
#ifndef CG_BASE_TENANT_H
#define CG_BASE_TENANT_H

#include "id.h"

enum { CG_TENANT_NAME_SIZE = 65 };

struct cg_tenant; /* immutable; counted */

const char *cg_tenant_id(const struct cg_tenant *tenant);   /* the uuid inside: what is in the database */
const char *cg_tenant_name(const struct cg_tenant *tenant); /* as in tokens and configuration */

const struct cg_tenant *cg_tenant_ref(const struct cg_tenant *tenant);
void cg_tenant_unref(const struct cg_tenant *tenant);

#endif
