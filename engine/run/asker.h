/* SPDX-License-Identifier: Apache-2.0
 * Who asks, as a plugin sees them: of a run, and of what is looked after without one. */
#ifndef CG_RUN_ASKER_H
#define CG_RUN_ASKER_H

#include "run.h"

struct cg_asker {
    struct cogent_asker abi; /* first: callbacks find the rest from it */
    struct cg_runs *runs;
    const struct cg_caller *caller; /* borrowed; must outlive it */
    char *fields, language[8];
    char *locale, *time_zone; /* the question's, where they are not the caller's */
};

/* Returns 0 or COGENT_NO_MEMORY; finish it in both cases. */
int cg_asker_init(struct cg_asker *asker, struct cg_runs *runs, const struct cg_caller *caller);
/* The locale and time zone of a question, which may be others than its caller's. Returns as init does. */
int cg_asker_speaks(struct cg_asker *asker, const char *locale, const char *time_zone);
void cg_asker_finish(struct cg_asker *asker);

#endif
