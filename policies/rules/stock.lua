-- SPDX-License-Identifier: Apache-2.0
-- rules/stock.lua: what lies in the warehouse.
local beyond = "sold|sales|sell|forecast|predict|expect|will|why|value|worth|when|average"

return {
  { about   = "how much stock there is of an item",
    when    = { "stock|on hand|inventory|available|availability|left|in the warehouse|do we have|have we got|we have|in store" },
    without = beyond .. "|set|update|change|correct|adjust|put|make|low|order|reorder|buy|create|delete|add|remove|increase|reduce|raise|lower",
    slots   = { item = "item" },
    call    = { tool = "get_inventory_status", args = { sku = "{item}" } },
    need    = "on_hand",
    answer  = "{item}: {on_hand} on hand, {reserved} reserved, {available} available; reorder point {reorder_point} {cite}." },

  { about   = "what is low on stock",
    when    = { "low|reorder|running out|run out|run short|running short|short|shortage|shortages|restock|replenish|below|almost gone|nearly out", "stock|inventory|items|reorder|out|restock|replenish|short|shortages|low|products|point" },
    without = beyond .. "|set|update|create|delete|customer|invoice",
    call    = { tool = "list_low_stock" },
    need    = "items",
    none    = "Nothing is low on stock {cite}.",
    answer  = "Low on stock, the worst first {cite}:",
    list    = { at = "items", row = "{sku} {description}: {available} available, reorder point {reorder_point}", max = 10 } },

  { about   = "setting the counted stock of an item",
    when    = { "set|update|change|correct|adjust|put", "stock level|inventory level|stock|on hand|inventory|count|quantity" },
    without = beyond .. "|what|how|who|not|never|dont|reorder point|price|minus|negative|by|increase|reduce",
    slots   = { item = "item", count = "integer" },
    call    = { tool = "update_inventory", args = { sku = "{item}", on_hand = "{count}" } },
    ask     = "Which item, and what is its new stock? For example: set stock of 85123A to 40.",
    answer  = "The stock of {item} is now {on_hand} {cite}." },
}
