// SPDX-License-Identifier: Apache-2.0
// A model by somebody else: @copilotkit/aimock with a few answers. Prints its address, serves until its input ends.
// It is no oracle: it guesses tokens, and takes what the service would refuse (a tool whose schema is no object,
// stream_options without stream).
import { LLMock } from "@copilotkit/aimock";

const invoice = (id, number) => ({ id, name: "get_invoice", arguments: JSON.stringify({ number }) });

const mock = new LLMock({ port: 0 });
mock.on({ model: "text" }, { content: "Größe 5 µm, 漢字, 😀 done." }, { chunkSize: 3 });
mock.on({ model: "tool", hasToolResult: false }, { toolCalls: [invoice("call_1", "536365")] }, { chunkSize: 4 });
mock.on({ model: "tool", toolResultContains: "139.12" }, { content: "It comes to 139.12 GBP [1]." });
mock.on({ model: "tools", hasToolResult: false }, { toolCalls: [invoice("call_1", "536365"), invoice("call_2", "536366")] }, { chunkSize: 4 });
mock.on({ model: "tools", hasToolResult: true }, { content: "Both are known now." });
mock.on({ model: "busy" }, { error: { message: "Slow down.", type: "rate_limit_error", code: "rate_limit_exceeded" }, status: 429 });
mock.on({ model: "cut" }, { content: "This stops in the middle of it all." }, { chunkSize: 4, truncateAfterChunks: 4 });
console.log(await mock.start());
process.stdin.resume();
process.stdin.on("end", async () => {
  await mock.stop();
  process.exit(0);
});
