/* SPDX-License-Identifier: Apache-2.0
 * The parts of `tools`: what needs no server loads the configuration's tools itself. */
#ifndef CG_CLI_TOOLS_H
#define CG_CLI_TOOLS_H

#include "engine/base/json.h"
#include "engine/io/http_client.h"
#include "engine/parts.h"
#include "engine/plugin/invoke.h"

/* tools_load.c: tools as a worker loads them, and a loop to call them on. */
struct cg_tools {
    struct cg_files *files;
    struct cg_config *config;
    struct cg_parts parts;
    struct cg_loop *loop;
    struct cg_http_client *http;
    struct cogent_host host; /* the engine's table; its trace is the command's */
    struct cg_invoke_env invoke;
    struct cg_buf text;
};

/* n files take the place of the configuration's; none: those. 0, or err; finish it in any case. */
int cg_tools_load(struct cg_tools *tools, int n, char *const *files, struct cg_err *err);
void cg_tools_finish(struct cg_tools *tools);

/* tools_asker.c: somebody of a tenant, with a token of the configuration's own secret. */
struct cg_tools_asker {
    struct cogent_asker asker; /* first */
    const struct cg_tools *tools;
    const json_t *fields; /* of the tenant */
    json_t *all;          /* the tenants */
    char *tenant, *fields_text, *authorization, *audience;
    char secret[8192];
};

/* tenant NULL: the only one there is. permissions: array. 0, or err; finish it in any case. */
int cg_tools_asker_init(struct cg_tools_asker *asker, const struct cg_tools *tools, const char *tenant,
                        const char *user, const json_t *permissions, struct cg_err *err);
void cg_tools_asker_finish(struct cg_tools_asker *asker);

/* One command each; exit status. */
int cg_tools_check(int argc, char **argv, bool json);
int cg_tools_try(int argc, char **argv, bool json);
int cg_tools_import(int argc, char **argv);

#endif
