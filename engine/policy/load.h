/* SPDX-License-Identifier: Apache-2.0
 * A Lua data file: read, compiled, run once, taken as JSON. */
#ifndef CG_POLICY_LOAD_H
#define CG_POLICY_LOAD_H

#include "values.h"

struct cg_load {
    struct cogent_str source;
    const char *file;   /* for messages */
    const char *folder; /* what `file "PATH"` is relative to; NULL where files cannot be read */
    const char *prefix; /* what references of functions begin with; NULL: none may stand there */
    bool keep;          /* keep the functions and freeze what they share */
};

/* The table that the file returns, a new reference. The error begins with FILE:LINE where there is one. */
int cg_load_run(struct cg_box *box, const struct cg_load *load, json_t **out, struct cg_err *err);

/* The bytes of a regular file of at most `max`; a symbolic link is followed only when `links`. */
int cg_load_read(const char *path, size_t max, bool links, struct cg_buf *out, struct cg_err *err);

/* Paths below folder that end in .lua, sorted, as a JSON array: "roles.lua", "policies/sales/x.lua". At most `depth`
 * folders down. COGENT_NOT_FOUND when there is no such folder. Names that begin with a dot are left out. */
int cg_load_list(const char *folder, int depth, json_t **out, struct cg_err *err);

#endif
