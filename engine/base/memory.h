/* SPDX-License-Identifier: Apache-2.0
 * Memory that ran out. A value that is built piece by piece, a JSON object or a text, lacks a piece when an allocation
 * fails, and nobody who adds a piece looks each time. So the failures of this process are counted, and who is about to
 * keep or show something asks whether there was one while it was made: half a row is no row, half an answer is none. */
#ifndef CG_BASE_MEMORY_H
#define CG_BASE_MEMORY_H

#include <stdint.h>

/* jansson's allocations are counted from here on. Before there are threads. */
void cg_memory_setup(void);
/* An allocation of ours failed. */
void cg_memory_failed(void);
uint32_t cg_memory_failures(void);

#endif
