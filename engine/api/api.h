/* SPDX-License-Identifier: Apache-2.0
 * The doors. One route table: method, path, permission, body limit, handler; one function admits every request. */
#ifndef CG_API_API_H
#define CG_API_API_H

#include "engine/io/http_server.h"
#include "engine/run/run.h"
#include "engine/svc/jwks.h"
#include "engine/svc/load.h"

struct cg_api;

/* Puts one record in through work's ingestion: done(arg, err, message). */
struct cg_ingest_door {
    void (*put)(void *self, struct cogent_op parent, const struct cg_tenant *tenant, const json_t *fields,
                const char *type, const char *id, const json_t *record,
                void (*done)(void *arg, int err, const char *message), void *arg);
    void (*drop)(void *self, struct cogent_op parent, const struct cg_tenant *tenant, const char *type,
                 const char *id, void (*done)(void *arg, int err, const char *message), void *arg);
    void *self;
};

struct cg_api_env {
    struct cg_loop *loop;
    struct cg_runs *runs;
    const struct cg_run_env *run;
    const struct cg_auth *auth;
    struct cg_jwks *jwks;     /* where auth's keys come from; NULL: they do not change */
    struct cg_load *load;     /* how many questions are taken */
    const json_t *embeddings; /* {"embed": {"link": "openai/small", "dimensions": 1536}} */
    struct cg_ingest_door ingest;
    /* A word to all workers: "cancel TENANT RUN". */
    void (*mail)(void *self, const char *text);
    void *mail_self;
    bool (*ready)(void *self, const char **why);
    void *ready_self;
};

struct cg_api *cg_api_create(const struct cg_api_env *env);
void cg_api_destroy(struct cg_api *api);
/* What the server calls. */
struct cg_http_handler cg_api_handler(struct cg_api *api);
/* The same for the metrics listener: /metrics alone. */
struct cg_http_handler cg_api_metrics_handler(struct cg_api *api);

#endif
