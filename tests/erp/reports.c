/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"
#include "handlers.h"
#include "records.h"

#include <string.h>

#define GROUPS_MAX 1000

/* Cancellations have negative quantities, so sums are net. Drafts are no sales yet. Questions about whole
   invoices are answered from their headers; only those about an item need the lines. */
struct source {
    const char *units;
    const char *amount;
    const char *count;
    const char *from;
};

static const struct source headers = { "sum(i.units)", "sum(i.total)", "count(*)",
                                       " FROM invoices i WHERE i.status <> 'draft'" };
static const struct source lines = {
    "sum(l.quantity)", "sum(l.amount)", "count(DISTINCT i.key)",
    " FROM lines l JOIN invoices i ON i.key = l.invoice WHERE i.status <> 'draft'"
};

static const struct grouping {
    const char *name;
    const char *key;   /* NULL: no groups */
    const char *label; /* of the key of a finished group */
    bool by_lines;
    bool by_time; /* in the order of the calendar unless another is asked for */
} groupings[] = {
    { "none", NULL, NULL, false, false },
    { "customer", "i.customer_id", "(SELECT name FROM customers WHERE id = g.key)", false, false },
    { "item", "l.sku", "(SELECT description FROM items WHERE sku = g.key)", true, false },
    { "month", "substr(i.date, 1, 7)", "g.key", false, true },
    { "day", "i.date", "g.key", false, true },
};
#define GROUPINGS (sizeof(groupings) / sizeof(groupings[0]))

struct summary {
    const char *item_id;
    const char *customer_id;
    const char *from;
    const char *to;
    const char *order;
    const struct grouping *grouping;
    struct page page;
};

static void source_add(struct query *query, const struct source *source, const struct summary *summary)
{
    query_add(query, source->from);
    query_text(query, " AND l.sku = ?", summary->item_id);
    query_text(query, " AND i.customer_id = ?", summary->customer_id);
    query_text(query, " AND i.date >= ?", summary->from);
    query_text(query, " AND i.date <= ?", summary->to);
}

static void totals(struct ledger *ledger, const struct summary *summary, json_t *data)
{
    const struct source *source = summary->item_id != NULL ? &lines : &headers;
    struct query query = { 0 };
    sqlite3_stmt *row;

    query_add(&query, "SELECT coalesce(");
    query_add(&query, source->units);
    query_add(&query, ", 0), coalesce(");
    query_add(&query, source->amount);
    query_add(&query, ", 0), ");
    query_add(&query, source->count);
    source_add(&query, source, summary);
    row = query_open(ledger, &query);
    if (ledger_next(ledger, row)) {
        json_object_set_new(data, "units", json_integer(sqlite3_column_int64(row, 0)));
        json_object_set_new(data, "amount", decimal_json_amount(sqlite3_column_int64(row, 1)));
        json_object_set_new(data, "currency", json_string(LEDGER_CURRENCY));
        json_object_set_new(data, "invoices", json_integer(sqlite3_column_int64(row, 2)));
    }
    sqlite3_finalize(row);
}

static const char *group_order(const struct summary *summary)
{
    if (summary->order == NULL && summary->grouping->by_time)
        return " ORDER BY g.key";
    if (summary->order != NULL && strcmp(summary->order, "units") == 0)
        return " ORDER BY g.units DESC, g.key";
    return " ORDER BY g.amount DESC, g.key";
}

/* A sale without a customer has no key to stand under: it is in the totals only. */
static json_t *groups(struct ledger *ledger, const struct summary *summary)
{
    bool by_lines = summary->item_id != NULL || summary->grouping->by_lines;
    const struct source *source = by_lines ? &lines : &headers;
    struct query query = { 0 };
    json_t *list = json_array();
    sqlite3_stmt *row;

    query_add(&query, "SELECT g.key, ");
    query_add(&query, summary->grouping->label);
    query_add(&query, ", g.units, g.amount FROM (SELECT ");
    query_add(&query, summary->grouping->key);
    query_add(&query, " AS key, ");
    query_add(&query, source->units);
    query_add(&query, " AS units, ");
    query_add(&query, source->amount);
    query_add(&query, " AS amount");
    source_add(&query, source, summary);
    query_add(&query, " GROUP BY 1) g WHERE g.key IS NOT NULL");
    query_add(&query, group_order(summary));
    query_number(&query, " LIMIT ?", summary->page.limit);
    query_number(&query, " OFFSET ?", summary->page.offset);
    row = query_open(ledger, &query);
    while (ledger_next(ledger, row))
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o}", "key", ledger_column_text(row, 0),
                                              "name", ledger_column_text(row, 1), "units",
                                              (json_int_t)sqlite3_column_int64(row, 2), "amount",
                                              decimal_json_amount(sqlite3_column_int64(row, 3))));
    sqlite3_finalize(row);
    return list;
}

/* A filter that names nothing would give a nought that looks like a fact. */
static bool named(struct request *request, struct reply *reply, const char *kind, const char *sql,
                  const char *id)
{
    if (id == NULL || ledger_number(request->ledger, 0, sql, "t", id) != 0)
        return true;
    return reply_error(reply, 404, "no %s %s", kind, id);
}

static bool summary_read(struct request *request, struct reply *reply, struct summary *summary)
{
    static const char *const group_names[] = { "none", "customer", "item", "month", "day", NULL };
    static const char *const order_names[] = { "units", "amount", NULL };
    const char *group_by;

    if (!request_one_of(request, reply, "group_by", group_names, &group_by) ||
        !request_one_of(request, reply, "order", order_names, &summary->order) ||
        !request_date(request, reply, "from", &summary->from) ||
        !request_date(request, reply, "to", &summary->to))
        return false;
    summary->item_id = request_text(request, "item_id");
    summary->customer_id = request_text(request, "customer_id");
    summary->grouping = &groupings[0];
    for (size_t i = 0; group_by != NULL && i < GROUPINGS; i++) {
        if (strcmp(groupings[i].name, group_by) == 0)
            summary->grouping = &groupings[i];
    }
    return request_page(request, reply, summary->grouping->by_time ? GROUPS_MAX : 100, GROUPS_MAX,
                        &summary->page) &&
           named(request, reply, "item", "SELECT 1 FROM items WHERE sku = ?", summary->item_id) &&
           named(request, reply, "customer", "SELECT 1 FROM customers WHERE id = ?", summary->customer_id);
}

void sales_summary(struct request *request, struct reply *reply)
{
    struct summary summary = { 0 };
    json_t *data;

    if (!summary_read(request, reply, &summary))
        return;
    data = json_pack("{s:s?, s:s?, s:s?, s:s?}", "from", summary.from, "to", summary.to, "item_id",
                     summary.item_id, "customer_id", summary.customer_id);
    totals(request->ledger, &summary, data);
    json_object_set_new(data, "groups",
                        summary.grouping->key == NULL ? json_array() : groups(request->ledger, &summary));
    reply_json_take(reply, 200, json_pack("{s:o}", "data", data));
}
