/* SPDX-License-Identifier: Apache-2.0
 * The database's schema: scripts/sql/NNNN-*.sql in order, built in. A file's version is the number of texts run. */
#ifndef CG_SVC_SCHEMA_H
#define CG_SVC_SCHEMA_H

extern const char *const cg_migrations[]; /* ends with NULL */

#endif
