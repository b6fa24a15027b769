/* SPDX-License-Identifier: Apache-2.0
 * A worker, wired: every room of the engine is created here, in the order of the floors, and handed what it needs. */
#ifndef CG_ENGINE_H
#define CG_ENGINE_H

#include "config.h"
#include "inherit.h"

struct cg_engine;

/* Takes files and config. On failure err says which part and why. */
int cg_engine_create(const struct cg_inherit *inherit, struct cg_files *files, struct cg_config *config,
                     struct cg_engine **out, struct cg_err *err);
/* Runs until drained. */
void cg_engine_run(struct cg_engine *engine);
void cg_engine_destroy(struct cg_engine *engine);

/* Everything that can be wrong in a configuration, without opening a door or a database: plugins, tools, entities,
 * policies, rules, providers, keys of auth. */
int cg_engine_check(struct cg_files *files, const struct cg_config *config, struct cg_err *err);

#endif
