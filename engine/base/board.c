/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t magic = 0x31647261426743; /* CgBard1 */

static struct cg_board *map(int fd)
{
    void *p = mmap(NULL, sizeof(struct cg_board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

int cg_board_make(struct cg_board **out)
{
    int fd = memfd_create("cogent-board", 0);
    *out = fd >= 0 && ftruncate(fd, sizeof(struct cg_board)) == 0 ? map(fd) : NULL;
    if (!*out) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    (*out)->magic = magic;
    return fd;
}

struct cg_board *cg_board_map(int fd)
{
    struct stat st;
    struct cg_board *board = fstat(fd, &st) == 0 && st.st_size == sizeof *board ? map(fd) : NULL;
    if (board && board->magic != magic) {
        cg_board_unmap(board);
        return NULL;
    }
    return board;
}

void cg_board_unmap(struct cg_board *board)
{
    if (board)
        munmap(board, sizeof *board);
}

static uint64_t hash(const char *text)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a: the ids are random already */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ? h : 1;
}

struct cg_board_tenant *cg_board_tenant(struct cg_board *board, const char *tenant_id)
{
    uint64_t key = hash(tenant_id);
    for (size_t i = 0; i < CG_BOARD_TENANTS; i++) {
        struct cg_board_tenant *t = &board->tenants[(key + i) % CG_BOARD_TENANTS];
        uint64_t none = 0;
        if (atomic_load(&t->key) == key || atomic_compare_exchange_strong(&t->key, &none, key) || none == key)
            return t;
    }
    return NULL;
}

uint32_t cg_board_runs(const struct cg_board_tenant *tenant)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < CG_WORKERS_MAX; i++)
        sum += atomic_load(&tenant->runs[i]);
    return sum;
}

void cg_board_clear_runs(struct cg_board *board, unsigned slot)
{
    for (size_t i = 0; i < CG_BOARD_TENANTS; i++)
        atomic_store(&board->tenants[i].runs[slot], 0);
}

bool cg_board_alive(const struct cg_board *board, unsigned slot, uint64_t incarnation)
{
    return slot < CG_WORKERS_MAX && atomic_load(&board->slots[slot].pid) != 0 &&
           atomic_load(&board->slots[slot].incarnation) == incarnation;
}
