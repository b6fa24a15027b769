/* SPDX-License-Identifier: Apache-2.0
 * The table of waits behind a loop: for loop.c only; everybody else uses loop.h. */
#ifndef CG_IO_OPS_H
#define CG_IO_OPS_H

#include "loop.h"

struct cg_ops;

struct cg_ops *cg_ops_create(struct cg_loop *loop);
void cg_ops_destroy(struct cg_ops *ops);
struct cg_ops *cg_loop_ops(const struct cg_loop *loop);

#endif
