-- SPDX-License-Identifier: Apache-2.0
-- entities/sales_order.lua: all that Cogent knows of a sales order.
return {
  read   = "sales.read",
  domain = "SALES",
  title  = "Sales order {number}",
  url    = "{tenant.web_url}/sales-orders/{id}",
  fields = { number = "number", date = "date", status = "status", amount = "total_amount", currency = "currency",
             customer = "customer.id" },
  chunk  = function(r)
    local whose = type(r.customer) == "table" and r.customer.name or "No customer"
    local out = { whose .. ", " .. #r.items .. " lines, total " .. r.total_amount .. " " .. r.currency }
    for _, ten in ipairs(groups(r.items, 10)) do
      out[#out + 1] = join(ten, function(i)
        return i.quantity .. " x " .. i.item_id .. " " .. i.description .. " at " .. i.unit_price .. " = " .. i.amount
      end, "\n")
    end
    return out
  end,
  feed   = { tool = "changed_sales_orders", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "sales_order_ids" },
  fresh  = 60,
}
