/* SPDX-License-Identifier: Apache-2.0
 * Plugins that cost workers. Who ends three of them within a minute is held back for a while, and for twice as long when
 * it does so again soon after: what it brings answers "unavailable", and the rest goes on. The master writes, on the
 * board; workers read. */
#ifndef CG_BASE_HOLDS_H
#define CG_BASE_HOLDS_H

#include "board.h"

enum { CG_HOLD_CRASHES = 3 };

/* One more worker ended in that plugin's code. hold_ms: how long the first hold lasts; 0: the default. Returns how long
 * it is held back from now, in milliseconds, 0 when it is not. The times are now by the two clocks. */
uint32_t cg_holds_crashed(struct cg_board *board, const char *plugin, uint32_t hold_ms, int64_t mono_us,
                          int64_t wall_us);
/* For how long it is still held back, in milliseconds; 0: not. */
uint32_t cg_holds_left(const struct cg_board *board, const char *plugin, int64_t mono_us);
/* Its entry; NULL when it never cost a worker. */
const struct cg_board_plugin *cg_holds_of(const struct cg_board *board, const char *plugin);

#endif
