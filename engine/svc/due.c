/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/tenant_mint.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cogent_op nobody = { 0, 0 };

static void run_lazy(const struct cg_due *due, enum cg_system_statement st, const struct cogent_value *values,
                     size_t n)
{
    const struct cg_db_step step = { &cg_system[st], values, n };
    cg_db_run_system(due->db, nobody, CG_DB_COMMIT, &step, 1, NULL, NULL);
}

static void make_id(const char *kind, const char *uuid, const char *ref, char out[CG_DUE_ID_SIZE])
{
    snprintf(out, CG_DUE_ID_SIZE, "%s:%s:%s", kind, uuid, ref);
}

/* "UUID NAME-LENGTH:NAME REF MAC" */
static int make_ticket(const struct cg_due *due, const char *id, const char *uuid, const char *name,
                       const char *ref, struct cg_buf *out)
{
    const struct cogent_str fields[] = { cogent_str(id), cogent_str(uuid), cogent_str(name),
                                         cogent_str(ref) };
    cg_buf_printf(out, "%s %zu:%s %s ", uuid, strlen(name), name, ref);
    return cg_keys_sign(due->keys, "ticket", fields, 4, out);
}

static const struct cg_tenant *open_ticket(const struct cg_due *due, const char *id, const char *ticket,
                                           char ref[CG_DUE_REF_SIZE])
{
    char uuid[CG_UUID_SIZE], name[CG_TENANT_NAME_SIZE], mac[96];
    size_t len;
    int used = 0;
    if (sscanf(ticket, "%36s %zu:%n", uuid, &len, &used) != 2 || !used || len >= sizeof name ||
        strlen(ticket + used) <= len)
        return NULL;
    memcpy(name, ticket + used, len);
    name[len] = '\0';
    if (sscanf(ticket + used + len, " %95s %95s", ref, mac) != 2)
        return NULL;
    const struct cogent_str fields[] = { cogent_str(id), cogent_str(uuid), cogent_str(name),
                                         cogent_str(ref) };
    if (cg_keys_verify(due->keys, "ticket", fields, 4, cogent_str(mac)) < 0)
        return NULL;
    return cg_tenant_mint(uuid, name);
}

void cg_due_put_named(const struct cg_due *due, const char *kind, const char *uuid, const char *name,
                      const char *ref, int64_t at_us)
{
    char id[CG_DUE_ID_SIZE];
    cg_auto_buf ticket = { 0 };
    make_id(kind, uuid, ref, id);
    if (make_ticket(due, id, uuid, name, ref, &ticket) < 0)
        return;
    const struct cogent_value v[6] = {
        cogent_text(cogent_str(id)),   cogent_text(cogent_str(kind)),     cogent_int(at_us),
        cogent_text(cogent_str(uuid)), cogent_text(cg_buf_view(&ticket)), cogent_text(cogent_str(""))
    };
    run_lazy(due, CG_SYS_DUE_PUT, v, 6);
}

void cg_due_put(const struct cg_due *due, const char *kind, const struct cg_tenant *tenant, const char *ref,
                int64_t at_us)
{
    cg_due_put_named(due, kind, cg_tenant_id(tenant), cg_tenant_name(tenant), ref, at_us);
}

struct taking {
    const struct cg_due *due;
    void (*taken)(void *arg, const struct cg_due_work *work);
    void *arg;
};

static void on_taken(void *arg, const struct cogent_db_result *result)
{
    struct taking *t = arg;
    struct cg_due_work work = { 0 };
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (row.n == 3) {
        cg_str_copy(work.id, sizeof work.id, row.values[0].str);
        cg_auto_free char *ticket = cg_str_dup(row.values[2].str);
        work.tenant = ticket ? open_ticket(t->due, work.id, ticket, work.ref) : NULL;
        if (ticket && !work.tenant) {
            cg_log(CG_ERROR, "due.forged", CG_S("id", work.id));
            cg_due_drop_id(t->due, work.id);
        }
    }
    t->taken(t->arg, work.tenant ? &work : NULL);
    cg_tenant_unref(work.tenant);
    free(t);
}

void cg_due_take(const struct cg_due *due, const char *kind, int64_t lease_us,
                 void (*taken)(void *arg, const struct cg_due_work *work), void *arg)
{
    struct taking *t = calloc(1, sizeof *t);
    int64_t now = cg_now_us();
    if (!t) {
        taken(arg, NULL);
        return;
    }
    *t = (struct taking){ due, taken, arg };
    const struct cogent_value v[4] = { cogent_text(cogent_str(kind)), cogent_int(now),
                                       cogent_int(now + lease_us), cogent_text(cogent_str(due->owner)) };
    const struct cg_db_step step = { &cg_system[CG_SYS_DUE_TAKE], v, 4 };
    cg_db_run_system(due->db, nobody, CG_DB_COMMIT, &step, 1, on_taken, t);
}

void cg_due_back(const struct cg_due *due, const char *id, int64_t at_us)
{
    const struct cogent_value v[3] = { cogent_text(cogent_str(id)), cogent_int(at_us),
                                       cogent_text(cogent_str(due->owner)) };
    run_lazy(due, CG_SYS_DUE_BACK, v, 3);
}

void cg_due_keep(const struct cg_due *due, const char *id, int64_t lease_us)
{
    const struct cogent_value v[3] = { cogent_text(cogent_str(id)), cogent_int(cg_now_us() + lease_us),
                                       cogent_text(cogent_str(due->owner)) };
    run_lazy(due, CG_SYS_DUE_LEASE, v, 3);
}

void cg_due_drop_id(const struct cg_due *due, const char *id)
{
    const struct cogent_value v = cogent_text(cogent_str(id));
    run_lazy(due, CG_SYS_DUE_DROP, &v, 1);
}

void cg_due_drop(const struct cg_due *due, const char *kind, const struct cg_tenant *tenant, const char *ref)
{
    char id[CG_DUE_ID_SIZE];
    make_id(kind, cg_tenant_id(tenant), ref, id);
    cg_due_drop_id(due, id);
}
