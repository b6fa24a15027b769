-- SPDX-License-Identifier: Apache-2.0
-- entities/sales_report.lua: what a report of sales is cited as. A report is asked of the ERP each time: nothing of it
-- is stored or searched, so there is no chunk and no feed.
return {
  read   = "sales.read",
  domain = "SALES",
  title  = "Sales report",
  id     = "{from}..{to} {item_id} {customer_id}",      -- what tells one from another: a report has no number
}
