-- SPDX-License-Identifier: Apache-2.0
-- entities/sales_order.lua: all that Cogent knows of a sales order.
-- A text or a number as it stands; what is missing or null as `other`.
local function say(v, other)
  if type(v) == "string" or type(v) == "number" then return tostring(v) end
  return other or "?"
end

-- The lines of a document, ten a text: a question about one item then finds the ten that stand with it.
local function lines(items, out)
  for _, ten in ipairs(groups(items, 10)) do
    out[#out + 1] = join(ten, function(i)
      return say(i.quantity) .. " x " .. say(i.item_id) .. " " .. say(i.description, "") .. " at " .. say(i.unit_price) .. " = " .. say(i.amount)
    end, "\n")
  end
  return out
end

return {
  read   = "sales.read",
  domain = "SALES",
  title  = "Sales order {number}",
  url    = "{tenant.web_url}/sales-orders/{id}",
  fields = { number = "number", date = "date", status = "status", amount = "total_amount", currency = "currency",
             customer = "customer.id" },
  chunk  = function(r)
    local whose = say(type(r.customer) == "table" and r.customer.name, "No customer")
    local items = type(r.items) == "table" and r.items or {}
    local out = { whose .. ", " .. #items .. " lines, total " .. say(r.total_amount) .. " " .. say(r.currency, "") }
    return lines(items, out)
  end,
  feed   = { tool = "changed_sales_orders", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "sales_order_ids" },
  fresh  = 60,
}
