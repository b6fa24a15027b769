-- SPDX-License-Identifier: Apache-2.0
-- entities/invoice.lua: all that Cogent knows of an invoice. Chunks, citations, rights, caches and the feed read it.
return {
  read   = "finance.read",
  domain = "FINANCE",
  title  = "Invoice {number}",
  url    = "{tenant.web_url}/invoices/{id}",
  fields = { number = "number", date = "date", status = "status", amount = "total_amount", currency = "currency",
             customer = "customer.id" },     -- Cogent's column = path in the ERP's record
  chunk  = function(r)                        -- the engine puts title, customer, date and status before each
    local whose = type(r.customer) == "table" and r.customer.name or "No customer"
    local out = { whose .. ", " .. r.payment_terms .. ", " .. #r.items .. " lines, total " .. r.total_amount .. " " .. r.currency }
    for _, ten in ipairs(groups(r.items, 10)) do
      out[#out + 1] = join(ten, function(i)
        return i.quantity .. " x " .. i.item_id .. " " .. i.description .. " at " .. i.unit_price .. " = " .. i.amount
      end, "\n")
    end
    return out
  end,
  feed   = { tool = "changed_invoices", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "invoice_ids" },
  fresh  = 60,
}
