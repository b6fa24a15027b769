/* SPDX-License-Identifier: Apache-2.0
 * The handlers that the table of routes names, by the file that holds them. */
#ifndef ERP_HANDLERS_H
#define ERP_HANDLERS_H

#include "request.h"

/* health.c */
void health_show(struct request *request, struct reply *reply);
void ledger_show(struct request *request, struct reply *reply);

/* invoices.c */
void invoices_list(struct request *request, struct reply *reply);
void invoices_show(struct request *request, struct reply *reply);
void invoices_change(struct request *request, struct reply *reply);
void invoices_delete(struct request *request, struct reply *reply);

/* invoice_create.c */
void invoices_create(struct request *request, struct reply *reply);

/* customers.c */
void customers_list(struct request *request, struct reply *reply);
void customers_show(struct request *request, struct reply *reply);
void customers_create(struct request *request, struct reply *reply);

/* inventory.c */
void items_list(struct request *request, struct reply *reply);
void items_low(struct request *request, struct reply *reply);
void items_show(struct request *request, struct reply *reply);
void items_set_stock(struct request *request, struct reply *reply);

/* orders.c */
void orders_list(struct request *request, struct reply *reply);
void orders_show(struct request *request, struct reply *reply);

/* reports.c */
void sales_summary(struct request *request, struct reply *reply);

/* changes.c */
void invoices_changed(struct request *request, struct reply *reply);
void invoices_ids(struct request *request, struct reply *reply);
void customers_changed(struct request *request, struct reply *reply);
void customers_ids(struct request *request, struct reply *reply);
void items_changed(struct request *request, struct reply *reply);
void items_ids(struct request *request, struct reply *reply);
void orders_changed(struct request *request, struct reply *reply);
void orders_ids(struct request *request, struct reply *reply);

#endif
