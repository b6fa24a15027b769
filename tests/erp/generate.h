/* SPDX-License-Identifier: Apache-2.0
 * Founds a ledger on a made-up company: the same sales each time. */
#ifndef ERP_GENERATE_H
#define ERP_GENERATE_H

#include "ledger.h"

bool generate_books(struct ledger *ledger);

#endif
