/* SPDX-License-Identifier: Apache-2.0
 * What the fuzz targets share. A target is one function of bytes that ends, leaks nothing and asserts what must hold of
 * any input; it keeps nothing from one input for the next but what it made before the first. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <cogent/types.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(cond)                                                                                   \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);                        \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static inline struct cogent_str fuzz_text(const uint8_t *data, size_t size)
{
    return (struct cogent_str){ size ? (const char *)data : "", size };
}

/* Where a text is cut when it comes in pieces: by chance, but the same for the same text. Starts with 0. */
static inline size_t fuzz_piece(uint64_t *state, size_t left)
{
    *state = (*state + left + 1) * 6364136223846793005u + 1442695040888963407u;
    size_t n = 1 + (size_t)(*state >> 33) % 24;
    return n < left ? n : left;
}

/* A path under which the bytes can be read as a file. The same one for every input. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[32];
    static int fd;
    if (!path[0]) {
        fd = memfd_create("input", MFD_CLOEXEC);
        FUZZ_REQUIRE(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    FUZZ_REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

#endif
