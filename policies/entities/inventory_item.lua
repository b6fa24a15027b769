-- SPDX-License-Identifier: Apache-2.0
-- entities/inventory_item.lua: all that Cogent knows of an item in stock. Figures move often: the words are what
-- is searched, the stock itself is asked of the ERP.
return {
  read   = "inventory.read",
  domain = "INVENTORY",
  title  = "{description} ({sku})",
  url    = "{tenant.web_url}/items/{id}",
  fields = { number = "sku", amount = "unit_price", currency = "currency" },
  chunk  = function(r)
    return { r.description .. ", " .. r.category .. ", " .. r.unit_price .. " " .. r.currency ..
             "\non hand " .. r.on_hand .. ", reserved " .. r.reserved .. ", available " .. r.available ..
             ", reorder point " .. r.reorder_point }
  end,
  feed   = { tool = "changed_items", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "item_ids" },
  fresh  = 15,
}
