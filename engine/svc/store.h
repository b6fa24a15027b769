/* SPDX-License-Identifier: Apache-2.0
 * Every statement the engine runs for a tenant, as data. $1 is the tenant, tenant_id the first column: bound and
 * checked by the driver. A test runs each of them with two tenants. */
#ifndef CG_SVC_STORE_H
#define CG_SVC_STORE_H

#include <cogent/host.h>

enum cg_store_statement {
    CG_ST_RUN_OPEN,
    CG_ST_RUN_UPDATE,
    CG_ST_RUN_GET,
    CG_ST_RUN_LIST,
    CG_ST_RUN_CLAIM,
    CG_ST_RUN_CANCEL,
    CG_ST_RUN_AWAITS,
    CG_ST_ROW_ADD,
    CG_ST_ROW_LIST,
    CG_ST_APPROVAL_ADD,
    CG_ST_APPROVAL_GET,
    CG_ST_APPROVAL_LIST,
    CG_ST_APPROVAL_DECIDE,
    CG_ST_APPROVAL_STATE,
    CG_ST_APPROVAL_OF_RUN,
    CG_ST_APPROVAL_VOID,
    CG_ST_EFFECT_PLAN,
    CG_ST_EFFECT_STATE,
    CG_ST_EFFECT_LOOKED,
    CG_ST_EFFECT_RESOLVE,
    CG_ST_EFFECT_GET,
    CG_ST_EFFECT_LIST,
    CG_ST_SESSION_PUT,
    CG_ST_SESSION_GET,
    CG_ST_SESSION_LIST,
    CG_ST_SESSION_TITLE,
    CG_ST_SESSION_DROP,
    CG_ST_SESSION_ROWS_DROP,
    CG_ST_SESSION_RUNS_DROP,
    CG_ST_TURN_PUT,
    CG_ST_TURN_LIST,
    CG_ST_TURN_DROP,
    CG_ST_KEY_ADD,
    CG_ST_KEY_GET,
    CG_ST_KEY_EXPIRE,
    CG_ST_FEED_GET,
    CG_ST_FEED_PUT,
    CG_ST_STATEMENTS
};

extern const struct cogent_statement cg_store[CG_ST_STATEMENTS];

#endif
