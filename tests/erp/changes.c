/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers.h"
#include "records.h"
#include "stamp.h"

#define IDS_MAX 5000

/* What one that keeps a copy asks: what changed since, and which are there at all. */
struct kind {
    records_fn records;
    const char *after; /* a change stamp */
    const char *order;
    const char *ids; /* after an id */
};

static const struct kind invoice_kind = { invoices_where, " WHERE d.modified > ?", " ORDER BY d.modified",
                                          "SELECT id FROM invoices WHERE id > ? ORDER BY id LIMIT ?" };
static const struct kind customer_kind = { customers_where, " WHERE c.modified > ?", " ORDER BY c.modified",
                                           "SELECT id FROM customers WHERE id > ? ORDER BY id LIMIT ?" };
static const struct kind item_kind = { items_where, " WHERE modified > ?", " ORDER BY modified",
                                       "SELECT sku FROM items WHERE sku > ? ORDER BY sku LIMIT ?" };
static const struct kind order_kind = {
    orders_where, " WHERE d.modified > ?", " ORDER BY d.modified",
    "SELECT number FROM orders WHERE number > ? ORDER BY number LIMIT ?"
};

/* One record more than the page is read, to know whether there is more. */
static json_t *next_take(json_t *items, const struct page *page, const char *member)
{
    json_t *last;

    if ((int64_t)json_array_size(items) <= page->limit)
        return json_null();
    json_array_remove(items, (size_t)page->limit);
    last = json_array_get(items, (size_t)page->limit - 1);
    return json_incref(member == NULL ? last : json_object_get(last, member));
}

/* `after` is the cursor of the page before and goes before modified_after, where the first page began. */
static void changed(struct request *request, struct reply *reply, const struct kind *kind)
{
    const char *cursor = request_text(request, "after");
    const char *since = cursor != NULL ? cursor : request_text(request, "modified_after");
    struct query tail = { 0 };
    struct page page;
    int64_t stamp = INT64_MIN;
    json_t *items;
    json_t *next;

    if (!request_page(request, reply, 100, LIST_MAX, &page))
        return;
    if (since != NULL && !stamp_parse(since, &stamp)) {
        reply_error(reply, 422, "modified_after: %s is not a time such as 2025-12-31T17:05:00.000001Z",
                    since);
        return;
    }
    query_number(&tail, kind->after, stamp);
    query_add(&tail, kind->order);
    query_number(&tail, " LIMIT ?", page.limit + 1);
    query_number(&tail, " OFFSET ?", page.offset);
    items = kind->records(request->ledger, &tail);
    next = next_take(items, &page, "modified");
    reply_json_take(reply, 200, json_pack("{s:o, s:o}", "items", items, "next", next));
}

static void ids(struct request *request, struct reply *reply, const struct kind *kind)
{
    const char *after = request_text(request, "after");
    struct page page;
    json_t *items;
    json_t *next;
    sqlite3_stmt *row;

    if (!request_page(request, reply, 1000, IDS_MAX, &page))
        return;
    items = json_array();
    row = ledger_open_statement(request->ledger, kind->ids, "ti", after == NULL ? "" : after, page.limit + 1);
    while (ledger_next(request->ledger, row))
        json_array_append_new(items, json_string(ledger_column_text(row, 0)));
    sqlite3_finalize(row);
    next = next_take(items, &page, NULL);
    reply_json_take(reply, 200, json_pack("{s:o, s:o}", "items", items, "next", next));
}

void invoices_changed(struct request *request, struct reply *reply)
{
    changed(request, reply, &invoice_kind);
}

void invoices_ids(struct request *request, struct reply *reply)
{
    ids(request, reply, &invoice_kind);
}

void customers_changed(struct request *request, struct reply *reply)
{
    changed(request, reply, &customer_kind);
}

void customers_ids(struct request *request, struct reply *reply)
{
    ids(request, reply, &customer_kind);
}

void items_changed(struct request *request, struct reply *reply)
{
    changed(request, reply, &item_kind);
}

void items_ids(struct request *request, struct reply *reply)
{
    ids(request, reply, &item_kind);
}

void orders_changed(struct request *request, struct reply *reply)
{
    changed(request, reply, &order_kind);
}

void orders_ids(struct request *request, struct reply *reply)
{
    ids(request, reply, &order_kind);
}
