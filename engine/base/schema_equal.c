/* SPDX-License-Identifier: Apache-2.0
 * Equality as JSON Schema has it: 1 and 1.0 are one number, an object's order means nothing. */
#include "schema_tree.h"

#include <stdlib.h>

static bool equal_lists(const json_t *a, const json_t *b, long *steps)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!cg_schema_equal(json_array_get(a, i), json_array_get(b, i), steps))
            return false;
    }
    return true;
}

static bool equal_objects(const json_t *a, const json_t *b, long *steps)
{
    const char *key;
    json_t *value;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach ((json_t *)a, key, value) {
        const json_t *other = json_object_get(b, key);
        if (!other || !cg_schema_equal(value, other, steps))
            return false;
    }
    return true;
}

bool cg_schema_equal(const json_t *a, const json_t *b, long *steps)
{
    if ((*steps)-- <= 0)
        return false;
    if (json_is_number(a) && json_is_number(b)) {
        struct cg_decimal x, y;
        return cg_decimal_json(a, &x) && cg_decimal_json(b, &y) && cg_decimal_compare(&x, &y) == 0;
    }
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return equal_objects(a, b, steps);
    if (json_is_array(a))
        return equal_lists(a, b, steps);
    return json_equal(a, b) == 1;
}

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Equal values have equal hashes. */
static uint64_t hash(const json_t *v, long *steps)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    struct cg_decimal d;
    const char *key;
    json_t *member;
    if ((*steps)-- <= 0)
        return h;
    if (cg_decimal_json(v, &d)) {
        h = mix(h, d.digits, (size_t)d.n);
        return mix(mix(h, &d.negative, 1), &d.point, sizeof d.point);
    }
    char type = (char)json_typeof(v);
    h = mix(h, &type, 1);
    if (json_is_string(v))
        h = mix(h, json_string_value(v), json_string_length(v));
    for (size_t i = 0; i < json_array_size(v); i++) {
        uint64_t item = hash(json_array_get(v, i), steps);
        h = mix(h, &item, sizeof item);
    }
    uint64_t sum = 0; /* whatever the order */
    json_object_foreach ((json_t *)v, key, member) {
        uint64_t item = hash(member, steps);
        sum += mix(item, key, strlen(key));
    }
    return mix(h, &sum, sizeof sum);
}

struct hashed {
    uint64_t hash;
    size_t at;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

bool cg_schema_twins(const json_t *array, size_t *a, size_t *b, long *steps)
{
    size_t n = json_array_size(array);
    struct hashed *all = calloc(n + 1, sizeof *all);
    bool found = false;
    if (!all) {
        *steps = -1;
        return false;
    }
    for (size_t i = 0; i < n && *steps >= 0; i++)
        all[i] = (struct hashed){ hash(json_array_get(array, i), steps), i };
    if (*steps >= 0)
        qsort(all, n, sizeof *all, by_hash);
    for (size_t i = 0; i < n && !found && *steps >= 0; i++) {
        for (size_t j = i + 1; j < n && all[j].hash == all[i].hash && !found && *steps >= 0; j++) {
            found =
                cg_schema_equal(json_array_get(array, all[i].at), json_array_get(array, all[j].at), steps);
            *a = all[i].at;
            *b = all[j].at;
        }
    }
    free(all);
    return found;
}
