/* SPDX-License-Identifier: Apache-2.0
 * The tenants this engine knows: their name in tokens, their uuid inside, the operator's fields, their secrets.
 * From the configuration; the uuid of a name is kept in the system table `tenant`. */
#ifndef CG_SVC_TENANTS_H
#define CG_SVC_TENANTS_H

#include "engine/base/json.h"
#include "engine/io/db.h"

struct cg_tenants;

struct cg_tenant_info {
    const char *name;
    const char *uuid;
    const json_t *fields; /* erp_url, web_url, locale, currency, time_zone, ... */
};

/* config: {"<name>": {fields}}. secrets: folder, or NULL. Names need their uuid before they can be used: see
 * cg_tenants_sync. */
int cg_tenants_create(const json_t *config, const char *secrets, struct cg_tenants **out, struct cg_err *err);
void cg_tenants_destroy(struct cg_tenants *tenants);

/* Gives every name its uuid, from the database or new; ready(arg, err) when done. */
void cg_tenants_sync(struct cg_tenants *tenants, struct cg_db *db, struct cogent_op parent,
                     void (*ready)(void *arg, int err), void *arg);

/* NULL when unknown or not yet synced. Borrowed. */
const struct cg_tenant_info *cg_tenants_find(const struct cg_tenants *tenants, const char *name);
size_t cg_tenants_count(const struct cg_tenants *tenants);
const struct cg_tenant_info *cg_tenants_get(const struct cg_tenants *tenants, size_t i);

/* {secret.NAME}: the file NAME in <secrets>/<tenant>/, else in <secrets>/. Read anew each time, so rotation is live.
 * Returns its length without the last newline, COGENT_NOT_FOUND, COGENT_LIMIT when it does not
 * fit, or COGENT_DENIED when others may read it. */
int cg_tenants_secret(const struct cg_tenants *tenants, const char *tenant, const char *name, char *buf,
                      size_t size);
/* What is wrong with one that could not be read, and which file it is. */
void cg_tenants_secret_wrong(const struct cg_tenants *tenants, const char *tenant, const char *name, int err,
                             struct cg_buf *out);

#endif
