/* SPDX-License-Identifier: Apache-2.0
 * The short list of what can go wrong. Functions that can fail return 0 or one of these (all negative).
 * Classes of a service's answer and of the engine's own doors are the same list, so an error keeps its
 * name from the ERP to the user.
 */
#ifndef COGENT_ERROR_H
#define COGENT_ERROR_H

enum cogent_err {
    COGENT_OK = 0,
    COGENT_INVALID = -1,     /* the input is wrong: whoever sent it can mend it */
    COGENT_DENIED = -2,      /* known, understood, not allowed */
    COGENT_NOT_FOUND = -3,   /* nothing there, or nothing that this user may see */
    COGENT_CONFLICT = -4,    /* the state of the record forbids it */
    COGENT_AUTH = -5,        /* credential missing, refused or dead */
    COGENT_LIMIT = -6,       /* too much or too often; later it may work */
    COGENT_BUDGET = -7,      /* money is spent; retrying does not help */
    COGENT_TIMEOUT = -8,     /* a deadline passed */
    COGENT_UNAVAILABLE = -9, /* the other side cannot be reached or says so itself */
    COGENT_UPSTREAM = -10,   /* the other side answered, wrongly */
    COGENT_UNKNOWN = -11,    /* a write was sent and not answered: it may or may not have happened */
    COGENT_CANCELLED = -12,  /* nobody waits any more */
    COGENT_NO_MEMORY = -13,
    COGENT_INTERNAL = -14, /* our fault */
};

/* "invalid", "denied", ...: the word used in JSON, logs and metrics. Never NULL. */
static inline const char *cogent_err_name(int err)
{
    static const char *const names[] = {
        "ok",      "invalid",     "denied",   "not_found", "conflict",  "auth",      "limit",    "budget",
        "timeout", "unavailable", "upstream", "unknown",   "cancelled", "no_memory", "internal",
    };
    return err <= 0 && err >= COGENT_INTERNAL ? names[-err] : "internal";
}

#endif
