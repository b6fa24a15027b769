/* SPDX-License-Identifier: Apache-2.0
 * The founding of a ledger: lines of sales go in, and become invoices, customers, items, stock and sales orders.
   The same for a file of sales and for the generated company. */
#ifndef ERP_BOOKS_H
#define ERP_BOOKS_H

#include "ledger.h"

struct sale {
    const char *invoice;
    const char *sku;
    const char *description; /* may be empty */
    int64_t quantity;
    const char *at; /* YYYY-MM-DDTHH:MM[:SS] */
    int64_t price;
    const char *customer; /* empty: an anonymous sale */
    const char *country;
};

struct books {
    struct ledger *ledger;
    sqlite3_stmt *line;
};

/* Everything happens in one transaction, which books_finish commits. */
bool books_begin(struct books *books, struct ledger *ledger);

/* What is known of a customer or an item besides its sales; texts that are NULL are made up. */
void books_customer(struct books *books, const char *id, const char *name, const char *email,
                    int64_t credit_limit);
void books_item(struct books *books, const char *sku, const char *category);

/* NULL, or what is wrong with this line, which is then left out. */
const char *books_sale(struct books *books, const struct sale *sale);

bool books_finish(struct books *books);
/* Instead of it: what was begun goes with the ledger's closing. */
void books_abandon(struct books *books);

#endif
