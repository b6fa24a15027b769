/* SPDX-License-Identifier: Apache-2.0
 * Filling a struct from JSON by a declarative table (cogent/options.h), and finding the nearest known name for a
 * wrong one. For the configuration and for plugins alike. */
#ifndef CG_BASE_OPTIONS_H
#define CG_BASE_OPTIONS_H

#include "json.h"

#include <cogent/options.h>

/* Fills `out` (zeroed by the caller). where: what errors begin with ("cogent.lua: auth"). Strings are copied; free
 * them with cg_options_finish. */
int cg_options_fill(const struct cogent_option *table, const json_t *object, void *out, const char *where,
                    struct cg_err *err);
void cg_options_finish(const struct cogent_option *table, void *out);

/* The known word that is nearest to `word`, NULL when none is near. names ends with NULL. */
const char *cg_nearest(const char *word, const char *const *names);

/* The table as rows of a Markdown table: key, type, default, meaning. */
void cg_options_markdown(const struct cogent_option *table, struct cg_buf *out);

#endif
