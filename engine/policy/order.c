/* SPDX-License-Identifier: Apache-2.0
 * before and after: a stable order of decisions, and who was told to come before whom. */
#include "bundle.h"

#include <stdlib.h>

static size_t find(const struct cg_bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->n; i++)
        if (strcmp(bundle->decisions[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static int link_to(struct cg_bundle *bundle, size_t i, bool before, bool strict, struct cg_err *err)
{
    const struct cg_script *script = &bundle->decisions[i];
    size_t k;
    json_t *name;
    json_array_foreach (before ? script->before : script->after, k, name) {
        size_t other = find(bundle, json_string_value(name));
        if (other == SIZE_MAX && strict)
            return cg_err_set(err, COGENT_INVALID, "%s: %s: the bundle holds no decision %.100s",
                              script->file, before ? "before" : "after", json_string_value(name));
        if (other == i)
            return cg_err_set(err, COGENT_INVALID, "%s: %s: names itself", script->file,
                              before ? "before" : "after");
        if (other != SIZE_MAX)
            bundle->order[before ? i * bundle->n + other : other * bundle->n + i] = 1;
    }
    return 0;
}

/* Warshall's closure: before before is before. */
static void close_order(struct cg_bundle *bundle)
{
    size_t n = bundle->n;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; bundle->order[i * n + k] && j < n; j++)
                bundle->order[i * n + j] |= bundle->order[k * n + j];
}

bool cg_bundle_before(const struct cg_bundle *bundle, size_t a, size_t b)
{
    return bundle->order[a * bundle->n + b];
}

static int by_name(const void *a, const void *b)
{
    const struct cg_script *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Moves each decision behind those that come before it, else keeps the names' order. */
static void place(struct cg_bundle *bundle, struct cg_script *into, size_t *place_of)
{
    size_t n = bundle->n, done = 0;
    for (size_t i = 0; i < n; i++)
        place_of[i] = SIZE_MAX;
    while (done < n) {
        for (size_t i = 0; i < n; i++) {
            bool ready = place_of[i] == SIZE_MAX;
            for (size_t k = 0; ready && k < n; k++)
                ready = !bundle->order[k * n + i] || place_of[k] != SIZE_MAX;
            if (ready) {
                into[done] = bundle->decisions[i];
                place_of[i] = done++;
                break;
            }
        }
    }
}

int cg_bundle_sort(struct cg_bundle *bundle, bool strict, struct cg_err *err)
{
    size_t n = bundle->n;
    int rc = 0;
    if (n == 0)
        return 0;
    bundle->order = calloc(n, n);
    uint8_t *order = calloc(n, n);
    struct cg_script *sorted = calloc(n, sizeof *sorted);
    size_t *place_of = calloc(n, sizeof *place_of);
    if (!bundle->order || !order || !sorted || !place_of) {
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
        goto out;
    }
    qsort(bundle->decisions, n, sizeof *bundle->decisions, by_name);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = link_to(bundle, i, true, strict, err);
        if (rc == 0)
            rc = link_to(bundle, i, false, strict, err);
    }
    if (rc)
        goto out;
    close_order(bundle);
    for (size_t i = 0; i < n; i++) {
        if (bundle->order[i * n + i]) {
            rc = cg_err_set(err, COGENT_INVALID, "%s: before and after go in a circle",
                            bundle->decisions[i].file);
            goto out;
        }
    }
    place(bundle, sorted, place_of);
    memcpy(bundle->decisions, sorted, n * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            order[place_of[i] * n + place_of[k]] = bundle->order[i * n + k];
    memcpy(bundle->order, order, n * n);
out:
    free(order);
    free(sorted);
    free(place_of);
    return rc;
}
