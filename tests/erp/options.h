/* SPDX-License-Identifier: Apache-2.0
 * The command line. */
#ifndef ERP_OPTIONS_H
#define ERP_OPTIONS_H

#include "site.h"

#include <stdbool.h>

struct options {
    char address[64];
    int port;
    const char *ledger_dir;
    struct option_tenant {
        char *name; /* of the command line, cut at the = */
        const char *data;
    } tenants[SITE_TENANTS_MAX];
    int tenant_count;
    const char *secret_file;
    const char *port_file;
    const char *today;
    int delay_ms;
    bool faults;
};

/* False when the program is to end with *status: after --help, or a word on what is wrong. */
bool options_read(struct options *options, int argc, char **argv, int *status);

#endif
