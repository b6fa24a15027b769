/* SPDX-License-Identifier: Apache-2.0
 * The tables of a ledger. */
#ifndef ERP_SCHEMA_H
#define ERP_SCHEMA_H

extern const char schema_sql[];

#endif
