// SPDX-License-Identifier: Apache-2.0
// What the scripts of all clients share. COGENT_URL (http://host:port) and COGENT_TOKEN say which server; COGENT_STATS is
// the address of the upstream's counters, for the tests of a client that leaves.
import assert from "node:assert/strict";
import http from "node:http";

export const url = process.env.COGENT_URL;
export const baseURL = `${url}/v1`;
export const apiKey = process.env.COGENT_TOKEN;

export const QUESTION = "What is the total of invoice 536365?";
// What the models "one-tool", "bytewise" and "slow" come to.
export const ANSWER = "I look it up.\n\nInvoice 536365 comes to 139.12 GBP [1].";
export const LETTERS = "Größe 5 µm, 漢字, 😀 done.";
export const LATE = "Late, but here.";

export const thrown = (promise) => promise.then(() => assert.fail("nothing was thrown"), (error) => error);

export async function stats() {
  return (await fetch(process.env.COGENT_STATS)).json();
}

export async function until(what, check) {
  for (let i = 0; i < 500; i++) {
    if (await check()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`waited in vain for ${what}`);
}

// leave() makes a client go away in the middle of an endless answer: the upstream must see it before its next token ends.
export async function closesUpstream(leave) {
  const before = await stats();
  await leave();
  await until("the upstream to close", async () => (await stats()).closed_early > before.closed_early);
  await until("no upstream to be open", async () => (await stats()).open === before.open);
}

// A way to the server on which every byte of an answer is a chunk of its own. fn(url)
export async function byteByByte(fn) {
  const proxy = http.createServer((request, response) => {
    const { host, ...headers } = request.headers;
    const onward = http.request(url + request.url, { method: request.method, headers }, (answer) => {
      const { "content-length": length, "transfer-encoding": coding, ...kept } = answer.headers;
      response.writeHead(answer.statusCode, kept);
      answer.on("data", (bytes) => bytes.forEach((byte) => response.write(Buffer.of(byte))));
      answer.on("end", () => response.end());
    });
    request.pipe(onward);
  });
  await new Promise((ready) => proxy.listen(0, "127.0.0.1", ready));
  try {
    return await fn(`http://127.0.0.1:${proxy.address().port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

// Comments stand between the events of a slow answer, or the tests of heartbeats show nothing.
export async function hasHeartbeats(model) {
  const reply = await fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: QUESTION }] }),
  });
  assert.ok((await reply.text()).split("\n\n").filter((frame) => frame === ": hb").length >= 3);
}
