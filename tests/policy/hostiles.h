/* SPDX-License-Identifier: Apache-2.0
 * Hostile scripts: what each tries, the body of its decide(call, ctx), and what the denial says. One table for the
 * sandbox's own tests, for the door where a tool call is decided, and for the generator that mutates them. */
#ifndef TESTS_POLICY_HOSTILES_H
#define TESTS_POLICY_HOSTILES_H

#include <stddef.h>

#define STEPS  "steps"  /* the reason of what ran out of steps */
#define MEMORY "memory" /* of memory */

struct hostile {
    const char *name;
    const char *body;
    const char *reason; /* what the reason holds; NULL: any, for more than one limit may be the first */
};

extern const struct hostile hostiles[];
extern const size_t n_hostiles;

#endif
