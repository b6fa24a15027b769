/* SPDX-License-Identifier: Apache-2.0
 * Memory that is kept for libevent. It does not look whether it got what it asked for everywhere: in 2.1.12 a new
 * bufferevent without memory for a callback never writes, and one whose watermark is set crashes. And the words for a
 * client that there is no memory go through its buffers. So when memory ends, a block that was put aside is given back,
 * and asked for again when the loop has come round. */
#ifndef CG_IO_RESERVE_H
#define CG_IO_RESERVE_H

/* Before anything else is asked of libevent; may be called again. */
void cg_reserve_setup(void);
/* Puts aside again what was used up. */
void cg_reserve_fill(void);

#endif
