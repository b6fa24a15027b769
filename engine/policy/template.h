/* SPDX-License-Identifier: Apache-2.0
 * A prompt template: variables with types, a system text that may hold only them, now.*, tenant.* and user.*. */
#ifndef CG_POLICY_TEMPLATE_H
#define CG_POLICY_TEMPLATE_H

#include "policy.h"

struct cg_template {
    char file[96];     /* "templates/assistant.sales.de.lua" */
    char name[48];     /* "assistant" */
    char role[48];     /* "": any */
    char language[16]; /* "": any */
    char *system;
    json_t *vars;
    json_t *cases;
    struct cg_prompt preset; /* without system */
};

/* Reads the table of templates/<name>[.role][.language].lua. source: to name lines. */
int cg_template_read(struct cg_template *t, const char *file, struct cogent_str source, const json_t *table,
                     const json_t *roles, struct cg_err *err);
void cg_template_finish(struct cg_template *t);

/* How well it fits: 0 not at all; a role counts more than a language. */
int cg_template_fit(const struct cg_template *t, const json_t *roles, const char *language);
int cg_template_fill(const struct cg_template *t, const json_t *vars, struct cg_prompt *out,
                     struct cg_err *err);

#endif
