/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CG_CLI_TOOLS_H
#define CG_CLI_TOOLS_H

#include <stdbool.h>

/* Loads the files, or the configuration's when there are none, and runs each tool's example. Exit status. */
int cg_tools_check(int n, char *const *files, bool json);

#endif
