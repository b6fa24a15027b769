/* SPDX-License-Identifier: Apache-2.0 */
#include "tenants.h"

#include "engine/base/clock.h"
#include "engine/base/id.h"
#include "system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    struct cg_tenant_info info;
    char uuid[CG_UUID_SIZE];
    char name[CG_TENANT_NAME_SIZE];
};

struct cg_tenants {
    struct entry *entries;
    size_t n;
    json_t *config;
    char *secrets;
    void (*ready)(void *arg, int err);
    void *arg;
};

static bool name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= CG_TENANT_NAME_SIZE || name[0] == '.')
        return false;
    for (; *name; name++) {
        if ((unsigned char)*name <= 0x20 || *name == '/' || *name == 0x7f)
            return false;
    }
    return true;
}

int cg_tenants_create(const json_t *config, const char *secrets, struct cg_tenants **out, struct cg_err *err)
{
    const char *name;
    json_t *fields;
    *out = NULL;
    struct cg_tenants *t = calloc(1, sizeof *t);
    if (!t)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    t->config = json_deep_copy(config);
    t->secrets = secrets ? cg_str_dup(cogent_str(secrets)) : NULL;
    t->entries = calloc(json_object_size(config) + 1, sizeof *t->entries);
    if (!t->entries || (config && !t->config) || (secrets && !t->secrets)) {
        cg_tenants_destroy(t);
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    json_object_foreach (t->config, name, fields) {
        if (!name_ok(name) || !json_is_object(fields)) {
            cg_err_set(err, COGENT_INVALID,
                       "tenants: \"%.64s\" is no tenant: 1 to 64 characters without / and blanks = { ... }",
                       name);
            cg_tenants_destroy(t); /* after: the name is its own */
            return COGENT_INVALID;
        }
        struct entry *e = &t->entries[t->n++];
        cg_str_copy(e->name, sizeof e->name, cogent_str(name));
        e->info = (struct cg_tenant_info){ e->name, e->uuid, fields };
    }
    *out = t;
    return 0;
}

void cg_tenants_destroy(struct cg_tenants *t)
{
    if (!t)
        return;
    json_decref(t->config);
    free(t->entries);
    free(t->secrets);
    free(t);
}

static void on_synced(void *arg, const struct cogent_db_result *result)
{
    struct cg_tenants *t = arg;
    for (size_t i = 0; result->err == 0 && i < t->n; i++) {
        struct cogent_row row = result->row(result, 2 * i + 1, 0);
        if (row.n == 1)
            cg_str_copy(t->entries[i].uuid, CG_UUID_SIZE, row.values[0].str);
    }
    t->ready(t->arg, result->err);
}

void cg_tenants_sync(struct cg_tenants *t, struct cg_db *db, struct cogent_op parent,
                     void (*ready)(void *arg, int err), void *arg)
{
    /* Insert unless there, then read: both workers that start at once get the same uuid. */
    struct cg_db_step *steps = calloc(2 * t->n + 1, sizeof *steps);
    struct cogent_value *values = calloc(3 * t->n + 1, sizeof *values);
    char(*fresh)[CG_UUID_SIZE] = calloc(t->n + 1, sizeof *fresh);
    t->ready = ready;
    t->arg = arg;
    if (steps && values && fresh) {
        for (size_t i = 0; i < t->n; i++) {
            values[3 * i] = cogent_text(cogent_str(t->entries[i].name));
            values[3 * i + 1] = cogent_text(cogent_str(cg_uuid_make(fresh[i])));
            values[3 * i + 2] = cogent_int(cg_now_us());
            steps[2 * i] = (struct cg_db_step){ &cg_system[CG_SYS_TENANT_ADD], &values[3 * i], 3 };
            steps[2 * i + 1] = (struct cg_db_step){ &cg_system[CG_SYS_TENANT_GET], &values[3 * i], 1 };
        }
        cg_db_run_system(db, parent, CG_DB_COMMIT, steps, 2 * t->n, on_synced, t);
    } else {
        ready(arg, COGENT_NO_MEMORY);
    }
    free(steps);
    free(values);
    free(fresh);
}

const struct cg_tenant_info *cg_tenants_find(const struct cg_tenants *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i].uuid[0] && strcmp(t->entries[i].name, name) == 0)
            return &t->entries[i].info;
    }
    return NULL;
}

size_t cg_tenants_count(const struct cg_tenants *t)
{
    return t->n;
}

const struct cg_tenant_info *cg_tenants_get(const struct cg_tenants *t, size_t i)
{
    return &t->entries[i].info;
}

static int read_secret(const char *path, char *buf, size_t size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return COGENT_NOT_FOUND;
    int rc = fstat(fd, &st) == 0 && (st.st_mode & 07) == 0 ? 0 : COGENT_DENIED;
    if (rc == 0 && !S_ISREG(st.st_mode))
        rc = COGENT_NOT_FOUND;
    if (rc == 0 && st.st_size >= (off_t)size)
        rc = COGENT_LIMIT; /* half a secret is none */
    ssize_t n = rc == 0 ? read(fd, buf, size - 1) : 0;
    close(fd);
    if (rc < 0 || n < 0)
        return rc < 0 ? rc : COGENT_NOT_FOUND;
    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
        n--;
    buf[n] = '\0';
    return (int)n;
}

int cg_tenants_secret(const struct cg_tenants *t, const char *tenant, const char *name, char *buf,
                      size_t size)
{
    char path[4096];
    if (!t->secrets || !name_ok(name) || !name_ok(tenant))
        return COGENT_NOT_FOUND;
    snprintf(path, sizeof path, "%s/%s/%s", t->secrets, tenant, name);
    int rc = read_secret(path, buf, size);
    if (rc == COGENT_NOT_FOUND) {
        snprintf(path, sizeof path, "%s/%s", t->secrets, name);
        rc = read_secret(path, buf, size);
    }
    return rc;
}

void cg_tenants_secret_wrong(const struct cg_tenants *t, const char *tenant, const char *name, int err,
                             struct cg_buf *out)
{
    const char *folder = t->secrets ? t->secrets : "secrets";
    cg_buf_printf(out, "the secret %s of tenant %s ", name, tenant);
    if (err == COGENT_DENIED)
        cg_buf_printf(out, "is open to everybody: chmod 600 %s/%s/%s, or %s/%s", folder, tenant, name, folder,
                      name);
    else if (err == COGENT_LIMIT)
        cg_buf_printf(out, "is too long: look into %s/%s/%s, or %s/%s", folder, tenant, name, folder, name);
    else
        cg_buf_printf(out, "is missing: put it into %s/%s/%s, or for all tenants into %s/%s", folder, tenant,
                      name, folder, name);
}
