/* SPDX-License-Identifier: Apache-2.0 */
#include "reserve.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>

enum { RESERVE = 256 * 1024 };

/* Of the process, as libevent's allocator is; used by the thread of the loop alone. */
static void *reserve;

static int give_up(void)
{
    int had = reserve != NULL;
    free(reserve);
    reserve = NULL;
    return had;
}

static void *reserved_malloc(size_t size)
{
    void *p = malloc(size);
    return p || !give_up() ? p : malloc(size);
}

static void *reserved_realloc(void *old, size_t size)
{
    void *p = realloc(old, size);
    return p || size == 0 || !give_up() ? p : realloc(old, size);
}

void cg_reserve_fill(void)
{
    if (!reserve)
        reserve = malloc(RESERVE);
}

void cg_reserve_setup(void)
{
    event_set_mem_functions(reserved_malloc, reserved_realloc, free);
    cg_reserve_fill();
}
