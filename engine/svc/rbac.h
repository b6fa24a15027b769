/* SPDX-License-Identifier: Apache-2.0
 * Permissions. "finance.read"; "finance.*" and "*" grant what they match; an entry with "-" takes away, and wins.
 * No grant is no right. */
#ifndef CG_SVC_RBAC_H
#define CG_SVC_RBAC_H

#include "engine/base/json.h"

/* granted: JSON array of strings. */
bool cg_rbac_allows(const json_t *granted, const char *permission);

#endif
