/* SPDX-License-Identifier: Apache-2.0
 * Lua data files: configuration, tools, entities, rules. A file runs once, at load, in an empty environment with
 * `env`, `file`, `list`, `null` and the bounded helpers, under a step limit, and returns a table. It reaches the
 * engine as JSON in which a function is a reference, {"$fn": "NAME/path/to/it"}, as in
 * "tools/books/tools/create_order/params" (items of lists count from 0), with "secrets": [NAME...] beside it when its
 * text names some (v.secret.NAME); the function stays behind in the operator's
 * state and is run by cg_files_call. References are opaque to who calls.
 *
 * Arrays and objects: a table with keys 1..n only is an array, `list {}` an empty array, `{}` an empty object;
 * items beside names, and numbers as names, make an object with the numbers spelled out. null is JSON null. */
#ifndef CG_POLICY_FILES_H
#define CG_POLICY_FILES_H

#include "engine/base/json.h"

struct cg_files; /* the operator's state: one a process */

int cg_files_create(struct cg_files **out, struct cg_err *err);
void cg_files_destroy(struct cg_files *files);

/* env "NAME" is an error when it is not set, env("NAME", preset) is not; file "PATH" is relative to the file's
 * folder. Both give the secret itself, as a string in the JSON: a configuration is never logged whole. Neither works
 * in a function that runs later.
 * name: what references begin with ("tools/erp"). The error says FILE:LINE: what, and what to do. */
int cg_files_load(struct cg_files *files, const char *path, const char *name, json_t **out,
                  struct cg_err *err);
/* Every *.lua of a folder, in name order, as {"<stem>": <table>}; references begin with prefix/<stem>. A missing
 * folder is COGENT_NOT_FOUND. */
int cg_files_load_folder(struct cg_files *files, const char *folder, const char *prefix, json_t **out,
                         struct cg_err *err);

/* Runs a function with one JSON value (or several: an array under `spread`). The operator's budget: 5,000,000 steps,
 * 64 MiB, 500 ms of CPU. out is a new reference; nil is NULL with 0. Errors: COGENT_NOT_FOUND (no such function),
 * COGENT_INVALID (it raised, or gave what is no JSON), COGENT_LIMIT (its budget). A state that hit its cap is made
 * anew from the same files. */
int cg_files_call(struct cg_files *files, const char *reference, const json_t *args, bool spread,
                  json_t **out, struct cg_err *err);

#endif
