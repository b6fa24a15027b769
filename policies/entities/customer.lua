-- SPDX-License-Identifier: Apache-2.0
-- entities/customer.lua: all that Cogent knows of a customer.
-- A text or a number as it stands; what is missing or null as `other`.
local function say(v, other)
  if type(v) == "string" or type(v) == "number" then return tostring(v) end
  return other or "?"
end

return {
  read   = "customer.read",
  domain = "CUSTOMER",
  title  = "Customer {name}",
  url    = "{tenant.web_url}/customers/{id}",
  fields = { number = "id", date = "since", currency = "currency", customer = "id" },
  chunk  = function(r)
    local money = say(r.currency, "")
    return { say(r.name) .. " (" .. say(r.id) .. "), " .. say(r.country, "country unknown") .. ", customer since " .. say(r.since, "no known day") ..
             "\ncredit limit " .. say(r.credit_limit) .. " " .. money .. ", " .. say(r.invoices) .. " invoices, " ..
             say(r.invoiced_total) .. " " .. money .. " invoiced" }
  end,
  feed   = { tool = "changed_customers", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "customer_ids" },
  fresh  = 60,
}
