/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets. */
#ifndef CG_IO_LISTEN_H
#define CG_IO_LISTEN_H

#include "engine/base/err.h"

/* Who may open a Unix socket. */
struct cg_socket_rights {
    unsigned mode;
    const char *group; /* NULL: that of the process */
};

/* NULL, or what is wrong with how an address is written. Whether it can be had, the opening says. */
const char *cg_listen_wrong(const char *where);

/* "unix:PATH" or "ADDRESS:PORT" ("[::1]:8420", port 0: any). rights count for a Unix socket and stand before anybody can
 * connect; its folder is made (0750, of the same group) when it is missing. A socket that nobody listens at is replaced;
 * one that somebody does, and anything else of that name, is refused. Returns the descriptor, non-blocking, or a negative
 * error. */
int cg_listen(const char *where, const struct cg_socket_rights *rights, struct cg_err *err);
/* The port a TCP listener got; 0 for a Unix socket. */
unsigned cg_listen_port(int fd);

#endif
