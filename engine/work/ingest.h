/* SPDX-License-Identifier: Apache-2.0
 * Records in: an ERP's record, read by its kind's entity file, becomes a title, columns and chunks, and goes to the
 * retriever. An older version never overwrites a newer one; what has not changed costs nothing. */
#ifndef CG_WORK_INGEST_H
#define CG_WORK_INGEST_H

#include "engine/base/metrics.h"
#include "engine/plugin/invoke.h"
#include "engine/svc/kinds.h"

struct cg_ingest_env {
    const struct cg_invoke_env *invoke;
    struct cg_plugins *plugins;
    const struct cg_kinds *kinds;
    struct cg_metrics *metrics;
    /* Runs a function of an entity file: a new reference in *out. */
    int (*script)(void *self, const char *reference, const json_t *arg, json_t **out, struct cg_err *err);
    void *script_self;
};

struct cg_ingest;

struct cg_ingest *cg_ingest_create(const struct cg_ingest_env *env);
void cg_ingest_destroy(struct cg_ingest *ingest);

/* fields: the tenant's operator fields. The tenant is that of parent. done(arg, err, message): message is "stored",
 * "unchanged" when what is there is the same or newer, or what is wrong, with the entity file's name. Not called when parent ends first. */
void cg_ingest_put(struct cg_ingest *ingest, struct cogent_op parent, const json_t *fields, const char *type,
                   const char *id, const json_t *record,
                   void (*done)(void *arg, int err, const char *message), void *arg);
void cg_ingest_drop(struct cg_ingest *ingest, struct cogent_op parent, const char *type, const char *id,
                    void (*done)(void *arg, int err, const char *message), void *arg);

#endif
