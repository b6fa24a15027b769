-- SPDX-License-Identifier: Apache-2.0
return {
  about = "Unit cost is for purchasing only.",
  on    = { "retrieve", "tool_result" },

  decide = function(_, ctx)
    if ctx.user:can "purchase.read" then return defer() end
    return defer { redact = { "unit_cost", "cost_price" } }         -- no opinion; but if it goes ahead, without these
  end,

  cases = {
    { user = { permissions = { "sales.*" } },    gives = "defer", redact = { "unit_cost", "cost_price" } },
    { user = { permissions = { "purchase.*" } }, gives = "defer", redact = {} },
    { user = { permissions = { "*", "-purchase.read" } }, gives = "defer", redact = { "cost_price", "unit_cost" } },
  },
}
