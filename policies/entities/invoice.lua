-- SPDX-License-Identifier: Apache-2.0
-- entities/invoice.lua: all that Cogent knows of an invoice. Chunks, citations, rights, caches and the feed read it.
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
  read   = "finance.read",
  domain = "FINANCE",
  title  = "Invoice {number}",
  url    = "{tenant.web_url}/invoices/{id}",
  fields = { number = "number", date = "date", status = "status", amount = "total_amount", currency = "currency",
             customer = "customer.id" },     -- Cogent's column = path in the ERP's record
  chunk  = function(r)                        -- the engine puts title, customer, date and status before each
    local whose = say(type(r.customer) == "table" and r.customer.name, "No customer")
    local items = type(r.items) == "table" and r.items or {}
    local out = { whose .. ", " .. say(r.payment_terms, "no payment terms") .. ", " .. #items .. " lines, total " .. say(r.total_amount) .. " " .. say(r.currency, "") }
    return lines(items, out)
  end,
  feed   = { tool = "changed_invoices", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "invoice_ids" },
  fresh  = 60,
}
