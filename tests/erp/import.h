/* SPDX-License-Identifier: Apache-2.0
 * Founds a ledger on a file of sales. */
#ifndef ERP_IMPORT_H
#define ERP_IMPORT_H

#include "ledger.h"

/* Lines that cannot be read are reported with their number on stderr and left out. */
bool import_books(struct ledger *ledger, const char *path);

#endif
