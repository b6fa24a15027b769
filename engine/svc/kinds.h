/* SPDX-License-Identifier: Apache-2.0
 * Kinds of records, from the folder of entities: who may read one, its title and link, its columns, its feed. Data only; the
 * chunk function is a reference that work runs. */
#ifndef CG_SVC_KINDS_H
#define CG_SVC_KINDS_H

#include "engine/base/json.h"

struct cg_kinds;

struct cg_kind {
    const char *name;        /* "invoice" */
    const char *read;        /* permission */
    const char *domain;      /* "" when not said */
    const char *title, *url; /* templates; url may be NULL */
    const char *id;          /* template: what a cited result without an id is called; NULL: none */
    const json_t *fields;    /* {"number": "invoice_number", "customer": "customer.id"} */
    const char *chunk, *acl; /* references; chunk NULL: never stored, only cited; acl may be NULL */
    const char *stamp;       /* path of the record's version, NULL: none */
    const json_t *feed;      /* NULL: none */
};

/* entities: {"invoice": {...}} as the files gave it. */
int cg_kinds_create(const json_t *entities, struct cg_kinds **out, struct cg_err *err);
void cg_kinds_destroy(struct cg_kinds *kinds);

const struct cg_kind *cg_kind_find(const struct cg_kinds *kinds, const char *name);
size_t cg_kind_count(const struct cg_kinds *kinds);
const struct cg_kind *cg_kind_get(const struct cg_kinds *kinds, size_t i);

/* JSON array of the kinds that these permissions may read: what goes into the retrieval statement. A new reference. */
json_t *cg_kinds_readable(const struct cg_kinds *kinds, const json_t *permissions);

/* Those of `kinds` (a JSON array) that a question names by the last word of their name, singular or plural: "which
 * items ..." names inventory_item. A new reference. */
json_t *cg_kinds_named(const json_t *kinds, struct cogent_str question);

/* "Invoice {number}" with members of `columns`, else of `record`, and {tenant.x} of fields. What is missing is
 * empty. percent: values are percent-encoded (links). */
void cg_kind_fill(const char *pattern, const json_t *columns, const json_t *record, const json_t *tenant,
                  bool percent, struct cg_buf *out);

/* Whether the record says anything at the path: a null on the way is an answer, a member that is not there is none. */
bool cg_kind_says(const json_t *record, const char *path);
/* By dotted path: "customer.id". Borrowed. */
const json_t *cg_kind_path(const json_t *record, const char *path);

#endif
