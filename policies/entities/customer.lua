-- SPDX-License-Identifier: Apache-2.0
-- entities/customer.lua: all that Cogent knows of a customer.
return {
  read   = "customer.read",
  domain = "CUSTOMER",
  title  = "Customer {name}",
  url    = "{tenant.web_url}/customers/{id}",
  fields = { number = "id", date = "since", currency = "currency", customer = "id" },
  chunk  = function(r)
    return { r.name .. " (" .. r.id .. "), " .. (type(r.country) == "string" and r.country or "country unknown") .. ", customer since " .. r.since ..
             "\ncredit limit " .. r.credit_limit .. " " .. r.currency .. ", " .. r.invoices .. " invoices, " ..
             r.invoiced_total .. " " .. r.currency .. " invoiced" }
  end,
  feed   = { tool = "changed_customers", since = "modified_after", stamp = "modified", every = 5, sweep = "24h",
             ids = "customer_ids" },
  fresh  = 60,
}
