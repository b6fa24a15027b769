/* SPDX-License-Identifier: Apache-2.0
 * The board: one shared memory region that the master makes and every worker maps. A slot a worker, written by that
 * worker alone (a dead one's counts stay), and a table of tenants for what is limited across workers. */
#ifndef CG_BASE_BOARD_H
#define CG_BASE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CG_WORKERS_MAX = 32,
    CG_SERIES_MAX = 384,
    CG_LABELS_SIZE = 160,
    CG_BUCKETS = 14,
    CG_BOARD_TENANTS = 4096,
    CG_BOARD_PLUGINS = 64,
    CG_BOARD_LOCK_SIZE = 128
};

/* One series of one family: a counter, a gauge or a histogram. */
struct cg_series {
    _Atomic uint32_t family;     /* 1 + index into the family table; 0: free */
    char labels[CG_LABELS_SIZE]; /* a="x",b="y" */
    _Atomic int64_t value; /* counter and gauge: thousandths where the family says so; histogram: sum in us */
    _Atomic int64_t count; /* histogram */
    _Atomic int64_t bucket[CG_BUCKETS];
};

struct cg_slot {
    _Atomic int32_t pid; /* 0: nobody */
    _Atomic uint64_t
        incarnation; /* grows with each worker that takes a slot, and from one server to the next */
    _Atomic int64_t heartbeat_us; /* monotonic */
    _Atomic uint32_t load;        /* open exchanges */
    _Atomic uint32_t draining;
    _Atomic uint32_t full; /* it has as many questions as it takes */
    char role[8];
    char plugin[40]; /* whose code is running; "" for the engine's own */
    struct cg_series series[CG_SERIES_MAX];
};

/* What one tenant has running and has asked, over all workers. */
struct cg_board_tenant {
    _Atomic uint64_t key; /* hash of the tenant's id; 0: free */
    _Atomic uint32_t runs[CG_WORKERS_MAX];
    _Atomic int64_t hour;
    _Atomic uint32_t calls; /* in that hour */
    /* Runs that have begun to wait for their user to sign in; and, one more than that count, when none was left. */
    _Atomic uint64_t awaits, awaits_none;
};

/* What workers a plugin has cost: see holds.h. Written by the master alone. */
struct cg_board_plugin {
    char name[40];              /* "": free; set before the rest, and never again */
    _Atomic uint32_t crashes;   /* since the server began */
    _Atomic int64_t crashed_us; /* the last one, by the wall clock */
    _Atomic int64_t held_until; /* monotonic us; 0: never held back */
    int64_t recent[2];          /* monotonic us of the two before the last */
    uint32_t holds;             /* in a row: each is twice as long */
};

struct cg_board {
    uint64_t magic;
    _Atomic uint64_t incarnations;
    _Atomic uint64_t generation; /* of configuration and policies */
    _Alignas(64) unsigned char db_lock[CG_BOARD_LOCK_SIZE];
    struct cg_slot slots[CG_WORKERS_MAX];
    struct cg_board_tenant tenants[CG_BOARD_TENANTS];
    struct cg_board_plugin plugins[CG_BOARD_PLUGINS];
};

/* The master makes it and keeps the descriptor for its workers; -1 without memory. */
int cg_board_make(struct cg_board **out);
/* A worker maps what it inherited; NULL when that is no board of this program. */
struct cg_board *cg_board_map(int fd);
void cg_board_unmap(struct cg_board *board);

/* The tenant's entry; NULL when the table is full (then nothing is limited, and the caller says so once). */
struct cg_board_tenant *cg_board_tenant(struct cg_board *board, const char *tenant_id);
uint32_t cg_board_runs(const struct cg_board_tenant *tenant);
/* Forgets what a dead worker had running. */
void cg_board_clear_runs(struct cg_board *board, unsigned slot);
/* Whether that incarnation of that slot still lives. */
bool cg_board_alive(const struct cg_board *board, unsigned slot, uint64_t incarnation);

#endif
