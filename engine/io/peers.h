/* SPDX-License-Identifier: Apache-2.0
 * How many connections each address has. An address of IPv6 counts with its whole /64, which is what one customer has;
 * one of IPv4 counts by itself, also in IPv6's clothes (::ffff:192.0.2.1). Unix sockets have no address and are not
 * counted, nor are the networks that are trusted: proxies and backends that speak for many. */
#ifndef CG_IO_PEERS_H
#define CG_IO_PEERS_H

#include "engine/base/buf.h"

struct sockaddr;

struct cg_net {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

/* "10.0.0.0/8", "2001:db8::/32", or one address. false when it is none, or has bits beyond its length. */
bool cg_net_parse(struct cogent_str text, struct cg_net *out);
struct cg_peers;
struct cg_peer;

/* most: connections of a peer; 0: any number. nets: those that are not counted, borrowed. NULL without memory. */
struct cg_peers *cg_peers_create(unsigned most, const struct cg_net *nets, size_t n);
void cg_peers_destroy(struct cg_peers *peers); /* all have left */

/* A connection begins: false when its peer has as many as it may. *peer: to leave with; NULL when it is not counted. */
bool cg_peers_enter(struct cg_peers *peers, const struct sockaddr *address, struct cg_peer **peer);
void cg_peers_leave(struct cg_peers *peers, struct cg_peer *peer); /* NULL: nothing */

#endif
