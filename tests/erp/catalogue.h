/* SPDX-License-Identifier: Apache-2.0
 * What the made-up company sells, to whom, and when it sells best. */
#ifndef ERP_CATALOGUE_H
#define ERP_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

enum season { SEASON_ALWAYS, SEASON_SUMMER, SEASON_DARK, SEASON_SCHOOL, SEASON_GIFTS, SEASONS };

struct catalogue_item {
    const char *sku;
    const char *description;
    const char *category;
    int64_t price; /* hundredths */
    int weight;    /* how often it is bought, in an average month */
    enum season season;
};

struct catalogue_customer {
    const char *id;
    const char *name;
    const char *mail; /* the part behind the @ */
    const char *country;
    int weight;           /* how often they buy */
    int64_t credit_limit; /* whole pounds */
};

extern const struct catalogue_item catalogue_items[];
extern const size_t catalogue_item_count;
extern const struct catalogue_customer catalogue_customers[];
extern const size_t catalogue_customer_count;

/* Per cent of an average month, January first. */
extern const int catalogue_seasons[SEASONS][12];

#endif
