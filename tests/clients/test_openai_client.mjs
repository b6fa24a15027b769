// SPDX-License-Identifier: Apache-2.0
// The official OpenAI client against a running server: see common.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { ANSWER, LATE, LETTERS, QUESTION, apiKey, baseURL, byteByByte, closesUpstream, hasHeartbeats, thrown, until } from "./common.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
const ask = (model, more = {}) => ({ model, messages: [{ role: "user", content: QUESTION }], ...more });

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function text(stream) {
  return (await collect(stream)).flatMap((c) => c.choices).map((c) => c.delta.content ?? "").join("");
}

test("models are listed", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  for (const name of ["plain", "one-tool", "cut"]) assert.ok(names.includes(name), names.join());
});

test("a streamed answer: text, finish reason, usage and the agent's steps", async () => {
  const stream = await client.chat.completions.create(ask("one-tool", { stream: true, stream_options: { include_usage: true } }));
  const chunks = await collect(stream);
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1, "one id for all chunks");
  for (const chunk of chunks) assert.equal(chunk.object, "chat.completion.chunk");
  const deltas = chunks.flatMap((c) => c.choices);
  assert.equal(deltas[0].delta.role, "assistant");
  assert.equal(deltas.map((c) => c.delta.content ?? "").join(""), ANSWER);
  assert.deepEqual(deltas.map((c) => c.finish_reason).filter(Boolean), ["stop"]);
  const last = chunks.at(-1);
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.prompt_tokens > 0 && last.usage.completion_tokens > 0);
  assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
  assert.ok(chunks.slice(0, -1).every((c) => !c.usage), "usage comes once, last");

  const steps = chunks.filter((c) => c.cogent).map((c) => c.cogent);
  const one = (event) => steps.find((s) => s.event === event)?.data;
  assert.match(one("start").run, /^run_/);
  assert.deepEqual(one("tool_call").arguments, { number: "536365" });
  assert.equal(one("tool_result").status, "done");
  assert.equal(one("citation").n, 1);
  assert.equal(one("done").status, "complete");
});

test("usage is not sent when nobody asked for it", async () => {
  const chunks = await collect(await client.chat.completions.create(ask("plain", { stream: true })));
  assert.ok(chunks.every((c) => !c.usage));
});

test("the stream helper", async () => {
  const stream = client.chat.completions.stream(ask("one-tool", { stream_options: { include_usage: true } }));
  let text = "";
  stream.on("content", (delta) => (text += delta));
  const whole = await stream.finalChatCompletion();
  assert.match(text, /139\.12 GBP \[1\]\.$/);
  assert.equal(whole.choices.length, 1);
  assert.equal(whole.choices[0].message.content, text);
  assert.equal(whole.choices[0].message.role, "assistant");
  assert.equal(whole.choices[0].finish_reason, "stop");
  assert.ok((await stream.totalUsage()).total_tokens > 0);
});

test("a whole completion", async () => {
  const whole = await client.chat.completions.create(ask("one-tool"));
  assert.equal(whole.object, "chat.completion");
  assert.equal(whole.model, "one-tool");
  assert.match(whole.choices[0].message.content, /139\.12 GBP/);
  assert.equal(whole.choices[0].finish_reason, "stop");
  assert.ok(whole.usage.total_tokens > 0);
  assert.equal(whole.cogent.status, "complete");
  assert.equal(whole.cogent.citations[0].n, 1);
});

test("an answer that its provider cut short is no complete one, streamed or whole", async () => {
  for (const [model, reason, text] of [["length", "length", "The limit came before the"], ["filtered", "content_filter", "This goes"]]) {
    const whole = await client.chat.completions.create(ask(model));
    const chunks = await collect(await client.chat.completions.create(ask(model, { stream: true })));
    const deltas = chunks.flatMap((c) => c.choices);
    assert.equal(whole.choices[0].message.content, text);
    assert.equal(deltas.map((c) => c.delta.content ?? "").join(""), text);
    assert.equal(whole.choices[0].finish_reason, reason);
    assert.equal(deltas.at(-1).finish_reason, reason);
  }
});

test("an approval is a stop with words", async () => {
  const question = [{ role: "user", content: "Create an invoice for customer 17850: 6 of 85123A at 2.55" }];
  const whole = await client.chat.completions.create({ model: "rules", messages: question });
  assert.equal(whole.cogent.status, "waiting");
  assert.equal(whole.cogent.approvals.length, 1);
  const chunks = await collect(await client.chat.completions.create({ model: "rules", messages: question, stream: true }));
  const text = chunks.flatMap((c) => c.choices).map((c) => c.delta.content ?? "").join("");
  assert.equal(text, whole.choices[0].message.content);
  assert.ok(text.length > 0);
  assert.equal(chunks.filter((c) => c.cogent?.event === "approval").length, 1);
});

test("a bad key", async () => {
  const stranger = new OpenAI({ baseURL, apiKey: "nonsense", maxRetries: 0 });
  for (const stream of [false, true]) {
    const error = await thrown(stranger.chat.completions.create(ask("plain", { stream })));
    assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
    assert.equal(error.status, 401);
    assert.equal(error.code, "token_invalid");
    assert.match(error.message, /token/);
    assert.doesNotMatch(error.message, /nonsense/);
  }
});

test("an unknown model names those that are known", async () => {
  for (const stream of [false, true]) {
    const error = await thrown(client.chat.completions.create(ask("gpt-nosuch", { stream })));
    assert.ok(error instanceof OpenAI.NotFoundError, String(error));
    assert.equal(error.code, "model_not_found");
    assert.match(error.message, /plain/);
    assert.match(error.message, /one-tool/);
  }
});

test("a body that is wrong", async () => {
  const error = await thrown(client.chat.completions.create({ model: "plain", messages: [] }));
  assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  assert.equal(error.code, "messages_invalid");
  assert.match(error.message, /messages must be a list/);
});

test("a provider that fails in the middle", async () => {
  let text = "";
  const error = await thrown((async () => {
    const stream = await client.chat.completions.create(ask("cut", { stream: true }));
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  })());
  assert.ok(text.startsWith("This stops in"), text);
  assert.ok(error instanceof OpenAI.APIError, String(error));
  assert.equal(error.code, "provider_failed");
  const helper = await thrown(client.chat.completions.stream(ask("cut")).finalChatCompletion());
  assert.ok(helper instanceof OpenAI.APIError, String(helper));
  assert.equal(helper.code, "provider_failed");
  const whole = await thrown(client.chat.completions.create(ask("cut")));
  assert.ok(whole instanceof OpenAI.APIError && whole.status >= 500, String(whole));
  assert.equal(whole.code, "provider_failed");
});

test("a client that leaves closes the upstream", async () => {
  let run, heard = 0;
  await closesUpstream(async () => {
    const stream = await client.chat.completions.create(ask("endless", { stream: true }));
    for await (const chunk of stream) {
      run ??= chunk.cogent?.data?.run;
      if ((chunk.choices[0]?.delta?.content ?? "").includes("tick") && ++heard === 3) break;
    }
    stream.controller.abort();
  });
  await until("the run to be cancelled", async () => {
    const reply = await fetch(`${baseURL}/runs/${run}`, { headers: { authorization: `Bearer ${apiKey}` } });
    return reply.ok && (await reply.json()).data.status === "cancelled";
  });
});

test("heartbeats", async () => {
  await hasHeartbeats("slow");
  assert.equal(await text(await client.chat.completions.create(ask("slow", { stream: true }))), LATE);
  assert.equal((await client.chat.completions.stream(ask("slow")).finalChatCompletion()).choices[0].message.content, LATE);
});

test("letters cut at every byte, on the way to the server and on the way from it", async () => {
  assert.equal(await text(await client.chat.completions.create(ask("bytewise", { stream: true }))), LETTERS);
  await byteByByte(async (url) => {
    const cut = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    assert.equal(await text(await cut.chat.completions.create(ask("bytewise", { stream: true }))), LETTERS);
    assert.equal((await cut.chat.completions.create(ask("bytewise"))).choices[0].message.content, LETTERS);
  });
});

// It asks for base64 unless told otherwise, and makes numbers of it.
test("embeddings, in the form that the client prefers and in the other", async () => {
  const input = ["one", "two", "one"];
  const packed = await client.embeddings.create({ model: "embed", input });
  const plain = await client.embeddings.create({ model: "embed", input, encoding_format: "float" });
  assert.equal(packed.model, "embed");
  assert.deepEqual(packed.data.map((row) => row.index), [0, 1, 2]);
  assert.equal(packed.data[0].embedding.length, 16);
  const float32 = (rows) => rows.map((row) => [...Float32Array.from(row.embedding)]);
  assert.deepEqual(float32(packed.data), float32(plain.data));
  assert.deepEqual(float32(packed.data)[0], float32(packed.data)[2]);
  assert.notDeepEqual(float32(packed.data)[0], float32(packed.data)[1]);
  assert.ok(packed.usage.prompt_tokens > 0 && packed.usage.total_tokens === packed.usage.prompt_tokens);
  assert.equal((await client.embeddings.create({ model: "embed", input: "one", dimensions: 5 })).data[0].embedding.length, 5);
});

test("embeddings of what is no text, or by what makes none", async () => {
  const ids = await thrown(client.embeddings.create({ model: "embed", input: [1, 2, 3] }));
  assert.ok(ids instanceof OpenAI.BadRequestError, String(ids));
  assert.match(ids.message, /token ids/);
  const chat = await thrown(client.embeddings.create({ model: "plain", input: "one" }));
  assert.ok(chat instanceof OpenAI.NotFoundError, String(chat));
  assert.match(chat.message, /embed/);
});
