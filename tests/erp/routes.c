/* SPDX-License-Identifier: Apache-2.0 */
#include "routes.h"

#include "handlers.h"
#include "once.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/api/v1"

enum access {
    ACCESS_OPEN,   /* nobody is asked who they are */
    ACCESS_FAULTS, /* as open, and there only with --faults */
    ACCESS_CALLER
};

enum effect {
    EFFECT_NONE,
    EFFECT_WRITE, /* in a transaction */
    EFFECT_ONCE   /* and under an Idempotency-Key, if there is one */
};

struct route {
    const char *method;
    const char *path; /* {} is one segment of any text */
    const char *permission;
    handler_fn handler;
    enum effect effect;
    enum access access;
};

/* The first that fits is taken, so words stand before {}. */
static const struct route routes[] = {
    { "GET", PREFIX "/invoices", "finance.read", invoices_list, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/invoices/changed", "finance.read", invoices_changed, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/invoices/ids", "finance.read", invoices_ids, EFFECT_NONE, ACCESS_CALLER },
    { "POST", PREFIX "/invoices", "finance.create", invoices_create, EFFECT_ONCE, ACCESS_CALLER },
    { "GET", PREFIX "/invoices/{}", "finance.read", invoices_show, EFFECT_NONE, ACCESS_CALLER },
    { "PATCH", PREFIX "/invoices/{}", "finance.update", invoices_change, EFFECT_ONCE, ACCESS_CALLER },
    { "DELETE", PREFIX "/invoices/{}", "finance.delete", invoices_delete, EFFECT_WRITE, ACCESS_CALLER },

    { "GET", PREFIX "/customers", "customer.read", customers_list, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/customers/changed", "customer.read", customers_changed, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/customers/ids", "customer.read", customers_ids, EFFECT_NONE, ACCESS_CALLER },
    { "POST", PREFIX "/customers", "customer.create", customers_create, EFFECT_ONCE, ACCESS_CALLER },
    { "GET", PREFIX "/customers/{}", "customer.read", customers_show, EFFECT_NONE, ACCESS_CALLER },

    { "GET", PREFIX "/inventory/items", "inventory.read", items_list, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/inventory/items/changed", "inventory.read", items_changed, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/inventory/items/ids", "inventory.read", items_ids, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/inventory/items/{}", "inventory.read", items_show, EFFECT_NONE, ACCESS_CALLER },
    { "PUT", PREFIX "/inventory/items/{}/stock", "inventory.update", items_set_stock, EFFECT_ONCE,
      ACCESS_CALLER },
    { "GET", PREFIX "/inventory/low-stock", "inventory.read", items_low, EFFECT_NONE, ACCESS_CALLER },

    { "GET", PREFIX "/sales-orders", "sales.read", orders_list, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/sales-orders/changed", "sales.read", orders_changed, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/sales-orders/ids", "sales.read", orders_ids, EFFECT_NONE, ACCESS_CALLER },
    { "GET", PREFIX "/sales-orders/{}", "sales.read", orders_show, EFFECT_NONE, ACCESS_CALLER },

    { "GET", PREFIX "/reports/sales-summary", "sales.read", sales_summary, EFFECT_NONE, ACCESS_CALLER },

    { "GET", PREFIX "/health", NULL, health_show, EFFECT_NONE, ACCESS_OPEN },
    { "GET", "/health", NULL, health_show, EFFECT_NONE, ACCESS_OPEN },
    { "GET", PREFIX "/_ledger", NULL, ledger_show, EFFECT_NONE, ACCESS_FAULTS },
    { "GET", "/_ledger", NULL, ledger_show, EFFECT_NONE, ACCESS_FAULTS },
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Does the path fit? *name is then what stands for {} in it, still encoded, or NULL. */
static bool path_fits(const char *pattern, const char *path, const char **name, size_t *length)
{
    *name = NULL;
    *length = 0;
    for (; *pattern != '\0'; pattern++, path++) {
        if (strncmp(pattern, "{}", 2) == 0) {
            *length = strcspn(path, "/");
            if (*length == 0)
                return false;
            *name = path;
            path += *length - 1;
            pattern++;
        } else if (*pattern != *path) {
            return false;
        }
    }
    return *path == '\0';
}

static bool name_decoded(struct request *request, struct reply *reply, const char *name, size_t length)
{
    char *encoded = strndup(name, length);
    size_t size = 0;

    request->name = encoded == NULL ? NULL : evhttp_uridecode(encoded, 0, &size);
    free(encoded);
    if (request->name == NULL || strlen(request->name) != size)
        return reply_error(reply, 400, "the path has a character that no name has");
    return true;
}

static bool route_found(struct request *request, struct reply *reply, const struct route **route)
{
    const char *name;
    size_t length;
    size_t used = 0;

    for (*route = routes; *route < routes + ROUTES; (*route)++) {
        if (((*route)->access == ACCESS_FAULTS && !request->site->faults) ||
            !path_fits((*route)->path, request->path, &name, &length))
            continue;
        if (strcmp((*route)->method, request->method) == 0)
            return name == NULL || name_decoded(request, reply, name, length);
        used += (size_t)snprintf(reply->allow + used, sizeof(reply->allow) - used, "%s%s",
                                 used > 0 ? ", " : "", (*route)->method);
    }
    if (used == 0)
        return reply_error(reply, 404, "no route %s", request->path);
    return reply_error(reply, 405, "%s is not possible on %s", request->method, request->path);
}

static bool caller_known(struct site *site, struct request *request, struct reply *reply)
{
    const char *wrong =
        caller_init(&request->caller, request->authorization, site->secret, site->secret_length);

    if (wrong != NULL)
        return reply_error(reply, 401, "%s", wrong);
    for (int i = 0; i < site->tenant_count; i++) {
        if (strcmp(site->tenants[i].name, request->caller.tenant_id) == 0)
            request->ledger = &site->tenants[i];
    }
    if (request->ledger == NULL)
        return reply_error(reply, 403, "tenant %s is not served here", request->caller.tenant_id);
    return true;
}

static bool body_read(struct request *request, struct reply *reply)
{
    json_error_t error;

    request->body = json_loadb(request->body_text, request->body_length, JSON_REJECT_DUPLICATES, &error);
    if (request->body == NULL)
        return reply_error(reply, 400, "the body is not JSON: %s (line %d)", error.text, error.line);
    if (!json_is_object(request->body))
        return reply_error(reply, 422, "the body must be a JSON object");
    return true;
}

static void write_through(const struct route *route, struct request *request, struct reply *reply, bool lose)
{
    bool once = route->effect == EFFECT_ONCE;

    ledger_begin(request->ledger);
    if (!once || !once_answered(request, reply)) {
        route->handler(request, reply);
        if (once && reply->status < 400)
            once_keep(request, reply);
    }
    if (lose || reply->status >= 400)
        ledger_rollback(request->ledger);
    else
        ledger_commit(request->ledger);
}

void routes_answer(struct site *site, struct request *request, struct reply *reply, bool lose)
{
    const struct route *route;
    /* A stranger learns nothing about which routes there are, save the open ones. */
    bool open = route_found(request, reply, &route) && route->access != ACCESS_CALLER;

    if (!open && !caller_known(site, request, reply))
        return;
    if (reply->status != 0)
        return;
    if (open) {
        route->handler(request, reply);
        return;
    }
    if (!caller_may(&request->caller, route->permission)) {
        reply_error(reply, 403, "this needs the permission %s", route->permission);
        return;
    }
    if (route->effect == EFFECT_ONCE && !body_read(request, reply))
        return;
    request->ledger->failed = false;
    if (route->effect == EFFECT_NONE)
        route->handler(request, reply);
    else
        write_through(route, request, reply, lose);
    if (request->ledger->failed)
        reply_error(reply, 500, "the ledger could not be read or written");
}
