/* SPDX-License-Identifier: Apache-2.0
 * The runs of this worker: for run.c and resume.c. */
#ifndef CG_RUN_RUNS_H
#define CG_RUN_RUNS_H

#include "run.h"

const struct cg_run_env *cg_runs_env(const struct cg_runs *runs);
void cg_runs_add(struct cg_runs *runs, struct cg_run *run);
void cg_runs_remove(struct cg_runs *runs, struct cg_run *run);
/* A secret of the tenant's; valid until the next call. */
const char *cg_runs_secret(struct cg_runs *runs, const char *tenant, const char *name);

#endif
