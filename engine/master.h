/* SPDX-License-Identifier: Apache-2.0
 * The master: opens every listener once, makes the board and the key ring, starts workers by fork and exec of itself
 * and keeps them alive. It loads no plugin and opens no database. */
#ifndef CG_MASTER_H
#define CG_MASTER_H

#include "config.h"

/* Runs until SIGTERM or SIGINT; 0, or the exit status of a start that failed. program: path of this binary; path: of
 * the configuration, may be NULL. */
int cg_master_run(const char *program, const char *path);

#endif
