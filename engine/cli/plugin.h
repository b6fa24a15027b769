/* SPDX-License-Identifier: Apache-2.0
 * cogent plugin: a file a part. Each function takes what stands behind its word and returns the exit status. */
#ifndef CG_CLI_PLUGIN_H
#define CG_CLI_PLUGIN_H

#include <stdbool.h>

/* A file that a new plugin begins with; @NAME@ in its name and text is the plugin's. Made from scripts/skeleton; the
 * last has no name. */
struct cg_skeleton {
    const char *name;
    const char *text;
};
extern const struct cg_skeleton cg_skeletons[];

/* Writes the folder NAME in `folder`. */
int cg_plugin_new(const char *name, const char *folder);
/* The conformance kit over one file. */
int cg_plugin_check(const char *path, bool json);
/* What the configuration loads. */
int cg_plugin_list(bool json);

#endif
