-- SPDX-License-Identifier: Apache-2.0
-- The token's roles -> permissions, added to those the token names. "-" takes away, and wins.
return {
  sales           = { "sales.*", "customer.read", "finance.read", "finance.create" },
  finance_manager = { "finance.*", "cogent.approve" },
  purchasing      = { "purchase.*", "inventory.*" },
  trainee         = { "sales.read", "customer.read", "-finance.create" },
}
