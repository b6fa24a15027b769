-- SPDX-License-Identifier: Apache-2.0
return {
  about = "Whatever changes a record or leaves the company is confirmed by the user who asked for it.",
  on    = "tool_call",

  decide = function(call)
    if call.effect == "write" then return ask { reason = "this changes a record" } end
    if call.effect == "external" then return ask { reason = "this leaves the company" } end
  end,

  cases = {
    { effect = "write",    gives = "ask", role = {}, reason = "changes a record" },
    { effect = "external", gives = "ask", role = {}, reason = "leaves the company" },
    { effect = "read",     gives = "defer" },
    { gives = "defer" },
  },
}
