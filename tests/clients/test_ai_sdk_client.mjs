// SPDX-License-Identifier: Apache-2.0
// The Vercel AI SDK against a running server, with both of its providers that speak chat completions: see common.mjs.
// createOpenAI()(model) would speak another route (responses); .chat(model) is the one to take.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, streamText } from "ai";
import { ANSWER, LATE, LETTERS, QUESTION, apiKey as key, baseURL as base, byteByByte, closesUpstream, hasHeartbeats, thrown } from "./common.mjs";

const providers = {
  "@ai-sdk/openai": (model, baseURL, apiKey) => createOpenAI({ baseURL, apiKey }).chat(model),
  "@ai-sdk/openai-compatible": (model, baseURL, apiKey) =>
    createOpenAICompatible({ name: "cogent", baseURL, apiKey, includeUsage: true }).chatModel(model),
};

for (const [name, make] of Object.entries(providers)) {
  const asked = (model, more = {}, url = base, apiKey = key) => ({ model: make(model, url, apiKey), prompt: QUESTION, maxRetries: 0, ...more });
  const quiet = { onError: () => {} }; // else it prints what the tests look at

  test(`${name}: a whole answer with the server's own tools, and its usage`, async () => {
    const answer = await generateText(asked("one-tool"));
    assert.equal(answer.text, ANSWER);
    assert.deepEqual(answer.toolCalls, [], "the server's tools are none of the client's");
    assert.equal(answer.finishReason, "stop");
    assert.ok(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0);
  });

  test(`${name}: a stream with the server's own tools, its usage and its steps`, async () => {
    const result = streamText(asked("one-tool", { includeRawChunks: true, ...quiet }));
    const steps = [];
    let text = "";
    for await (const part of result.fullStream) {
      assert.notEqual(part.type, "error", JSON.stringify(part));
      if (part.type === "text-delta") text += part.text;
      if (part.type === "raw" && part.rawValue.cogent) steps.push(part.rawValue.cogent.event);
    }
    assert.equal(text, ANSWER);
    assert.equal(await result.finishReason, "stop");
    const usage = await result.usage;
    assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0, JSON.stringify(usage));
    for (const event of ["tool_call", "tool_result", "citation"]) assert.ok(steps.includes(event), steps.join());
  });

  test(`${name}: leaving closes the upstream`, async () => {
    await closesUpstream(async () => {
      const leave = new AbortController();
      let heard = 0, aborted = false;
      for await (const part of streamText(asked("endless", { abortSignal: leave.signal, ...quiet })).fullStream) {
        if (part.type === "text-delta" && part.text.includes("tick") && ++heard === 3) leave.abort();
        aborted ||= part.type === "abort";
      }
      assert.ok(aborted);
    });
  });

  test(`${name}: errors can be read`, async () => {
    for (const [model, apiKey, status, words] of [["plain", "nonsense", 401, /token/], ["gpt-nosuch", key, 404, /one-tool/]]) {
      const error = await thrown(generateText(asked(model, {}, base, apiKey)));
      assert.ok(APICallError.isInstance(error), String(error));
      assert.equal(error.statusCode, status);
      assert.match(error.message, words);
      const parts = [];
      for await (const part of streamText(asked(model, quiet, base, apiKey)).fullStream) parts.push(part);
      assert.match(parts.find((part) => part.type === "error").error.message, words);
    }
    const messages = [{ role: "user", content: "Hello" }, { role: "assistant", content: "the last word is not the user's" }];
    const error = await thrown(generateText({ model: make("plain", base, key), messages, maxRetries: 0 }));
    assert.equal(error.statusCode, 400);
    assert.match(error.message, /ends with a message of role user/);
  });

  test(`${name}: a provider that fails in the middle`, async () => {
    let text = "", error;
    for await (const part of streamText(asked("cut", quiet)).fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (part.type === "error") error = part.error;
    }
    assert.ok(text.startsWith("This stops in"), text);
    assert.ok(error, "no error part came");
  });

  test(`${name}: heartbeats`, async () => {
    await hasHeartbeats("slow");
    assert.equal(await streamText(asked("slow")).text, LATE);
  });

  test(`${name}: letters cut at every byte, on the way to the server and on the way from it`, async () => {
    assert.equal(await streamText(asked("bytewise")).text, LETTERS);
    await byteByByte(async (url) => {
      assert.equal(await streamText(asked("bytewise", {}, `${url}/v1`)).text, LETTERS);
      assert.equal((await generateText(asked("bytewise", {}, `${url}/v1`))).text, LETTERS);
    });
  });
}

for (const [name, model] of [
  ["@ai-sdk/openai", createOpenAI({ baseURL: base, apiKey: key }).embedding("embed")],
  ["@ai-sdk/openai-compatible", createOpenAICompatible({ name: "cogent", baseURL: base, apiKey: key }).textEmbeddingModel("embed")],
]) {
  test(`${name}: embeddings`, async () => {
    const { embeddings, usage } = await embedMany({ model, values: ["one", "two"], maxRetries: 0 });
    assert.deepEqual(embeddings.map((e) => e.length), [16, 16]);
    assert.notDeepEqual(embeddings[0], embeddings[1]);
    assert.ok(usage.tokens > 0);
  });
}
