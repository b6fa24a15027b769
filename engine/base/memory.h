/* SPDX-License-Identifier: Apache-2.0
 * Memory that ran out. A value that is built piece by piece, a JSON object or a text, lacks a piece when an allocation
 * fails, and nobody who adds a piece looks each time. So the failures of this process are counted, and who is about to
 * keep or show something asks whether there was one while it was made: half a row is no row, half an answer is none.
 *
 * And a block is put aside for the libraries that do not look whether they got what they asked for. jansson 2.14 reads
 * past the end of a text that it could not save; libevent 2.1.12 crashes when a watermark is set, and a connection whose
 * callback found no room never writes; libcurl 7.88 forgets to wait for a socket. When memory ends the block is given back and what failed is tried again; the loop
 * puts one aside anew. */
#ifndef CG_BASE_MEMORY_H
#define CG_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* jansson's and OpenSSL's allocations go through here from now on; before there are threads and before the first of
 * OpenSSL's. May be called again. */
void cg_memory_setup(void);
/* Puts aside again what was used up. */
void cg_memory_fill(void);

/* An allocation of ours failed. */
void cg_memory_failed(void);
uint32_t cg_memory_failures(void);

/* As calloc, and counted. */
void *cg_calloc(size_t n, size_t size);

/* Those of libevent and libcurl: from what was put aside when there is nothing else. */
void *cg_memory_malloc(size_t size);
void *cg_memory_calloc(size_t n, size_t size);
void *cg_memory_realloc(void *old, size_t size);
char *cg_memory_strdup(const char *text);

#endif
