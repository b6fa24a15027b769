/* SPDX-License-Identifier: Apache-2.0
 * What the master hands to a worker across exec: its role, its slot and descriptors, as one environment variable. */
#ifndef CG_INHERIT_H
#define CG_INHERIT_H

#include "engine/base/board.h"
#include "engine/base/err.h"

enum { CG_LISTENERS_MAX = 8 };

struct cg_inherit {
    char role[8]; /* "serve", "jobs" */
    unsigned slot;
    unsigned long long incarnation;
    int board, mail, ready, metrics; /* descriptors; -1: none */
    int listen[CG_LISTENERS_MAX];
    unsigned n_listen;
    int post[CG_WORKERS_MAX]; /* where mail to each slot is sent */
};

#define CG_INHERIT_ENV "COGENT_WORKER"

void cg_inherit_write(const struct cg_inherit *inherit, char *out, size_t size);
int cg_inherit_read(const char *text, struct cg_inherit *out, struct cg_err *err);

#endif
