/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include "engine/base/hash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ADDRESS = 16, SITE = 8, V4_AT = 12, BUCKETS = 1024 };

static const unsigned char v4_begin[V4_AT] = { [10] = 0xff, [11] = 0xff };

struct cg_peer {
    struct cg_peer *next;
    unsigned char key[ADDRESS];
    unsigned connections;
};

struct cg_peers {
    unsigned most;
    const struct cg_net *nets;
    size_t n_nets;
    uint64_t seed; /* nobody can choose addresses that fall into one bucket */
    struct cg_peer *buckets[BUCKETS];
};

static void from_v4(const void *four, unsigned char out[ADDRESS])
{
    memcpy(out, v4_begin, V4_AT);
    memcpy(out + V4_AT, four, ADDRESS - V4_AT);
}

/* false: it has no address. */
static bool address_of(const struct sockaddr *from, unsigned char out[ADDRESS])
{
    if (from->sa_family == AF_INET)
        from_v4(&((const struct sockaddr_in *)(const void *)from)->sin_addr, out);
    else if (from->sa_family == AF_INET6)
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, ADDRESS);
    else
        return false;
    return true;
}

/* Whether their first bits are the same. */
static bool begins_alike(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool ends_with_zeros(const unsigned char *address, unsigned bits)
{
    for (unsigned i = bits; i < ADDRESS * 8; i++) {
        if (address[i / 8] & (0x80 >> i % 8))
            return false;
    }
    return true;
}

/* Digits only, at most `most`; -1 when it is none. */
static int read_bits(struct cogent_str text, int most)
{
    int n = 0;
    if (text.len == 0 || text.len > 3)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        n = n * 10 + (text.ptr[i] - '0');
    }
    return n <= most ? n : -1;
}

bool cg_net_parse(struct cogent_str text, struct cg_net *out)
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr four;
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    size_t n = slash ? (size_t)(slash - text.ptr) : text.len;
    if (!cg_str_copy(address, sizeof address, (struct cogent_str){ text.ptr, n }))
        return false;
    bool is_v4 = inet_pton(AF_INET, address, &four) == 1;
    if (is_v4)
        from_v4(&four, out->address);
    else if (inet_pton(AF_INET6, address, out->address) != 1)
        return false;
    int most = is_v4 ? 32 : 128;
    int bits = slash ? read_bits((struct cogent_str){ slash + 1, text.len - n - 1 }, most) : most;
    if (bits < 0)
        return false;
    out->bits = (unsigned)(is_v4 ? bits + V4_AT * 8 : bits);
    return ends_with_zeros(out->address, out->bits);
}

static bool is_trusted(const struct cg_net *nets, size_t n, const unsigned char *address)
{
    for (size_t i = 0; i < n; i++) {
        if (begins_alike(nets[i].address, address, nets[i].bits))
            return true;
    }
    return false;
}

struct cg_peers *cg_peers_create(unsigned most, const struct cg_net *nets, size_t n)
{
    struct cg_peers *peers = calloc(1, sizeof *peers);
    if (!peers)
        return NULL;
    peers->most = most;
    peers->nets = nets;
    peers->n_nets = n;
    cg_random(&peers->seed, sizeof peers->seed);
    return peers;
}

void cg_peers_destroy(struct cg_peers *peers)
{
    free(peers);
}

static struct cg_peer **bucket_of(struct cg_peers *peers, const unsigned char *key)
{
    uint64_t hash = peers->seed;
    for (int i = 0; i < ADDRESS; i++)
        hash = (hash ^ key[i]) * 0x100000001b3u;
    return &peers->buckets[(hash >> 32) % BUCKETS];
}

static struct cg_peer *find_or_add(struct cg_peers *peers, const unsigned char *key)
{
    struct cg_peer **bucket = bucket_of(peers, key);
    for (struct cg_peer *peer = *bucket; peer; peer = peer->next) {
        if (memcmp(peer->key, key, ADDRESS) == 0)
            return peer;
    }
    struct cg_peer *peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    memcpy(peer->key, key, ADDRESS);
    peer->next = *bucket;
    *bucket = peer;
    return peer;
}

bool cg_peers_enter(struct cg_peers *peers, const struct sockaddr *from, struct cg_peer **out)
{
    unsigned char key[ADDRESS];
    *out = NULL;
    if (!peers->most || !address_of(from, key) || is_trusted(peers->nets, peers->n_nets, key))
        return true;
    if (memcmp(key, v4_begin, V4_AT) != 0)
        memset(key + SITE, 0, ADDRESS - SITE);
    struct cg_peer *peer = find_or_add(peers, key);
    if (!peer || peer->connections >= peers->most)
        return false;
    peer->connections++;
    *out = peer;
    return true;
}

void cg_peers_leave(struct cg_peers *peers, struct cg_peer *peer)
{
    if (!peer || --peer->connections)
        return;
    struct cg_peer **at = bucket_of(peers, peer->key);
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    free(peer);
}
