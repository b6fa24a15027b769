/* SPDX-License-Identifier: Apache-2.0
 * The configuration: one Lua file, read into one struct by option tables. Everything has a default; no file at all is
 * the embedded default. */
#ifndef CG_CONFIG_H
#define CG_CONFIG_H

#include "engine/base/json.h"
#include "engine/io/peers.h"
#include "engine/policy/files.h"

struct cg_config_auth {
    const char *issuer, *audience, *secret, *keys, *jwks, *tenant, *user, *permissions,
        *roles; /* keys: JSON */
};

struct cg_config_socket {
    const char *mode, *group;
};

struct cg_config_http {
    int64_t connections, peer_connections, requests, body_rate;
    const char *trusted_proxies;     /* JSON */
    const char *head, *idle, *write; /* durations */
};

struct cg_config_limits {
    int64_t steps, calls, tokens, seconds, runs, calls_per_hour, question_bytes;
    const char *approval; /* duration */
};

struct cg_config {
    json_t *root; /* the file as JSON; holds secrets: never logged */
    char *listen, *metrics, *state, *keys, *database, *secrets, *log, *proxy, *ca; /* listen: JSON list */
    char *providers, *models, *prices, *tools, *plugins, *entities, *policies, *rules,
        *tenants; /* JSON, or a path */
    char *workers, *auth, *limits, *socket, *http;
    int64_t jobs, worker_memory; /* MiB; 0: no ceiling */
    struct cg_config_auth auth_options;
    struct cg_config_limits limit_options;
    struct cg_config_socket socket_options;
    struct cg_config_http http_options;
    struct cg_net *trusted; /* http.trusted_proxies */
    size_t n_trusted;
    json_t *auth_keys; /* absolute paths of the public keys; NULL: none */
    char *path;        /* of the file; NULL: the embedded default */
    char *folder;      /* of the file: relative paths begin here */
    char *share;       /* shipped data: tools, entities, bundles, rules */
    char *modules;     /* shipped plugins */
    unsigned n_workers;
};

/* path NULL: COGENT_CONFIG, else /etc/cogent/cogent.lua when it is there, else the embedded default. */
int cg_config_load(struct cg_files *files, const char *path, struct cg_config **out, struct cg_err *err);
void cg_config_destroy(struct cg_config *config);

/* A path of the configuration: absolute as it stands, else below its folder. To free. */
char *cg_config_path(const struct cg_config *config, const char *path);

/* An address of `listen` or `metrics`; a relative socket lies in the state folder. To free. */
char *cg_config_address(const struct cg_config *config, const char *where);

/* Puts the configuration's file before a sentence that names none. Returns err's code. */
int cg_config_blame(const char *path, struct cg_err *err);

/* The reference page of all keys, from the tables. */
void cg_config_reference(struct cg_buf *out);

#endif
