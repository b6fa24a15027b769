/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ASIDE = 256 * 1024 };

/* Of the process, as memory is: whose piece is missing cannot be known in a library's allocator. */
static _Atomic uint32_t failures;
static _Atomic(void *) aside;

void cg_memory_failed(void)
{
    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
}

uint32_t cg_memory_failures(void)
{
    return atomic_load_explicit(&failures, memory_order_relaxed);
}

static bool give_back(void)
{
    void *block = atomic_exchange(&aside, NULL);
    free(block);
    return block != NULL;
}

void *cg_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        cg_memory_failed();
    return p;
}

void cg_memory_fill(void)
{
    if (atomic_load_explicit(&aside, memory_order_relaxed))
        return;
    void *none = NULL, *block = malloc(ASIDE);
    if (!atomic_compare_exchange_strong(&aside, &none, block))
        free(block);
}

void *cg_memory_malloc(size_t size)
{
    void *p = malloc(size);
    return p || !give_back() ? p : malloc(size);
}

void *cg_memory_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    return p || !give_back() ? p : calloc(n, size);
}

char *cg_memory_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = cg_memory_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void *cg_memory_realloc(void *old, size_t size)
{
    void *p = realloc(old, size);
    return p || size == 0 || !give_back() ? p : realloc(old, size);
}

/* Counted even when what was put aside helped: the question under way is where memory ends. */
static void *json_malloc(size_t size)
{
    void *p = malloc(size);
    if (p)
        return p;
    cg_memory_failed();
    return give_back() ? malloc(size) : NULL;
}

/* What it could not look at, OpenSSL says of a signature as it does of a wrong one. */
static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    void *p = malloc(size);
    if (!p && size)
        cg_memory_failed();
    return p;
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    void *p = realloc(old, size);
    if (!p && size)
        cg_memory_failed();
    return p;
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

void cg_memory_setup(void)
{
    json_set_alloc_funcs(json_malloc, free);
    CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    cg_memory_fill();
}
