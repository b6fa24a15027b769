/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets. */
#ifndef CG_IO_LISTEN_H
#define CG_IO_LISTEN_H

#include "engine/base/err.h"

/* "unix:PATH" (mode 0660; a stale socket is replaced, a live one refused) or "ADDRESS:PORT" ("[::1]:8420", port 0:
 * any). Returns the descriptor, non-blocking, or a negative error. */
int cg_listen(const char *where, struct cg_err *err);
/* The port a TCP listener got; 0 for a Unix socket. */
unsigned cg_listen_port(int fd);

#endif
