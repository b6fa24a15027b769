-- SPDX-License-Identifier: Apache-2.0
-- tools/erp.lua: one service and its tools. {name} is an argument; {a.b} comes from the engine.
return {
  service = "erp",
  base    = "{tenant.erp_url}/api/v1",        -- the operator sets it per tenant; that host is thereby allowed
  auth    = "caller",                         -- the asking user's own bearer token
  headers = { ["Accept-Language"] = "{user.locale}" },
  errors  = { message = "/detail" },          -- where this service puts its words
  timeout = 10,                               -- seconds, connect to last byte

  tools = {
    get_invoice = {
      about      = "One invoice by its printed number: header, lines, what is still open.",
      permission = "finance.read",
      route      = "GET /invoices/{number}",
      args       = { number = { type = "string", maxLength = 40 } },
      required   = { "number" },
      result     = { at = "/data", keep = { "id", "number", "date", "status", "currency", total = "total_amount", "items" } },
      cite       = "invoice",
    },

    list_invoices = {
      about      = "Invoices of a customer or a period, newest first.",
      permission = "finance.read",
      route      = "GET /invoices",
      args       = { customer_id = { type = "string" }, status = { enum = { "draft", "open", "paid" } },
                     from = { type = "string", format = "date" }, to = { type = "string", format = "date" } },
      query      = { customer_id = "{customer_id}", status = "{status}", date_from = "{from}", date_to = "{to}",
                     limit = "{page.size}", offset = "{page.offset}" },
      pages      = { size = 100, max = 500 },
      result     = { at = "/items", keep = { "id", "number", "date", "customer_id", "currency", total = "total_amount" } },
      cite       = "invoice",
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
                            quantity   = { type = "number", exclusiveMinimum = 0 },
                            unit_price = { type = "string", format = "decimal" } } } },
        payment_terms = { type = "string", default = "Net 30" },
      },
      required   = { "customer_id", "line_items" },
      trusted    = { "customer_id", "line_items" },   -- from the user or a trusted tool, else a person is asked
      once       = { header = "Idempotency-Key" },    -- the service keeps this promise
      ask        = "Invoice customer {customer_id} for {line_items}",
      result     = { at = "/data", keep = { "id", "number", total = "total_amount", "currency" } },
      errors     = { message = "/detail", map = { [409] = "conflict" } },
      cite       = "invoice",
      example    = { args  = { customer_id = "17850", line_items = { { item_id = "85123A", quantity = 6, unit_price = "2.55" } } },
                     reply = { data = { id = "u-1", number = "INV/0251", total_amount = "15.30", currency = "GBP" } },
                     gives = { id = "u-1", number = "INV/0251", total = "15.30", currency = "GBP" } },
    },
  },
}
