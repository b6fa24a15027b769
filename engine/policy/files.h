/* SPDX-License-Identifier: Apache-2.0
 * Lua data files: configuration, tools, entities, rules. A file runs once, at load, in an empty environment with
 * `env`, `file`, `list`, `null` and the bounded helpers, under a step limit, and returns a table. It reaches the
 * engine as JSON in which a function is a reference, {"$fn": "tools/books/create_order/params"}; the function stays
 * behind in the operator's state and is run by cg_files_call.
 *
 * Arrays and objects: a table with keys 1..n only is an array, `list {}` an empty array, `{}` an empty object;
 * mixed keys are an error that names the place. null is JSON null. */
#ifndef CG_POLICY_FILES_H
#define CG_POLICY_FILES_H

#include "engine/base/json.h"

struct cg_files; /* the operator's state: one a process */

int cg_files_create(struct cg_files **out, struct cg_err *err);
void cg_files_destroy(struct cg_files *files);

/* What env "NAME" and file "PATH" give. `secret_prefix`: env and file yield the secret itself; it is in the JSON as
 * a string, so a configuration is never logged whole.
 * name: what references begin with ("tools/erp"). The error says FILE:LINE: what, and what to do. */
int cg_files_load(struct cg_files *files, const char *path, const char *name, json_t **out,
                  struct cg_err *err);
/* Every *.lua of a folder, in name order, as {"<stem>": <table>}; references begin with prefix/<stem>. A missing
 * folder is COGENT_NOT_FOUND. */
int cg_files_load_folder(struct cg_files *files, const char *folder, const char *prefix, json_t **out,
                         struct cg_err *err);

/* Runs a function with one JSON value (or several: an array under `spread`). The operator's budget: 5,000,000 steps,
 * 64 MiB. out is a new reference; nil is NULL with 0. */
int cg_files_call(struct cg_files *files, const char *reference, const json_t *args, bool spread,
                  json_t **out, struct cg_err *err);

#endif
