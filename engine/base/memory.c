/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Of the process, as memory is: whose piece is missing cannot be known in jansson's allocator. */
static _Atomic uint32_t failures;

void cg_memory_failed(void)
{
    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
}

uint32_t cg_memory_failures(void)
{
    return atomic_load_explicit(&failures, memory_order_relaxed);
}

static void *counted_malloc(size_t size)
{
    void *p = malloc(size);
    if (!p)
        cg_memory_failed();
    return p;
}

void cg_memory_setup(void)
{
    json_set_alloc_funcs(counted_malloc, free);
}
