/* SPDX-License-Identifier: Apache-2.0
 * What the lists of invoices and of sales orders have in common. In their statements the document is called d. */
#ifndef ERP_DOCUMENTS_H
#define ERP_DOCUMENTS_H

#include "request.h"

struct document_filter {
    const char *customer_id;
    const char *status;
    const char *from;
    const char *to;
};

/* customer_id, status, date_from and date_to of the query; false with a 422 said. */
bool document_filter_read(struct document_filter *filter, const struct request *request, struct reply *reply,
                          const char *const *statuses);

/* Adds " AND ..." for what was asked. */
void document_filter_add(struct query *query, const struct document_filter *filter);

/* Sets "total" (how many) and "sum" of all documents of the table that match, not only of a page. */
void document_totals(struct ledger *ledger, const char *table, const struct document_filter *filter,
                     json_t *body);

#endif
