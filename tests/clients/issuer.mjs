// SPDX-License-Identifier: Apache-2.0
// An issuer by somebody else: oauth2-mock-server. Prints the address of its key set, then answers a line of JSON with one:
// {"make": ALG} -> {"kid"}; {"token": CLAIMS, "kid": KID} -> {"token"}; {"forget": true} begins anew with no keys;
// {"asked": true} -> {"asked": N}, how often the set was read. Serves until its input ends.
import { createInterface } from "node:readline";
import { OAuth2Server } from "oauth2-mock-server";

let server, asked = 0, port = 0;

async function start() {
  server = new OAuth2Server();
  server.service.addListener?.("error", () => {});
  await server.start(port, "127.0.0.1");
  port = server.address().port;
  server.issuer.url = `http://127.0.0.1:${port}`;
}

const commands = {
  make: async (alg) => ({ kid: (await server.issuer.keys.generate(alg)).kid }),
  token: async (claims, line) => ({
    token: await server.issuer.buildToken({ kid: line.kid, expiresIn: 3600, scopesOrTransform: (header, payload) => Object.assign(payload, claims) }),
  }),
  forget: async () => {
    await server.stop();
    await start();
    return {};
  },
};

await start();
console.log(`http://127.0.0.1:${port}/jwks`);
for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  const name = Object.keys(commands).find((key) => key in line);
  console.log(JSON.stringify(await commands[name](line[name], line)));
}
await server.stop();
