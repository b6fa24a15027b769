/* SPDX-License-Identifier: Apache-2.0 */
#include "tenant.h"

#include "buf.h"
#include "tenant_mint.h"

#include <stdlib.h>

struct cg_tenant {
    char id[CG_UUID_SIZE];
    char name[CG_TENANT_NAME_SIZE];
    unsigned refs;
};

const struct cg_tenant *cg_tenant_mint(const char *uuid, const char *name)
{
    if (strlen(uuid) != CG_UUID_SIZE - 1 || strlen(name) >= CG_TENANT_NAME_SIZE)
        return NULL;
    struct cg_tenant *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    cg_str_copy(t->id, sizeof t->id, cogent_str(uuid));
    cg_str_copy(t->name, sizeof t->name, cogent_str(name));
    t->refs = 1;
    return t;
}

const char *cg_tenant_id(const struct cg_tenant *tenant)
{
    return tenant->id;
}

const char *cg_tenant_name(const struct cg_tenant *tenant)
{
    return tenant->name;
}

const struct cg_tenant *cg_tenant_ref(const struct cg_tenant *tenant)
{
    ((struct cg_tenant *)tenant)->refs++;
    return tenant;
}

void cg_tenant_unref(const struct cg_tenant *tenant)
{
    struct cg_tenant *t = (struct cg_tenant *)tenant;
    if (t && --t->refs == 0)
        free(t);
}
