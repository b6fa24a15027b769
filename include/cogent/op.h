/* SPDX-License-Identifier: Apache-2.0
 * A wait. The engine keeps every wait in a tree under the run, ingest or job that it serves, with a label, a
 * deadline and a way to cancel it. A plugin sees only this value and hands it back: to begin waits below it
 * (an HTTP request, a statement, a timer), and to complete it.
 *
 * When a wait ends, by completion, cancel or deadline, all waits below it are cancelled first and none of their
 * callbacks is called any more. A stale value is harmless: its generation no longer matches.
 */
#ifndef COGENT_OP_H
#define COGENT_OP_H

#include <cogent/types.h>

struct cogent_op {
    uint32_t slot;
    uint32_t generation; /* 0: no wait at all */
};

static inline int cogent_op_none(struct cogent_op op)
{
    return op.generation == 0;
}

#endif
