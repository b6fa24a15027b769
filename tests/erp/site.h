/* SPDX-License-Identifier: Apache-2.0
 * What this server serves: fixed at the start, read by every request. */
#ifndef ERP_SITE_H
#define ERP_SITE_H

#include "ledger.h"

#define SITE_TENANTS_MAX 64
#define SITE_SECRET_MAX  1024

struct site {
    struct ledger tenants[SITE_TENANTS_MAX];
    int tenant_count;
    char secret[SITE_SECRET_MAX];
    size_t secret_length;
    bool faults;       /* X-Fault and /_ledger are honoured */
    const char *today; /* NULL: the clock's */
};

#endif
