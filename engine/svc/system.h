/* SPDX-License-Identifier: Apache-2.0
 * The statements on tables without a tenant, all in one place: tenant, due. No content of a tenant is in them. */
#ifndef CG_SVC_SYSTEM_H
#define CG_SVC_SYSTEM_H

#include <cogent/host.h>

enum cg_system_statement {
    CG_SYS_TENANT_ADD,
    CG_SYS_TENANT_GET,
    CG_SYS_DUE_PUT,
    CG_SYS_DUE_TAKE,
    CG_SYS_DUE_LEASE,
    CG_SYS_DUE_BACK,
    CG_SYS_DUE_DROP,
    CG_SYS_DUE_LIST,
    CG_SYS_ALIVE,
    CG_SYS_STATEMENTS
};

extern const struct cogent_statement cg_system[CG_SYS_STATEMENTS];

#endif
