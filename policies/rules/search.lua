-- SPDX-License-Identifier: Apache-2.0
-- rules/search.lua: descriptions are searched in the records, which the engine has found already.
local changes = "create|raise|delete|cancel|remove|change|update|set"

return {
  { about   = "which items match a description",
    when    = { "item|items|product|products|article|articles|anything|something|goods|what", "match|matches|matching|like|find|search|fit|similar|resembling|described" },
    without = changes .. "|sold|invoice|customer|customers|invoices",
    slots   = { text = "text" },
    records = { kind = "inventory_item", max = 8 },
    answer  = "These items match best:",
    none    = "I found no item that matches that." },

  { about   = "which customers match a description",
    when    = { "customer|customers|client|clients", "match|matches|matching|like|find|search|similar|called|named" },
    without = changes .. "|sold|bought|invoice|item|items|most",
    slots   = { text = "text" },
    records = { kind = "customer", max = 8 },
    answer  = "These customers match best:",
    none    = "I found no customer that matches that." },
}
