/* SPDX-License-Identifier: Apache-2.0
 * The host table that plugins get. Its functions carry no context of ours, because the ABI's do not: one process is
 * one worker, and cg_host_setup says which. */
#ifndef CG_PLUGIN_HOST_H
#define CG_PLUGIN_HOST_H

#include "engine/io/db.h"
#include "engine/io/http_client.h"
#include "registry.h"

struct cg_host_env {
    struct cg_loop *loop;
    struct cg_http_client *http;
    struct cg_db *db; /* NULL: host->db answers unavailable */
    struct cg_plugins *plugins;
    /* policy's: runs a function that stands in an operator's file; as cogent_script_api, with its context. */
    int (*script)(void *self, const char *reference, struct cogent_str args, struct cogent_str *out);
    void *script_self;
    char *
        running; /* as in cg_invoke_env: kept true in the callbacks of what a plugin waits for; may be NULL */
};

/* Borrowed for the life of the process. The table is constant; what it works on is not. */
const struct cogent_host *cg_host_table(void);
void cg_host_setup(const struct cg_host_env *env);

#endif
