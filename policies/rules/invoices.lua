-- SPDX-License-Identifier: Apache-2.0
-- rules/invoices.lua: single invoices. How rules are written: docs/rules.md.
local changes = "delete|cancel|void|remove|change|update|edit|send|email|mail|refund|reverse|credit|print|approve"
local beyond  = "profit|margin|tax|vat|weight|shipping|freight|discount|forecast|predict|expect|compare|average|owe|owes|owed|owing|outstanding|balance"

return {
  { about   = "the total of an invoice",
    when    = { "invoice|bill|document|inv", "total|come to|came to|comes to|how much|amount|worth|value|sum|add up to|price|cost" },
    without = changes .. "|" .. beyond .. "|create|raise|issue|overdue|unpaid|bought|buy|invoiced for|billed for|customer",
    slots   = { number = "invoice" },
    call    = { tool = "get_invoice", args = { number = "{number}" } },
    answer  = "Invoice {number} comes to {total} {currency} {cite}." },

  { about   = "who an invoice went to, its date and its status",
    when    = { "invoice|bill|document|inv", "who|whose|customer|when|date|dated|status|paid|unpaid|open|due" },
    without = changes .. "|" .. beyond .. "|total|create|raise|issue|how much|amount|worth",
    slots   = { number = "invoice" },
    call    = { tool = "get_invoice", args = { number = "{number}" } },
    need    = "number",
    answer  = function(r, s)
      local whose = type(r.customer) == "table" and r.customer.name and (r.customer.name .. " (customer " .. r.customer.id .. ")") or "an anonymous customer"
      return "Invoice " .. s.number .. " of " .. r.date .. " went to " .. whose .. "; its status is " .. r.status .. " {cite}."
    end },

  { about   = "the lines of an invoice",
    when    = { "invoice|bill|document|inv", "what is on|whats on|lines|items|contents|contain|positions|goods|show|details|look up" },
    without = changes .. "|" .. beyond .. "|create|raise|issue|total|customer|who",
    slots   = { number = "invoice" },
    call    = { tool = "get_invoice", args = { number = "{number}" } },
    need    = "items",
    none    = "Invoice {number} has no lines {cite}.",
    answer  = "Invoice {number} has these lines, {total} {currency} in all {cite}:",
    list    = { at = "items", row = "{quantity} x {item_id} {description} at {unit_price} = {amount}", max = 10 } },

  { about   = "creating an invoice",
    when    = { "create|make|raise|issue|write|new|prepare|draw up|invoice customer|bill customer|please invoice|please bill", "invoice|bill" },
    without = "delete|cancel|void|set|how|who|why|which|did|was|total|not|never|dont",
    slots   = { customer = "customer", lines = "lines" },
    call    = { tool = "create_invoice", args = { customer_id = "{customer}", line_items = "{lines}" } },
    answer  = "Invoice {number} was created for customer {customer}: {total} {currency} {cite}." },
}
