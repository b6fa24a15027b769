/* SPDX-License-Identifier: Apache-2.0
 * Roles give permissions; what a permission grants is svc/rbac's to say. */
#ifndef CG_POLICY_ROLES_H
#define CG_POLICY_ROLES_H

#include "engine/base/json.h"

/* Whether roles.lua is what it should be: names to lists of texts. */
int cg_roles_check(const json_t *roles, struct cg_err *err);
/* Permissions of `mine` by `roles`, each once, in order. */
json_t *cg_roles_of(const json_t *roles, const json_t *mine);

#endif
