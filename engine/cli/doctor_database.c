/* SPDX-License-Identifier: Apache-2.0
 * The database: it opens, its version is ours, and what lies in it for each tenant and kind. */
#include "doctor.h"

#include "engine/base/clock.h"
#include "engine/io/db.h"
#include "engine/svc/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNTS, FEEDS, TENANTS, LOOK_MS = 20000 };

/* Over all tenants: the operator asks, and no content of a tenant's is read. */
static const struct cogent_statement looks[] = {
    [COUNTS] = { .name = "doctor.counts",
                 .text =
                     "select tenant_id, entity_type, count(*) from record group by tenant_id, entity_type",
                 .params = "",
                 .columns = "tti" },
    [FEEDS] = { .name = "doctor.feeds",
                .text = "select tenant_id, kind, position, polled from feed",
                .params = "",
                .columns = "ttti" },
    [TENANTS] = { .name = "doctor.tenants",
                  .text = "select name, id from tenant",
                  .params = "",
                  .columns = "tt" },
};

struct looking {
    struct cg_doctor *doctor;
    struct cg_loop *loop;
    json_t *names, *counts, *feeds; /* by uuid; by "uuid kind" */
};

static void key_of(struct cg_buf *out, struct cogent_str tenant, struct cogent_str kind)
{
    cg_buf_str(out, tenant);
    cg_buf_char(out, ' ');
    cg_buf_str(out, kind);
}

static void on_read(void *arg, const struct cogent_db_result *result)
{
    struct looking *l = arg;
    cg_loop_stop(l->loop);
    if (result->err < 0) {
        cg_doctor_add(l->doctor, "database", false,
                      "look into the server's log; restore the file from a backup",
                      "its tables cannot be read: %s", cogent_err_name(result->err));
        return;
    }
    for (size_t i = 0; i < result->rows(result, COUNTS); i++) {
        struct cogent_row row = result->row(result, COUNTS, i);
        cg_auto_buf key = { 0 };
        key_of(&key, row.values[0].str, row.values[1].str);
        json_object_set_new(l->counts, key.ptr, json_integer((json_int_t)row.values[2].num));
    }
    for (size_t i = 0; i < result->rows(result, FEEDS); i++) {
        struct cogent_row row = result->row(result, FEEDS, i);
        cg_auto_buf key = { 0 };
        key_of(&key, row.values[0].str, row.values[1].str);
        json_object_set_new(l->feeds, key.ptr,
                            json_pack("{s:o, s:I}", "position", cg_json_strn(row.values[2].str), "polled",
                                      (json_int_t)row.values[3].num));
    }
    for (size_t i = 0; i < result->rows(result, TENANTS); i++) {
        struct cogent_row row = result->row(result, TENANTS, i);
        cg_auto_free char *name = cg_str_dup(row.values[0].str);
        json_object_set_new(l->names, name ? name : "", cg_json_strn(row.values[1].str));
    }
}

static void on_late(void *arg, int why)
{
    struct looking *l = arg;
    (void)why;
    cg_loop_stop(l->loop);
    cg_doctor_add(l->doctor, "database", false, "look into the server's log; is the disk slow or full?",
                  "it did not answer in %d s", LOOK_MS / 1000);
}

static void tell_kind(const struct looking *l, const char *tenant, const json_t *fields, const char *uuid,
                      const struct cg_kind *kind)
{
    char polled[CG_TIME_SIZE];
    cg_auto_buf key = { 0 }, check = { 0 }, why = { 0 };
    key_of(&key, cogent_str(uuid), cogent_str(kind->name));
    cg_buf_printf(&check, "%s: %s", tenant, kind->name);
    const json_t *feed = json_object_get(l->feeds, key.ptr);
    long long n = (long long)cg_json_int(l->counts, key.ptr, 0);
    if (!kind->feed)
        cg_doctor_add(l->doctor, check.ptr, true, "", "%lld records; the kind has no feed", n);
    else if (!cg_json_str(fields, "erp_url", NULL))
        cg_doctor_add(l->doctor, check.ptr, true, "",
                      "%lld records; its feed is not read: the tenant has no erp_url", n);
    else if (cg_doctor_feed_wrong(l->doctor, tenant, kind, &why))
        cg_doctor_add(
            l->doctor, check.ptr, false,
            "make the file (for a service of your own: cogent token); the server reads it at the next try",
            "%lld records; its feed cannot be read: %s", n, why.ptr);
    else if (!feed)
        cg_doctor_add(
            l->doctor, check.ptr, false,
            "start the server (jobs = 1 or more); its log says feed.failed and why when it cannot be read",
            "%lld records; its feed was not read yet", n);
    else
        cg_doctor_add(l->doctor, check.ptr, true, "", "%lld records up to %s, read %s", n,
                      cg_json_str(feed, "position", ""),
                      cg_time_format(cg_json_int(feed, "polled", 0), polled));
}

static void tell(const struct looking *l)
{
    const struct cg_doctor *d = l->doctor;
    const char *tenant;
    json_t *fields;
    cg_auto_json tenants = cg_json_parse(cogent_str(d->config->tenants), NULL);
    json_object_foreach (tenants, tenant, fields) {
        const char *uuid = cg_json_str(l->names, tenant, "");
        for (size_t k = 0; d->parts_ok && k < cg_kind_count(d->parts.kinds); k++) {
            const struct cg_kind *kind = cg_kind_get(d->parts.kinds, k);
            if (kind->chunk) /* others are cited only, and never stored */
                tell_kind(l, tenant, fields, uuid, kind);
        }
    }
}

static void look(struct cg_doctor *d, struct cg_loop *loop, struct cg_db *db)
{
    struct looking l = { d, loop, json_object(), json_object(), json_object() };
    const struct cg_db_step steps[] = { { &looks[COUNTS], NULL, 0 },
                                        { &looks[FEEDS], NULL, 0 },
                                        { &looks[TENANTS], NULL, 0 } };
    struct cogent_op op = cg_op_start(loop, (struct cogent_op){ 0, 0 }, "doctor", LOOK_MS, on_late, &l);
    if (!cogent_op_none(cg_db_run_system(db, op, CG_DB_READ, steps, 3, on_read, &l)))
        cg_loop_run(loop);
    cg_op_finish(loop, op);
    tell(&l);
    json_decref(l.names);
    json_decref(l.counts);
    json_decref(l.feeds);
}

void cg_doctor_database(struct cg_doctor *d)
{
    struct cg_err err = { 0 };
    struct cg_db *db = NULL;
    const char *path = d->config->database;
    int version = 0;
    if (access(path, F_OK) != 0) {
        cg_doctor_add(d, "database", errno == ENOENT, "run this as the server's user", "%s: %s", path,
                      errno == ENOENT ? "made at the server's first start" : strerror(errno));
        return;
    }
    while (cg_migrations[version])
        version++;
    struct cg_loop *loop = cg_loop_create();
    if (!loop || cg_db_open_sqlite(loop, path, NULL, cg_migrations, &db, &err) < 0) {
        cg_doctor_add(d, "database", false,
                      "run this as the server's user; a newer file needs the newer program", "%s",
                      err.message);
    } else {
        cg_doctor_add(d, "database", true, "", "%s opens, version %d", path, version);
        look(d, loop, db);
    }
    cg_db_close(db);
    cg_loop_destroy(loop);
}
