// SPDX-License-Identifier: Apache-2.0
// LangChain's client for OpenAI against a running server: see common.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { ANSWER, LATE, LETTERS, QUESTION, apiKey, baseURL, byteByByte, closesUpstream, hasHeartbeats, thrown } from "./common.mjs";

const chat = (model, more = {}, url = baseURL) =>
  new ChatOpenAI({ model, apiKey, maxRetries: 0, timeout: 60_000, configuration: { baseURL: url }, ...more });

async function collect(stream) {
  let whole;
  for await (const chunk of stream) whole = whole ? whole.concat(chunk) : chunk;
  return whole;
}

test("a whole answer with the server's own tools, and its usage", async () => {
  const answer = await chat("one-tool").invoke(QUESTION);
  assert.equal(answer.content, ANSWER);
  assert.deepEqual(answer.tool_calls, [], "the server's tools are none of the client's");
  assert.ok(answer.usage_metadata.total_tokens > 0);
  assert.equal(answer.response_metadata.finish_reason, "stop");
});

test("a stream with the server's own tools, and its usage", async () => {
  const answer = await collect(await chat("one-tool", { streamUsage: true }).stream(QUESTION));
  assert.equal(answer.content, ANSWER);
  assert.deepEqual(answer.tool_calls, []);
  assert.ok(answer.usage_metadata.input_tokens > 0 && answer.usage_metadata.output_tokens > 0);
  assert.equal(answer.response_metadata.finish_reason, "stop");
});

test("what the server adds to a chunk harms nobody", async () => {
  const seen = [];
  for await (const chunk of await chat("one-tool", { __includeRawResponse: true }).stream(QUESTION)) {
    const step = chunk.additional_kwargs.__raw_response?.cogent;
    if (step) seen.push(step.event);
  }
  // It passes over chunks without a choice, and these are what most steps ride in.
  assert.deepEqual(seen, ["start", "done"]);
});

test("a conversation", async () => {
  const answer = await chat("plain").invoke([["system", "Be brief."], ["human", "Hello"], ["ai", "Hi."], ["human", "Again"]]);
  assert.equal(answer.content, "Hello from the mock.");
});

test("leaving closes the upstream", async () => {
  await closesUpstream(async () => {
    const leave = new AbortController();
    let heard = 0;
    const error = await thrown((async () => {
      for await (const chunk of await chat("endless").stream(QUESTION, { signal: leave.signal })) {
        if (String(chunk.content).includes("tick") && ++heard === 3) leave.abort();
      }
    })());
    assert.match(String(error), /abort/i);
  });
});

test("errors can be read", async () => {
  for (const [model, more, status, words] of [
    ["plain", { apiKey: "nonsense" }, 401, /token/],
    ["gpt-nosuch", {}, 404, /one-tool/],
  ]) {
    for (const ask of [(c) => c.invoke(QUESTION), async (c) => collect(await c.stream(QUESTION))]) {
      const error = await thrown(ask(chat(model, more)));
      assert.equal(error.status, status, String(error));
      assert.match(error.message, words);
    }
  }
  const error = await thrown(chat("plain").invoke([["human", "Hello"], ["ai", "the last word is not the user's"]]));
  assert.equal(error.status, 400);
  assert.match(error.message, /ends with a message of role user/);
});

test("a provider that fails in the middle", async () => {
  const error = await thrown((async () => collect(await chat("cut").stream(QUESTION)))());
  assert.match(error.message, /provider|model/i);
});

test("heartbeats", async () => {
  await hasHeartbeats("slow");
  assert.equal((await collect(await chat("slow").stream(QUESTION))).content, LATE);
});

test("letters cut at every byte, on the way to the server and on the way from it", async () => {
  assert.equal((await collect(await chat("bytewise").stream(QUESTION))).content, LETTERS);
  await byteByByte(async (url) => {
    assert.equal((await collect(await chat("bytewise", {}, `${url}/v1`).stream(QUESTION))).content, LETTERS);
    assert.equal((await chat("bytewise", {}, `${url}/v1`).invoke(QUESTION)).content, LETTERS);
  });
});

test("embeddings", async () => {
  const embeddings = new OpenAIEmbeddings({ model: "embed", apiKey, maxRetries: 0, configuration: { baseURL } });
  const [one, two] = await embeddings.embedDocuments(["one", "two"]);
  assert.equal(one.length, 16);
  assert.notDeepEqual(one, two);
  assert.deepEqual(await embeddings.embedQuery("one"), one);
});
