-- SPDX-License-Identifier: Apache-2.0
-- rules/customers.lua: customers, and what they are invoiced for.
local changes = "create|raise|issue|delete|cancel|remove|change|update|edit|send|email|refund|block"
local beyond  = "profit|margin|tax|vat|forecast|predict|expect|compare|average|phone|telephone|address"

return {
  { about   = "who a customer is",
    when    = { "customer|client|account|buyer", "who|whos|name|info|information|details|about|where|which company|credit limit|country|tell me about" },
    without = changes .. "|" .. beyond .. "|bought|buy|buys|invoiced|billed|sales|most|invoice|bill",
    slots   = { customer = "customer" },
    call    = { tool = "get_customer_info", args = { code = "{customer}" } },
    need    = "name",
    answer  = "Customer {customer} is {name}, {country}, with us since {since}; credit limit {credit_limit} {currency}, {invoices} documents, {invoiced_total} {currency} invoiced in all {cite}." },

  { about   = "what a customer was invoiced for",
    when    = { "customer|client|account|buyer", "invoiced|invoiced for|billed|billed for|bill customer|bought|buy|buys|purchased|spent|spend|sales|sold|turnover|revenue|ordered" },
    without = changes .. "|" .. beyond .. "|who|most|best|which customer|status|overdue|open|unpaid|list|invoices",
    slots   = { customer = "customer", item = "item?", period = "period?" },
    call    = { tool = "sales_summary", args = { customer_id = "{customer}", item_id = "{item}", from = "{period.from}",
                to = "{period.to}", group_by = "item", order = "amount", limit = 5 } },
    need    = "groups",
    none    = "Customer {customer} was invoiced for nothing {item} {period} {cite}.",
    answer  = "Customer {customer} was invoiced {amount} {currency} {period}, {units} units in all {cite}. Most of it:",
    list    = { at = "groups", row = "{key} {name}: {units} units, {amount} {currency}", max = 5 } },

  { about   = "the invoices of a customer",
    when    = { "customer|client|account|buyer", "invoices|bills|documents" },
    without = changes .. "|" .. beyond .. "|who|most|best|invoiced|billed|invoice|bill|owe|owes|owing|status|bought|total|open|unpaid|overdue|paid|how many|how much",
    slots   = { customer = "customer", period = "period?" },
    call    = { tool = "list_invoices", args = { customer_id = "{customer}", from = "{period.from}", to = "{period.to}" } },
    need    = "items",
    none    = "Customer {customer} has no invoices {period} {cite}.",
    answer  = "Invoices of customer {customer} {period}, newest first {cite}:",
    list    = { at = "items", row = "{number} of {date}: {total} {currency}, {status}", max = 10 } },

  { about   = "the open invoices of a customer",
    when    = { "customer|client|account|buyer", "invoices|bills|documents|owe|owes|owing", "open|unpaid|outstanding|owe|owes|owing|not paid" },
    without = changes .. "|" .. beyond .. "|who|most|best|overdue",
    slots   = { customer = "customer", period = "period?" },
    call    = { tool = "list_invoices", args = { customer_id = "{customer}", status = "open", from = "{period.from}", to = "{period.to}" } },
    need    = "items",
    none    = "Customer {customer} has no open invoices {period} {cite}.",
    answer  = "Open invoices of customer {customer} {period}, newest first {cite}:",
    list    = { at = "items", row = "{number} of {date}: {total} {currency}", max = 10 } },
}
