-- SPDX-License-Identifier: Apache-2.0
-- tools/books.lua: a service that speaks JSON-RPC over one address, with sessions, errors inside a 200 and tagged decimals. An example
-- to copy; tests/books is the service it drives.

local function plain(v)                       -- {"$dec": "2.55"} -> "2.55", at any depth
  if type(v) ~= "table" then return v end
  if v["$dec"] then return v["$dec"] end
  for k, x in pairs(v) do v[k] = plain(x) end
  return v
end

local order_fields = { "id", "number", "date", "state", "party", "total" }

return {
  service = "books",
  base    = "{tenant.books_url}",
  route   = "POST /rpc",                      -- a tool inherits from its service what it does not say itself,
  body    = { jsonrpc = "2.0", id = 1, method = "{tool.call}", params = "{tool.params}" },     -- so the envelope stands once
  result  = { at = "/result" },
  errors  = { at = "/error", code = "/error/data/name", message = "/error/message",     -- an error, whatever the HTTP status
              map = { AccessError = "denied", ValidationError = "invalid", SessionExpired = "auth", AccessDenied = "auth" } },
  auth    = { login  = { call = "session.open", params = { "{tenant.db}", "{secret.books_user}", "{secret.books_password}" } },
              header = "Authorization",
              value  = function(v) return "Session " .. base64(v.secret.books_user .. ":" .. v.login.token) end },
  timeout = 15,

  tools = {
    get_party = {
      about      = "A customer of the books by the code printed on documents, such as C007: name, credit limit.",
      permission = "customer.read",
      effect     = "read",
      args       = { code = { type = "string", maxLength = 20 } },
      required   = { "code" },
      call       = "party.search_read",
      params     = { { { "code", "=", "{code}" } }, 0, 1, { "code", "name", "credit_limit" } },
      result     = function(rows) return plain(rows[1]) end,        -- nil: "not found"
      cite       = "customer",
      example    = { args  = { code = "C007" },
                     reply = { jsonrpc = "2.0", id = 1, result = { { id = 7, code = "C007", name = "Customer 7", credit_limit = { ["$dec"] = "1750" } } } },
                     gives = { id = 7, code = "C007", name = "Customer 7", credit_limit = "1750" } },
    },

    list_orders = {
      about      = "Sales orders of a customer or in a state, newest first.",
      permission = "sales.read",
      effect     = "read",
      args       = { customer_id = { type = "integer" }, state = { enum = { "draft", "confirmed", "done" } } },
      call       = "order.search_read",       -- a clause whose argument is missing drops out
      params     = { list { { "party", "=", "{customer_id}" }, { "state", "=", "{state}" } },
                     "{page.offset}", "{page.size}", order_fields },
      pages      = { size = 100, max = 500 },
      result     = plain,
      cite       = "sales_order",
      example    = { args  = { state = "done" },
                     reply = { result = { { id = 1, number = "SO/0001", date = "2026-01-02", state = "done", party = 2, total = { ["$dec"] = "5.10" } } } },
                     gives = { { id = 1, number = "SO/0001", date = "2026-01-02", state = "done", party = 2, total = "5.10" } } },
    },

    get_order = {
      about      = "One sales order by its printed number, with its lines.",
      permission = "sales.read",
      effect     = "read",
      args       = { number = { type = "string", maxLength = 20 } },
      required   = { "number" },
      call       = "order.search_read",
      params     = { { { "number", "=", "{number}" } }, 0, 1, { "number", "date", "state", "party", "total", "lines" } },
      result     = function(rows) return plain(rows[1]) end,
      cite       = "sales_order",
    },

    create_order = {
      about      = "Create a draft sales order.",
      permission = "sales.create",
      effect     = "write",
      args       = { customer_id = { type = "integer" },
                     lines = { type = "array", minItems = 1, items = { type = "object", required = { "item_id", "quantity", "unit_price" },
                       properties = { item_id = { type = "integer" }, quantity = { type = "number" },
                                      unit_price = { type = "string", format = "decimal" } } } } },
      required   = { "customer_id", "lines" },
      trusted    = { "customer_id", "lines" },
      once       = { field = "reference", find = "find_order" },    -- no key header: the key is written into the record, and looked up after a doubt
      ask        = "Order {lines} for customer {customer_id}",
      call       = "order.create",
      params     = function(v)                -- where a table says too little, write a function: pure, in the policies' sandbox
        local lines = {}
        for i, l in ipairs(v.args.lines) do
          lines[i] = { product = l.item_id, quantity = l.quantity, unit_price = { ["$dec"] = l.unit_price } }
        end
        return { { party = v.args.customer_id, reference = v.effect.key, lines = lines } }
      end,
      result     = function(id) return { id = id } end,
      cite       = "sales_order",
      example    = { args  = { customer_id = 7, lines = { { item_id = 3, quantity = 2, unit_price = "2.55" } } },
                     reply = { result = 261 },
                     gives = { id = 261 } },
    },

    find_order = {
      hidden     = true,
      permission = "sales.read",
      effect     = "read",
      args       = { key = { type = "string" } },
      required   = { "key" },
      call       = "order.search_read",
      params     = { { { "reference", "=", "{key}" } }, 0, 1, { "id" } },
      result     = function(rows) return rows[1] end,
      example    = { args = { key = "none" }, reply = { result = list {} } },
    },
  },
}
