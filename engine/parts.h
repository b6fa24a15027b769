/* SPDX-License-Identifier: Apache-2.0
 * What a configuration names, loaded: plugins with their tools and providers, kinds, bundle. Shared by a worker, by
 * --check-config and by the command line's offline parts. */
#ifndef CG_PARTS_H
#define CG_PARTS_H

#include "config.h"

#include "engine/plugin/registry.h"
#include "engine/policy/policy.h"
#include "engine/svc/auth.h"
#include "engine/svc/kinds.h"
#include "engine/svc/tenants.h"

struct cg_parts {
    struct cg_plugins *plugins;
    struct cg_kinds *kinds;
    struct cg_policy *policy;
    struct cg_tenants *tenants;
    json_t *models;     /* chains that answer: {"main": ["openai/gpt", "rules"]} */
    json_t *embeddings; /* those that make vectors: {"embed": {"link": "openai/small", "dimensions": 1536}} */
    json_t *prices;
};

/* Plugins are opened first and made ready for the host table; then everything else. On failure parts holds what was
 * made: finish it. */
int cg_parts_load(struct cg_parts *parts, struct cg_files *files, const struct cg_config *config,
                  struct cg_err *err);
/* Who may ask: parts' tenants by the configuration's auth, which must outlive it. */
int cg_parts_auth(const struct cg_parts *parts, const struct cg_config *config, struct cg_auth **out,
                  struct cg_err *err);
void cg_parts_finish(struct cg_parts *parts);

#endif
