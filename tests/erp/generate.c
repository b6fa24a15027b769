/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "books.h"
#include "catalogue.h"
#include "decimal.h"
#include "stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY               (INT64_C(86400) * 1000000)
#define DAYS              549 /* 2024-07-01 to 2025-12-31 */
#define FIRST_DAY         "2024-07-01T00:00:00Z"
#define FIRST_NUMBER      536365
#define SEED              UINT64_C(20240701)
#define INVOICES_A_DAY    8
#define LINES_MAX         9
#define ANONYMOUS         8 /* in a hundred */
#define RETURNED          2 /* in a hundred */
#define BULK              24
#define CENTS(hundredths) ((int64_t)(hundredths) * (DECIMAL_ONE / 100))

struct company {
    struct books books;
    uint64_t state;
    int number;    /* of the next invoice */
    int64_t today; /* stamp of its midnight */
    int month;     /* 0 is January */
    int weekday;   /* 0 is Monday */
};

/* Per cent of an average working day. */
static const int weekdays[7] = { 105, 115, 115, 125, 100, 30, 0 };
static const int months[12] = { 75, 80, 90, 95, 100, 95, 90, 95, 110, 120, 145, 105 };
static const int quantities[] = { 1, 2, 2, 3, 4, 6, 6, 6, 8, 12, 12, 24, 48 };

/* The document that manuals and tests speak of. */
static const struct {
    const char *sku;
    int quantity;
} first_invoice[] = { { "85123A", 6 }, { "71053", 6 }, { "84406B", 8 }, { "84029G", 6 },
                      { "84029E", 6 }, { "22752", 2 }, { "21730", 6 } };

static int pick(struct company *company, int below)
{
    uint64_t z = company->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int)((z ^ z >> 31) % (uint64_t)below);
}

static const struct catalogue_customer *customer_pick(struct company *company)
{
    int sum = 0;
    size_t i = 0;

    for (size_t c = 0; c < catalogue_customer_count; c++)
        sum += catalogue_customers[c].weight;
    for (sum = pick(company, sum); sum >= catalogue_customers[i].weight; i++)
        sum -= catalogue_customers[i].weight;
    return &catalogue_customers[i];
}

static int item_weight(const struct company *company, const struct catalogue_item *item)
{
    return item->weight * catalogue_seasons[item->season][company->month];
}

static const struct catalogue_item *item_pick(struct company *company)
{
    int sum = 0;
    size_t i = 0;

    for (size_t n = 0; n < catalogue_item_count; n++)
        sum += item_weight(company, &catalogue_items[n]);
    for (sum = pick(company, sum); sum >= item_weight(company, &catalogue_items[i]); i++)
        sum -= item_weight(company, &catalogue_items[i]);
    return &catalogue_items[i];
}

static const struct catalogue_item *item_named(const char *sku)
{
    const struct catalogue_item *item = catalogue_items;

    for (size_t i = 0; i < catalogue_item_count; i++) {
        if (strcmp(catalogue_items[i].sku, sku) == 0)
            item = &catalogue_items[i];
    }
    return item;
}

/* A tenth off from two dozen on, rounded to the penny. */
static int64_t price_for(const struct catalogue_item *item, int quantity)
{
    return CENTS(quantity >= BULK ? (item->price * 9 + 5) / 10 : item->price);
}

static void sell(struct company *company, struct sale *sale, const struct catalogue_item *item, int quantity)
{
    sale->sku = item->sku;
    sale->description = item->description;
    sale->quantity = quantity;
    sale->price = price_for(item, abs(quantity));
    books_sale(&company->books, sale);
}

static void sell_first(struct company *company)
{
    struct sale sale = {
        .invoice = "536365", .at = "2024-07-01T08:26", .customer = "17850", .country = "United Kingdom"
    };

    for (size_t i = 0; i < sizeof(first_invoice) / sizeof(first_invoice[0]); i++)
        sell(company, &sale, item_named(first_invoice[i].sku), first_invoice[i].quantity);
    company->number = FIRST_NUMBER + 1;
}

/* A part of the first line comes back some minutes later. */
static void take_back(struct company *company, const struct sale *sold, const struct catalogue_item *item,
                      int quantity)
{
    char number[24];
    struct sale sale = *sold;

    snprintf(number, sizeof(number), "C%d", company->number++);
    sale.invoice = number;
    sell(company, &sale, item, -(1 + pick(company, quantity)));
}

static void sell_invoice(struct company *company, int minute)
{
    const struct catalogue_customer *customer = customer_pick(company);
    bool anonymous = pick(company, 100) < ANONYMOUS;
    const struct catalogue_item *first = NULL;
    int lines = 1 + pick(company, LINES_MAX);
    int first_quantity = 0;
    char number[24];
    char at[STAMP_SIZE];
    struct sale sale = { .invoice = number, .at = at, .country = customer->country };

    stamp_format(company->today + minute * INT64_C(60000000), at);
    at[16] = '\0';
    snprintf(number, sizeof(number), "%d", company->number++);
    sale.customer = anonymous ? "" : customer->id;
    for (int i = 0; i < lines; i++) {
        const struct catalogue_item *item = item_pick(company);
        int quantity = quantities[pick(company, (int)(sizeof(quantities) / sizeof(quantities[0])))];
        sell(company, &sale, item, quantity);
        if (first == NULL) {
            first = item;
            first_quantity = quantity;
        }
    }
    if (pick(company, 100) < RETURNED)
        take_back(company, &sale, first, first_quantity);
}

static void sell_day(struct company *company)
{
    int hundredths = INVOICES_A_DAY * weekdays[company->weekday] * months[company->month] / 100;
    int count = (hundredths + pick(company, 100)) / 100;
    int minute = 8 * 60 + 30;

    if (weekdays[company->weekday] == 0)
        return;
    for (int i = 0; i < count; i++) {
        minute += 1 + pick(company, 2 * 9 * 60 / (count + 1));
        sell_invoice(company, minute);
    }
}

static void register_all(struct books *books)
{
    for (size_t i = 0; i < catalogue_item_count; i++)
        books_item(books, catalogue_items[i].sku, catalogue_items[i].category);
    for (size_t i = 0; i < catalogue_customer_count; i++) {
        const struct catalogue_customer *customer = &catalogue_customers[i];
        char email[80];
        snprintf(email, sizeof(email), "accounts@%s", customer->mail);
        books_customer(books, customer->id, customer->name, email, customer->credit_limit * DECIMAL_ONE);
    }
}

bool generate_books(struct ledger *ledger)
{
    struct company company = { .state = SEED };
    char date[STAMP_SIZE];

    if (!books_begin(&company.books, ledger) || !stamp_parse(FIRST_DAY, &company.today))
        return false;
    register_all(&company.books);
    sell_first(&company);
    for (int day = 0; day < DAYS; day++, company.today += DAY) {
        stamp_format(company.today, date);
        company.month = (date[5] - '0') * 10 + date[6] - '0' - 1;
        company.weekday = day % 7; /* the first day is a Monday */
        sell_day(&company);
    }
    return books_finish(&company.books);
}
