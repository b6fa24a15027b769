// SPDX-License-Identifier: Apache-2.0
import { createHmac, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const part = (data) => Buffer.from(data).toString("base64url");

// key: a shared secret (HS256), or a private key in PEM (RS256)
export function token(key, claims) {
  const rsa = key.startsWith("-----BEGIN");
  const head = part(JSON.stringify({ alg: rsa ? "RS256" : "HS256", typ: "JWT" }));
  const signed = head + "." + part(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 600, ...claims }));
  const mac = rsa ? sign("RSA-SHA256", Buffer.from(signed), key) : createHmac("sha256", key).update(signed).digest();
  return signed + "." + part(mac);
}

const [file, user, tenant, ...permissions] = process.argv.slice(2);
console.log(token(readFileSync(file, "utf8").trimEnd(), { sub: user, tenant_id: tenant, permissions }));
