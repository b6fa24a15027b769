-- SPDX-License-Identifier: Apache-2.0
-- rules/sales.lua: what was sold, to whom, and what sells best. Figures are net of returns.
local changes = "create|raise|issue|delete|cancel|remove|change|update|set|send|email"
local beyond  = "profit|margin|tax|vat|forecast|predict|expect|will|compare|average|stock|hand|why|next"

return {
  { about   = "how many units of an item were sold in a period",
    when    = { "sold|sell|sells|selling|sales|units|moved|shipped", "how many|how much|units|sales|quantity|number of|net|what" },
    without = changes .. "|" .. beyond .. "|who|which customer|most|best|top|biggest|bought|buyer|invoiced|matching",
    slots   = { item = "item", period = "period?" },
    call    = { tool = "sales_summary", args = { item_id = "{item}", from = "{period.from}", to = "{period.to}" } },
    need    = "units",
    answer  = "{units} units of {item} were sold {period}, net of returns, for {amount} {currency} {cite}." },

  { about   = "which customer bought most of an item",
    when    = { "who|which customer|what customer|best customer|biggest customer|top customer|biggest buyer|top buyer|best buyer|largest buyer|main customer|customer|client", "most|best|biggest|top|largest|main|highest|mostly" },
    without = changes .. "|" .. beyond .. "|least|fewest|worst|invoice",
    slots   = { item = "item", period = "period?" },
    call    = { tool = "sales_summary", args = { item_id = "{item}", from = "{period.from}", to = "{period.to}",
                group_by = "customer", order = "units", limit = 1 } },
    need    = "groups",
    none    = "No known customer bought {item} {period} {cite}.",
    answer  = "{groups.0.name} (customer {groups.0.key}) bought most of {item} {period}: {groups.0.units} units, {groups.0.amount} {currency} {cite}." },

  { about   = "the best customers of a period",
    when    = { "customers|customer|buyers|clients", "most|best|biggest|top|largest" },
    without = changes .. "|" .. beyond .. "|least|fewest|worst|item|units|sellers|selling|sold|invoice",
    slots   = { period = "period?", limit = "integer?" },
    call    = { tool = "sales_summary", args = { from = "{period.from}", to = "{period.to}", group_by = "customer",
                order = "amount", limit = "{limit}" } },
    need    = "groups",
    none    = "No known customer bought anything {period} {cite}.",
    answer  = "Customers by amount {period} {cite}:",
    list    = { at = "groups", row = "{name} (customer {key}): {amount} {currency}, {units} units", max = 10 } },

  { about   = "all sales of a period",
    when    = { "sales|sold|sell|turnover|revenue|takings", "how much|what|total|sales|sold|turnover|revenue|takings" },
    without = changes .. "|" .. beyond .. "|who|customer|most|best|top|biggest|bestseller|item|items|sku|product|products|article|invoice|order|orders|bought|country|region|daily|by",
    slots   = { period = "period" },
    call    = { tool = "sales_summary", args = { from = "{period.from}", to = "{period.to}" } },
    need    = "amount",
    answer  = "Sales {period} came to {amount} {currency}: {units} units on {invoices} invoices, net of returns {cite}." },

  { about   = "sales month by month",
    when    = { "sales|sold|turnover|revenue", "by month|monthly|per month|each month|month by month" },
    without = changes .. "|" .. beyond .. "|who|customer|most|best|top",
    slots   = { item = "item?", period = "period?" },
    call    = { tool = "sales_summary", args = { item_id = "{item}", from = "{period.from}", to = "{period.to}", group_by = "month" } },
    need    = "groups",
    none    = "There were no sales {item} {period} {cite}.",
    answer  = "Sales {item} month by month {period}, {amount} {currency} in all {cite}:",
    list    = { at = "groups", row = "{key}: {amount} {currency}, {units} units", max = 10 } },

  { about   = "the best sellers of a period",
    when    = { "best seller|best sellers|bestseller|bestsellers|best selling|top seller|top sellers|top selling|top items|top products|most popular|best sold|sold most|sold best|sold the most|sells best|sell best|sell most|most sold" },
    without = changes .. "|" .. beyond .. "|customer|customers|who|least|worst",
    slots   = { period = "period?", limit = "integer?" },
    call    = { tool = "sales_summary", args = { from = "{period.from}", to = "{period.to}", group_by = "item", order = "units", limit = "{limit}" } },
    need    = "groups",
    none    = "Nothing was sold {period} {cite}.",
    answer  = "Best sellers by units {period} {cite}:",
    list    = { at = "groups", row = "{key} {name}: {units} units, {amount} {currency}", max = 10 } },
}
