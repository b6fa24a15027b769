-- SPDX-License-Identifier: Apache-2.0
-- entities/inventory_item.lua: all that Cogent knows of an item in stock. Figures move often: the words are what
-- is searched, the stock itself is asked of the ERP.
-- A text or a number as it stands; what is missing or null as `other`.
local function say(v, other)
  if type(v) == "string" or type(v) == "number" then return tostring(v) end
  return other or "?"
end

return {
  read   = "inventory.read",
  domain = "INVENTORY",
  title  = "{description} ({sku})",
  url    = "{tenant.web_url}/items/{id}",
  fields = { number = "sku", amount = "unit_price", currency = "currency" },
  chunk  = function(r)
    return { say(r.description, say(r.sku)) .. ", " .. say(r.category, "no category") .. ", " .. say(r.unit_price) .. " " .. say(r.currency, "") ..
             "\non hand " .. say(r.on_hand) .. ", reserved " .. say(r.reserved) .. ", available " .. say(r.available) ..
             ", reorder point " .. say(r.reorder_point) }
  end,
  feed   = { tool = "changed_items", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "item_ids" },
  fresh  = 15,
}
