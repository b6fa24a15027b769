/* SPDX-License-Identifier: Apache-2.0
 * What the master writes down of a worker that ended: whose code it ran, and what becomes of a plugin that costs too
 * many. `cogent plugin list` reads the file that is kept of it. */
#ifndef CG_DEATHS_H
#define CG_DEATHS_H

#include "engine/base/board.h"
#include "engine/base/json.h"

/* The worker of that slot has ended, for this reason; nobody has taken its place yet. */
void cg_death_note(struct cg_board *board, unsigned slot, const char *role, const char *reason,
                   const char *state);
/* As much of it as there is when it ended as it was told to. */
void cg_death_count(struct cg_board *board, unsigned slot, const char *role, const char *reason);
/* MiB that a process holds in memory; 0: it is gone, or nobody says. */
int64_t cg_memory_of(int pid);
/* No plugin has cost a worker of this server yet. */
void cg_deaths_begin(const char *state);
/* {"name": {"crashes", "last_crash", "held_until"}}, times as text, held_until only while it is held back. An empty
 * object when there is no file, or none that may be read. A new reference. */
json_t *cg_deaths_read(const char *state);

#endif
