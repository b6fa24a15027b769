/* SPDX-License-Identifier: Apache-2.0
 * An operator's file as the engine loads it, on a smaller budget: a fuzzer does not wait for millions of steps. */
#ifndef TESTS_FUZZ_OPERATOR_FILE_H
#define TESTS_FUZZ_OPERATOR_FILE_H

#include "fuzz.h"

#include "engine/base/utf8.h"
#include "engine/policy/load.h"

/* The file's table, NULL when it is none. `box` is to be destroyed. */
static inline json_t *operator_file(struct cogent_str source, const char *name, struct cg_box **box)
{
    static const struct cg_box_limits limits = { .memory = 16 << 20,
                                                 .block = 4 << 20,
                                                 .text = 1 << 20,
                                                 .output = 4 << 20,
                                                 .items = 10000,
                                                 .names = 4096,
                                                 .steps = 100000,
                                                 .us = 500000 };
    struct cg_load load = { .source = source, .file = name, .prefix = name, .keep = true };
    struct cg_err err = { 0 };
    json_t *table;
    FUZZ_REQUIRE(cg_box_create(&limits, box) == 0);
    int rc = cg_load_run(*box, &load, &table, &err);
    FUZZ_REQUIRE((rc == 0) == (table != NULL));
    FUZZ_REQUIRE(rc == 0 || (err.message[0] && cg_utf8_valid(cogent_str(err.message))));
    return table;
}

#endif
