/* SPDX-License-Identifier: Apache-2.0
 * A bundle as it was loaded: decisions in the order they are asked, roles, templates. */
#ifndef CG_POLICY_BUNDLE_H
#define CG_POLICY_BUNDLE_H

#include "policy.h"
#include "template.h"

enum { CG_BUNDLE_DECISIONS = 256, CG_BUNDLE_FILE = 64 * 1024 };

struct cg_script {
    char name[96];  /* "sales/invoice_limit" */
    char file[104]; /* "sales/invoice_limit.lua": as messages name it */
    char *source;
    size_t len;
    unsigned points; /* a bit each */
    json_t *tools;   /* lists; NULL: any */
    json_t *kinds;
    json_t *roles;
    json_t *cases;
    json_t *before; /* names, until the order is made */
    json_t *after;
};

struct cg_bundle {
    char version[96];
    struct cg_script *decisions;
    size_t n;
    uint8_t *order; /* n * n: [a * n + b] says that a was told to come before b */
    json_t *roles;
    struct cg_template *templates;
    size_t n_templates;
};

int cg_bundle_load(const char *folder, struct cg_bundle **out, struct cg_err *err);
/* A bundle of the one decision in `path`. before and after of others are let be. */
int cg_bundle_load_file(const char *path, struct cg_bundle **out, struct cg_err *err);
void cg_bundle_destroy(struct cg_bundle *bundle);

bool cg_bundle_before(const struct cg_bundle *bundle, size_t a, size_t b);
/* Puts the decisions in order: by name, and as before and after say. */
int cg_bundle_sort(struct cg_bundle *bundle, bool strict, struct cg_err *err);

/* Reads a decision's table into `script`, whose name and source are set. */
int cg_script_read(struct cg_script *script, json_t *table, struct cg_err *err);
void cg_script_finish(struct cg_script *script);
/* Whether a decision is asked about this. */
bool cg_script_asked(const struct cg_script *script, enum cg_point point, const json_t *subject,
                     const json_t *ctx);

#endif
