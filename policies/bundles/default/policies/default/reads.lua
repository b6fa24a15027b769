-- SPDX-License-Identifier: Apache-2.0
return {
  about = "Reading is allowed to whoever has the right to it: permissions were checked before.",
  on    = "tool_call",

  decide = function(call)
    if call.effect == "read" then return allow() end
  end,

  cases = {
    { effect = "read",     gives = "allow" },
    { effect = "write",    gives = "defer" },
    { effect = "external", gives = "defer" },
    { gives = "defer" },
  },
}
