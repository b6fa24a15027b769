/* SPDX-License-Identifier: Apache-2.0
 * Faults on demand, for a server that is run with LD_PRELOAD: an allocation that fails, a disk that is full or does not
 * sync, a wall clock that jumps. COGENT_FAULTS names the file by which a test asks for them (faults.h). It stands before
 * the allocator, a sanitizer's too, and so before every library's: Lua's, jansson's, SQLite's, libcurl's. */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

static struct faults *faults;
static pid_t self;

/* What the linker itself allocates before the next allocator is known. */
static char early[65536] __attribute__((aligned(16)));
static _Atomic size_t early_used;

static void *early_get(size_t size)
{
    size_t at = atomic_fetch_add(&early_used, (size + 15) & ~(size_t)15);
    return at + size <= sizeof early ? early + at : NULL;
}

static bool is_early(const void *p)
{
    return (const char *)p >= early && (const char *)p < early + sizeof early;
}

static void *next_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* The function of that name behind this library, once it is known; NULL while it is being looked up. Volatile, because
 * dlsym frees and allocates, which the compiler is told it does not. */
#define NEXT(name)                                                                                           \
    static __typeof__(&name) next_##name(void)                                                               \
    {                                                                                                        \
        static __typeof__(&name) found;                                                                      \
        static _Thread_local volatile bool looking;                                                          \
        if (!found && !looking) {                                                                            \
            looking = true;                                                                                  \
            void *symbol = next_of(#name);                                                                   \
            memcpy(&found, &symbol, sizeof found);                                                           \
            looking = false;                                                                                 \
        }                                                                                                    \
        return found;                                                                                        \
    }

NEXT(malloc)
NEXT(calloc)
NEXT(realloc)
NEXT(free)
NEXT(posix_memalign)
NEXT(aligned_alloc)
NEXT(fsync)
NEXT(fdatasync)
NEXT(write)
NEXT(pwrite64)
NEXT(fallocate64)
NEXT(posix_fallocate64)
NEXT(clock_gettime)

__attribute__((constructor)) static void begin(void)
{
    void *frames[2];
    const char *path = getenv("COGENT_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    backtrace(frames, 2); /* loads what it needs */
    self = getpid();
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        faults = p;
}

static void keep_frames(void)
{
    void *frames[FRAMES_MAX];
    int n = backtrace(frames, FRAMES_MAX);
    for (int i = 0; i < n; i++)
        faults->frames[i] = (uint64_t)(uintptr_t)frames[i];
    atomic_store(&faults->n_frames, (uint32_t)n);
}

/* Whether this allocation is the one. */
static bool fails(void)
{
    static _Thread_local bool inside; /* what keep_frames itself allocates does not count */
    if (!faults || inside || atomic_load_explicit(&faults->pid, memory_order_relaxed) != self)
        return false;
    uint32_t n = atomic_fetch_add(&faults->counted, 1) + 1;
    if (n != atomic_load(&faults->fail_at))
        return false;
    inside = true;
    keep_frames();
    inside = false;
    atomic_store(&faults->failed, 1);
    errno = ENOMEM;
    return true;
}

SHOWN void *malloc(size_t size)
{
    if (!next_malloc())
        return early_get(size);
    return fails() ? NULL : next_malloc()(size);
}

SHOWN void *calloc(size_t n, size_t size)
{
    if (!next_calloc())
        return early_get(n * size);
    return fails() ? NULL : next_calloc()(n, size);
}

SHOWN void *realloc(void *old, size_t size)
{
    if (is_early(old) || !next_realloc()) {
        void *p = malloc(size);
        size_t room = old ? (size_t)(early + sizeof early - (char *)old) : 0;
        return p && old ? memcpy(p, old, size < room ? size : room) : p;
    }
    return size && fails() ? NULL : next_realloc()(old, size);
}

SHOWN void *reallocarray(void *old, size_t n, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, all);
}

SHOWN int posix_memalign(void **out, size_t alignment, size_t size)
{
    return fails() ? ENOMEM : next_posix_memalign()(out, alignment, size);
}

SHOWN void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : next_aligned_alloc()(alignment, size);
}

SHOWN void free(void *p)
{
    if (p && !is_early(p) && next_free())
        next_free()(p);
}

/* Files. */

static bool refuses(_Atomic int32_t *why, _Atomic uint32_t *count)
{
    int e = faults ? atomic_load(why) : 0;
    if (!e)
        return false;
    atomic_fetch_add(count, 1);
    errno = e;
    return true;
}

static bool is_file(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 0;
}

static bool no_room(int fd)
{
    return faults && atomic_load(&faults->write_errno) && is_file(fd) &&
           refuses(&faults->write_errno, &faults->writes);
}

SHOWN int fsync(int fd)
{
    return faults && refuses(&faults->fsync_errno, &faults->syncs) ? -1 : next_fsync()(fd);
}

SHOWN int fdatasync(int fd)
{
    return faults && refuses(&faults->fsync_errno, &faults->syncs) ? -1 : next_fdatasync()(fd);
}

SHOWN ssize_t write(int fd, const void *data, size_t n)
{
    return fd > 2 && no_room(fd) ? -1 : next_write()(fd, data, n);
}

SHOWN ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    return no_room(fd) ? -1 : next_pwrite64()(fd, data, n, at);
}

SHOWN ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    return pwrite64(fd, data, n, at);
}

SHOWN int fallocate64(int fd, int mode, off64_t at, off64_t n)
{
    return no_room(fd) ? -1 : next_fallocate64()(fd, mode, at, n);
}

SHOWN int posix_fallocate64(int fd, off64_t at, off64_t n)
{
    return no_room(fd) ? errno : next_posix_fallocate64()(fd, at, n);
}

/* The wall clock. */

static int64_t shift_ms(void)
{
    return faults ? atomic_load(&faults->clock_ms) : 0;
}

SHOWN int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = next_clock_gettime()(id, out);
    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec += shift_ms() / 1000;
    return rc;
}

SHOWN int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

SHOWN time_t time(time_t *out)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
