/* SPDX-License-Identifier: Apache-2.0
 * Opening a shared object and agreeing on the ABI. */
#ifndef CG_PLUGIN_LOADER_H
#define CG_PLUGIN_LOADER_H

#include "engine/base/err.h"

#include <cogent/plugin.h>

enum { CG_ABI_OLDEST = 0 };

/* Its descriptor, or NULL with err filled. Never closed again. The file is loaded in a child process first, so that one
 * that crashes there is refused like any other. */
const struct cogent_plugin *cg_loader_open(const char *path, struct cg_err *err);

/* The parts of it, for the conformance kit: the exported function of a file that loads; and whether a library that a
 * plugin names, or one that this names in turn, has a symbol: 1, 0, or COGENT_NOT_FOUND when there is no such library. */
cogent_plugin_entry_fn cg_loader_entry(const char *path, struct cg_err *err);
int cg_loader_defines(const char *library, const char *symbol);

#endif
