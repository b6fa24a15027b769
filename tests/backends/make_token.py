# SPDX-License-Identifier: Apache-2.0
import base64, hashlib, hmac, json, sys, time

def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")

def token(secret, **claims):
    head = part(b'{"alg":"HS256","typ":"JWT"}')
    signed = head + b"." + part(json.dumps({"exp": int(time.time()) + 600, **claims}).encode())
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()

if __name__ == "__main__":
    file, user, tenant, *permissions = sys.argv[1:]
    print(token(open(file, "rb").read().rstrip(b"\n"), sub=user, tenant_id=tenant, permissions=permissions))
