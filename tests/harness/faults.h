/* SPDX-License-Identifier: Apache-2.0
 * What a test and the library of faults.c inside a server share: a file of this shape, mapped by both. */
#ifndef HARNESS_FAULTS_H
#define HARNESS_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

enum { FRAMES_MAX = 48 };

struct faults {
    /* Allocations: of process `pid`, the `fail_at`-th from the moment that pid was set fails, once. */
    _Atomic int32_t pid;
    _Atomic uint32_t fail_at; /* 0: all are counted, none fails */
    _Atomic uint32_t counted;
    _Atomic uint32_t failed;
    /* Of every process. */
    _Atomic int32_t fsync_errno;    /* 0: fsync works */
    _Atomic int32_t write_errno;    /* of files, not of sockets and pipes; 0: writing works */
    _Atomic int64_t clock_ms;       /* added to the wall clock */
    _Atomic uint32_t syncs, writes; /* that were refused */
    /* Where the allocation failed. */
    _Atomic uint32_t n_frames;
    uint64_t frames[FRAMES_MAX];
};

#endif
