/* SPDX-License-Identifier: Apache-2.0
 * The HTTP client: libcurl on the loop. http and https only, no redirects, no proxy from the environment, answers
 * bounded. Requests and events are those of the public ABI (cogent/host.h). */
#ifndef CG_IO_HTTP_CLIENT_H
#define CG_IO_HTTP_CLIENT_H

#include "loop.h"

#include <cogent/host.h>

struct cg_http_client;

/* proxy, ca: for calls outside, or NULL. */
struct cg_http_client *cg_http_client_create(struct cg_loop *loop, const char *proxy, const char *ca);
void cg_http_client_destroy(struct cg_http_client *client);

/* Copies the request. The transfer is a wait below parent and ends with it; events->done comes otherwise, and never
 * before this returns. No wait is returned, and nothing comes, when the parent is over. */
struct cogent_op cg_http_send(struct cg_http_client *client, struct cogent_op parent,
                              const struct cogent_http_request *request,
                              const struct cogent_http_events *events, void *arg);

/* As above over a Unix socket: for the command line. */
struct cogent_op cg_http_send_unix(struct cg_http_client *client, const char *socket_path,
                                   struct cogent_op parent, const struct cogent_http_request *request,
                                   const struct cogent_http_events *events, void *arg);

/* Stops reading an upstream whose reader is full, and goes on. */
void cg_http_pause(struct cg_http_client *client, struct cogent_op op, bool pause);

#endif
