/* SPDX-License-Identifier: Apache-2.0
 * What the words of a configuration mean on this machine: a server starts, or takes a reload up, only with one that passes.
 * The command line's offline parts do without: they read configurations of servers elsewhere. */
#ifndef CG_CONFIG_CHECK_H
#define CG_CONFIG_CHECK_H

#include "config.h"

/* Addresses, the group, the key ring when it is there, files and folders that are named, claims, models, prices, tenants.
 * Opens and makes nothing. The error names the file and the key. */
int cg_config_check(const struct cg_config *config, struct cg_err *err);

#endif
