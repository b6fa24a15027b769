-- SPDX-License-Identifier: Apache-2.0
-- tools/books.lua: a service that speaks JSON-RPC, with sessions and tagged decimals.
local function plain(v)                       -- {"$dec": "2.55"} -> "2.55", at any depth
  if type(v) ~= "table" then return v end
  if v["$dec"] then return v["$dec"] end
  for k, x in pairs(v) do v[k] = plain(x) end
  return v
end

return {
  service = "books",
  base    = "{tenant.books_url}",
  route   = "POST /rpc",                      -- a tool inherits from its service what it does not say itself,
  body    = { jsonrpc = "2.0", id = 1, method = "{tool.call}", params = "{tool.params}" },     -- so the envelope stands once
  result  = { at = "/result" },
  errors  = { at = "/error", code = "/error/data/name", message = "/error/message",     -- an error, whatever the HTTP status
              map = { AccessError = "denied", ValidationError = "invalid" } },
  auth    = { login  = { call = "session.open", params = { "{tenant.db}", "{secret.books_user}", "{secret.books_password}" } },
              header = "Authorization",
              value  = function(v) return "Session " .. base64(v.secret.books_user .. ":" .. v.login.token) end },
  timeout = 15,

  tools = {
    get_customer_info = {
      about      = "A customer by the code printed on documents.",
      permission = "customer.read",
      effect     = "read",
      args       = { code = { type = "string" } },
      required   = { "code" },
      call       = "party.search_read",
      params     = { { { "code", "=", "{code}" } }, 0, 1, { "id", "code", "name", "credit_limit" } },
      result     = function(rows) return plain(rows[1]) end,        -- nil: "not found"
      cite       = "customer",
    },

    list_orders = {
      about      = "Sales orders of a customer or in a state, newest first.",
      permission = "sales.read",
      effect     = "read",
      args       = { customer_id = { type = "integer" }, state = { enum = { "draft", "confirmed", "done" } } },
      call       = "order.search_read",       -- a clause whose argument is missing drops out
      params     = { list { { "party", "=", "{customer_id}" }, { "state", "=", "{state}" } },
                     "{page.offset}", "{page.size}", { "id", "number", "date", "state", "total" } },
      pages      = { size = 100, max = 500 },
      result     = plain,
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
    },

    find_order = { hidden = true, permission = "sales.read", effect = "read", args = { key = { type = "string" } }, required = { "key" },
                   call = "order.search_read", params = { { { "reference", "=", "{key}" } }, 0, 1, { "id" } },
                   result = function(rows) return rows[1] end },
  },
}
