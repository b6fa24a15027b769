/* SPDX-License-Identifier: Apache-2.0
 * Declarative options: one table parses the configuration, prints the reference and checks the types.
 *
 *     struct my { const char *base; int64_t timeout; };
 *     static const struct cogent_option options[] = {
 *         { COGENT_OPT_STRING, "base", "https://api.example.com/v1", offsetof(struct my, base), "Where it listens." },
 *         { COGENT_OPT_INT, "timeout", "30", offsetof(struct my, timeout), "Seconds, connect to last byte." },
 *         { 0 },
 *     };
 *
 * The engine fills a zeroed struct of `options_size` bytes and passes it to open(); strings live until close().
 * An unknown key is an error that names the nearest known one. A table ends with an entry whose key is NULL.
 */
#ifndef COGENT_OPTIONS_H
#define COGENT_OPTIONS_H

#include <cogent/types.h>

enum cogent_option_type {
    COGENT_OPT_STRING = 0, /* const char *  NULL when neither given nor defaulted */
    COGENT_OPT_INT = 1,    /* int64_t */
    COGENT_OPT_BOOL = 2,   /* int */
    COGENT_OPT_NUMBER = 3, /* double */
    COGENT_OPT_SECRET = 4, /* const char *  never printed or logged */
    COGENT_OPT_JSON = 5,   /* const char *  JSON text of whatever stands there */
};

struct cogent_option {
    int type; /* enum cogent_option_type */
    const char *key;
    const char *preset; /* default as text; NULL: none */
    size_t offset;      /* in the plugin's options struct */
    const char *help;   /* one sentence */
};

#endif
