/* SPDX-License-Identifier: Apache-2.0
 * Errors with words. Detected low, logged once at the top. */
#ifndef CG_BASE_ERR_H
#define CG_BASE_ERR_H

#include <cogent/error.h>
#include <cogent/types.h>

struct cg_err {
    int code;          /* enum cogent_err */
    char message[320]; /* what is wrong, where, what to do; safe to show to the tenant */
};

/* Fills err (may be NULL) and returns code, so that a function can end with it. */
int cg_err_set(struct cg_err *err, int code, const char *format, ...) COGENT_PRINTF(3, 4);

/* A programming error: says where and aborts, always. For what input can cause, return an error instead. */
#define CG_REQUIRE(cond)                                                                                     \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            cg_require_failed(#cond, __FILE__, __LINE__);                                                    \
    } while (0)

_Noreturn void cg_require_failed(const char *cond, const char *file, int line);

#endif
