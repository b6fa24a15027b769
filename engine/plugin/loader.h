/* SPDX-License-Identifier: Apache-2.0
 * Opening a shared object and agreeing on the ABI. */
#ifndef CG_PLUGIN_LOADER_H
#define CG_PLUGIN_LOADER_H

#include "engine/base/err.h"

#include <cogent/plugin.h>

enum { CG_ABI_OLDEST = 0 };

/* Its descriptor, or NULL with err filled. Never closed again. */
const struct cogent_plugin *cg_loader_open(const char *path, struct cg_err *err);

#endif
