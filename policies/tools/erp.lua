-- SPDX-License-Identifier: Apache-2.0
-- tools/erp.lua: the ERP and its tools. {name} is an argument; {a.b} comes from the engine.

-- What is kept of a long row; a list stays short, the whole record is one call away.
local invoice_row = { "id", "number", "date", "status", "customer_id", "customer_name", "currency",
                      total = "total_amount" }
local item_row = { "sku", "description", "category", "on_hand", "reserved", "available", "reorder_point",
                   "unit_price", "currency" }

-- Feeds run without a user: a service account that may read, and nothing else.
local service_account = { header = "Authorization", value = "Bearer {secret.erp_service}" }

-- Whole records that changed after a stamp, in the order of their change.
local function changed(kind, permission)
  return {
    about = "The records of " .. kind .. " that changed after a stamp.", hidden = true,
    permission = permission, auth = service_account, route = "GET /" .. kind .. "/changed",
    args = { modified_after = { type = "string" } },
    query = { modified_after = "{modified_after}", after = "{page.cursor}", limit = "{page.size}" },
    pages = { size = 200, max = 1000, next = "/next" },
    result = { at = "/items" },
  }
end

-- The ids of all records there are: what is missing here was deleted.
local function ids(kind, permission)
  return {
    about = "The ids of all " .. kind .. ".", hidden = true,
    permission = permission, auth = service_account, route = "GET /" .. kind .. "/ids",
    query = { after = "{page.cursor}", limit = "{page.size}" },
    pages = { size = 5000, max = 100000, next = "/next" },
    result = { at = "/items" },
  }
end

return {
  service = "erp",
  base    = "{tenant.erp_url}/api/v1",        -- the operator sets it per tenant; that host is thereby allowed
  auth    = "caller",                         -- the asking user's own bearer token
  headers = { ["Accept-Language"] = "{user.locale}" },
  errors  = { message = "/detail" },
  timeout = 10,

  tools = {
    get_inventory_status = {
      about      = "Stock of one item by its code: on hand, reserved, available, reorder point, price.",
      permission = "inventory.read",
      route      = "GET /inventory/items/{sku}",
      args       = { sku = { type = "string", maxLength = 40, description = "item code, such as 85123A" } },
      required   = { "sku" },
      result     = { at = "/data", keep = item_row },
      cite       = "inventory_item",
      example    = { args  = { sku = "85123A" },
                     reply = { data = { id = "85123A", sku = "85123A", on_hand = 905, reserved = 84, available = 821 } },
                     gives = { sku = "85123A", on_hand = 905, reserved = 84, available = 821 } },
    },

    list_low_stock = {
      about      = "Items at or below their reorder point, the worst first.",
      permission = "inventory.read",
      route      = "GET /inventory/low-stock",
      query      = { limit = "{page.size}", offset = "{page.offset}" },
      pages      = { size = 50, max = 200 },
      result     = { at = "/items", keep = item_row },
      cite       = "inventory_item",
    },

    get_customer_info = {
      about      = "One customer by the code printed on documents: name, country, credit limit, what was invoiced.",
      permission = "customer.read",
      route      = "GET /customers/{code}",
      args       = { code = { type = "string", maxLength = 40, description = "customer code, such as 17850" } },
      required   = { "code" },
      result     = { at = "/data", keep = { "id", "name", "country", "email", "credit_limit", "currency", "since",
                                            "invoices", "invoiced_total" } },
      cite       = "customer",
    },

    list_invoices = {
      about      = "Invoices of a customer, a status or a period, newest first. For sums and rankings use sales_summary.",
      permission = "finance.read",
      route      = "GET /invoices",
      args       = { customer_id = { type = "string" }, status = { enum = { "draft", "open", "paid", "credit" } },
                     from = { type = "string", format = "date" }, to = { type = "string", format = "date" } },
      query      = { customer_id = "{customer_id}", status = "{status}", date_from = "{from}", date_to = "{to}",
                     limit = "{page.size}", offset = "{page.offset}" },
      pages      = { size = 100, max = 500 },
      result     = { at = "/items", keep = invoice_row },
      cite       = "invoice",
    },

    get_invoice = {
      about      = "One invoice by its printed number: header, customer, lines, total.",
      permission = "finance.read",
      route      = "GET /invoices/{number}",
      args       = { number = { type = "string", maxLength = 40, description = "such as 536365 or INV/0001" } },
      required   = { "number" },
      result     = { at = "/data", keep = { "id", "number", "date", "status", "currency", "customer", "payment_terms",
                                            "items", total = "total_amount" } },
      cite       = "invoice",
      example    = { args  = { number = "536365" },
                     reply = { data = { id = "536365", number = "536365", total_amount = "139.12", currency = "GBP",
                                        modified = "2024-07-01T08:26:00.000001Z" } },
                     gives = { id = "536365", number = "536365", total = "139.12", currency = "GBP" } },
    },

    sales_summary = {
      about      = "Units and amounts sold, net of returns: in all, or by customer, item, month or day. " ..
                   "Answers how much, how many and who or what most. Sales without a customer count in the totals only.",
      permission = "sales.read",
      route      = "GET /reports/sales-summary",
      args       = { item_id     = { type = "string" },
                     customer_id = { type = "string" },
                     from        = { type = "string", format = "date", description = "first day" },
                     to          = { type = "string", format = "date", description = "last day" },
                     group_by    = { enum = { "none", "customer", "item", "month", "day" } },
                     order       = { enum = { "units", "amount" }, description = "largest first" },
                     limit       = { type = "integer", minimum = 1, maximum = 1000 } },
      result     = { at = "/data" },
      cite       = "sales_report",
      example    = { args  = { item_id = "85123A", from = "2011-03-01", to = "2011-03-31" },
                     reply = { data = { units = 1982, amount = "5550.95", currency = "GBP", groups = list {} } },
                     gives = { units = 1982, amount = "5550.95", currency = "GBP", groups = list {} } },
    },

    create_invoice = {
      about      = "Create an invoice. Use when asked to invoice or bill a customer.",
      permission = "finance.create",
      effect     = "write",
      route      = "POST /invoices",          -- arguments that the route does not name are the JSON body
      args       = {
        customer_id   = { type = "string" },
        line_items    = { type = "array", minItems = 1, maxItems = 100, items = {
                          type = "object", required = { "item_id", "quantity", "unit_price" }, properties = {
                            item_id    = { type = "string" },
                            quantity   = { type = "integer", minimum = 1, maximum = 1000000 },
                            unit_price = { type = "string", format = "decimal" } } } },
        payment_terms = { type = "string", default = "Net 30", maxLength = 60 },
      },
      required   = { "customer_id", "line_items" },
      trusted    = { "customer_id", "line_items" },   -- from the user or a trusted tool, else a person is asked
      once       = { header = "Idempotency-Key" },    -- the ERP keeps this promise
      ask        = "Invoice customer {customer_id} for {line_items}",
      result     = { at = "/data", keep = { "id", "number", "date", "status", total = "total_amount", "currency" } },
      errors     = { message = "/detail", map = { [409] = "conflict" } },
      cite       = "invoice",
      example    = { args  = { customer_id = "17850",
                               line_items = { { item_id = "85123A", quantity = 6, unit_price = "2.55" } } },
                     reply = { data = { id = "INV-0001", number = "INV/0001", total_amount = "15.30", currency = "GBP" } },
                     gives = { id = "INV-0001", number = "INV/0001", total = "15.30", currency = "GBP" } },
    },

    update_inventory = {
      about      = "Set the counted stock of one item. Say why in reason.",
      permission = "inventory.update",
      effect     = "write",
      route      = "PUT /inventory/items/{sku}/stock",
      args       = { sku     = { type = "string", maxLength = 40 },
                     on_hand = { type = "integer", minimum = 0, maximum = 1000000000, description = "the new stock" },
                     reason  = { type = "string", maxLength = 200 } },
      required   = { "sku", "on_hand" },
      trusted    = { "sku", "on_hand" },
      once       = { header = "Idempotency-Key" },
      ask        = "Set the stock of {sku} to {on_hand}",
      result     = { at = "/data", keep = item_row },
      cite       = "inventory_item",
      example    = { args  = { sku = "85123A", on_hand = 900, reason = "Stocktake" },
                     reply = { data = { id = "85123A", sku = "85123A", on_hand = 900, reorder_point = 492 } },
                     gives = { sku = "85123A", on_hand = 900, reorder_point = 492 } },
    },

    changed_invoices     = changed("invoices", "finance.read"),
    changed_customers    = changed("customers", "customer.read"),
    changed_items        = changed("inventory/items", "inventory.read"),
    changed_sales_orders = changed("sales-orders", "sales.read"),

    invoice_ids          = ids("invoices", "finance.read"),
    customer_ids         = ids("customers", "customer.read"),
    item_ids             = ids("inventory/items", "inventory.read"),
    sales_order_ids      = ids("sales-orders", "sales.read"),
  },
}
