-- SPDX-License-Identifier: Apache-2.0
return {
  about = "Sales may invoice up to 500; above that a finance manager says yes.",
  on    = "tool_call",
  tool  = "create_invoice",                   -- only asked about this one

  decide = function(call, ctx)
    local total = money(0)
    for _, l in ipairs(call.args.line_items) do total = total + money(l.unit_price) * l.quantity end
    if total <= money(500) then return allow() end
    return ask { role = "finance_manager", reason = "an invoice of " .. total .. " is over 500" }
  end,

  cases = {
    { args = { line_items = { { unit_price = "2.55", quantity = 6 } } },  gives = "allow" },
    { args = { line_items = { { unit_price = "2.55", quantity = 200 } } }, gives = "ask", role = "finance_manager",
      reason = "an invoice of 510.00 is over 500" },
    { args = { line_items = { { unit_price = "0.10", quantity = 5000 } } }, gives = "allow" },     -- 500.00 exactly
    { args = { line_items = { { unit_price = "much", quantity = 1 } } }, gives = "deny" },
  },
}
