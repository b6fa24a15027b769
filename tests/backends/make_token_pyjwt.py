# SPDX-License-Identifier: Apache-2.0
import sys, time
import jwt

file, user, tenant, *permissions = sys.argv[1:]
claims = {"sub": user, "tenant_id": tenant, "permissions": permissions, "exp": int(time.time()) + 600}
print(jwt.encode(claims, open(file, "rb").read().rstrip(b"\n"), algorithm="HS256"))
