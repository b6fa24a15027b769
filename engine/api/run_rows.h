/* SPDX-License-Identifier: Apache-2.0
 * A run as the database has it, for the routes that read one. */
#ifndef CG_API_RUN_ROWS_H
#define CG_API_RUN_ROWS_H

#include "request.h"

/* Rows of run_row.list, the step-th statement of the group, as [{"row", "at", "kind", "body"}]. A new reference. */
json_t *cg_run_rows_json(const struct cogent_db_result *result, size_t step);
/* The run's status as its user sees it; head: a row of run.get. */
const char *cg_run_status(const struct cg_request *r, struct cogent_row head);
const char *cg_run_status_of(const struct cg_request *r, struct cogent_str status, struct cogent_str owner,
                             bool survives);

#endif
