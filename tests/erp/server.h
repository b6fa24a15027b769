/* SPDX-License-Identifier: Apache-2.0
 * HTTP: a request in, its answer out, and the faults that tests ask for. */
#ifndef ERP_SERVER_H
#define ERP_SERVER_H

#include "site.h"

struct event_base;
struct server;

/* Listens on 127.0.0.1 or another address; port 0 takes a free one, which *port then tells. */
struct server *server_create(struct event_base *base, struct site *site, const char *address, int *port,
                             int delay_ms);
void server_destroy(struct server *server);

#endif
