# SPDX-License-Identifier: Apache-2.0
"""provider_openai against the mock that speaks the OpenAI wire, also wrongly: a right answer or a clear error each,
never a wrong call. And our own OpenAI dialect."""

import json
import unittest

from stack import Stack, events, token, until

MODELS = ["plain", "utf8", "one-tool", "two-tools", "cut", "cut-before-first", "cut-in-call", "malformed", "bad-arguments",
          "empty-arguments", "stop-with-calls", "length-in-call", "error-midstream", "rate-limited", "bad-key", "down",
          "no-usage", "usage", "endless", "no-done"]


class ModelWire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {name: ["mock/" + name] for name in MODELS}
        models["main"] = ["mock/plain"]
        models["failover"] = ["mock/down", "mock/one-tool"]
        models["last-resort"] = ["mock/down", "rules"]
        cls.stack = Stack(models=models)

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def names(self, found):
        return [e["event"] for e in found]

    def tools(self, found):
        return [(e["data"]["tool"], e["data"]["arguments"]) for e in found if e["event"] == "tool_call"]

    def test_one_tool_then_the_answer(self):
        found = self.stack.stream("total of 536365?", model="one-tool")
        self.assertEqual([("get_invoice", {"number": "536365"})], self.tools(found))
        self.assertIn("139.12 GBP", found[-1]["data"]["content"])

    def test_two_parallel_calls_with_interleaved_deltas(self):
        found = self.stack.stream("compare", model="two-tools")
        calls = self.tools(found)
        self.assertEqual(2, len(calls), calls)
        results = [e for e in found if e["event"] == "tool_result"]
        self.assertEqual(["done", "done"], [r["data"]["status"] for r in results])
        self.assertEqual("complete", found[-1]["data"]["status"])

    def test_calls_count_whatever_the_finish_reason(self):
        found = self.stack.stream("total?", model="stop-with-calls")
        self.assertEqual(1, len(self.tools(found)))
        self.assertEqual("complete", found[-1]["data"]["status"])

    def test_an_empty_argument_string_is_an_empty_object(self):
        found = self.stack.stream("low stock?", model="empty-arguments")
        self.assertEqual({}, self.tools(found)[0][1])

    def test_a_broken_stream_is_an_error_and_never_a_call(self):
        for model in ("cut-before-first", "cut-in-call", "malformed", "bad-arguments", "length-in-call", "error-midstream",
                      "rate-limited", "bad-key", "down", "cut"):
            with self.subTest(model):
                found = self.stack.stream("total?", model=model)
                self.assertEqual([], self.tools(found))
                self.assertEqual("error", found[-1]["event"], found[-1])
                body = found[-1]["data"]
                self.assertEqual("provider_failed", body["error"]["code"])
                self.assertIn(body["status"], (502, 503, 504))
                self.assertNotIn("sk-canary-key-0001", json.dumps(found))

    def test_before_the_first_word_the_next_provider_answers(self):
        found = self.stack.stream("total?", model="failover")
        self.assertIn("139.12", found[-1]["data"]["content"])
        found = self.stack.stream("What is the total of invoice 536365?", model="last-resort")
        self.assertIn("139.12", found[-1]["data"]["content"])

    def test_usage_is_counted(self):
        usage = [e["data"] for e in self.stack.stream("hello", model="usage") if e["event"] == "usage"]
        self.assertTrue(usage[0]["input_tokens"] > 0 and not usage[0]["estimated"], usage)
        usage = [e["data"] for e in self.stack.stream("hello", model="no-usage") if e["event"] == "usage"]
        self.assertTrue(usage[0]["output_tokens"] > 0 and usage[0]["estimated"], usage)
        self.assertGreater(self.stack.metric('llm_requests_total{provider="mock",model="mock/usage",outcome="ok"}'), 0)

    def test_utf8_comes_through_whole(self):
        done = self.stack.stream("hello", model="utf8")[-1]["data"]
        self.assertTrue(any(ord(c) > 0xffff for c in done["content"]), done)

    def test_a_client_that_leaves_closes_the_upstream(self):
        import http.client
        import time
        stats = lambda: self.mock_stats()
        before = stats()["closed_early"]
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=20)
        connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                           {"Authorization": "Bearer " + token()})
        reply = connection.getresponse()
        run = reply.headers["X-Run-Id"]
        reply.read(400)
        reply.close()
        connection.close()
        until("the upstream to close", lambda: stats()["closed_early"] > before)
        until("the run to end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "cancelled")
        time.sleep(0)

    def test_a_run_is_cancelled_by_its_route(self):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=20)
        connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                           {"Authorization": "Bearer " + token()})
        reply = connection.getresponse()
        run = reply.headers["X-Run-Id"]
        until("the run to be known", lambda: self.stack.get("/v1/runs/" + run).status == 200)
        self.assertEqual(202, self.stack.post(f"/v1/runs/{run}/cancel", {}).status)
        self.assertEqual("cancelled", events(reply.read())[-1]["data"]["status"])
        connection.close()

    def mock_stats(self):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.mock_port, timeout=10)
        try:
            connection.request("GET", "/_stats")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    # The dialect that existing clients speak.

    def completions(self, **body):
        return self.stack.post("/v1/chat/completions", dict({"messages": [{"role": "user", "content": "total of 536365?"}]}, **body))

    def test_a_whole_completion(self):
        body = self.completions(model="one-tool").json
        self.assertEqual("chat.completion", body["object"])
        self.assertIn("139.12 GBP", body["choices"][0]["message"]["content"])
        self.assertEqual("stop", body["choices"][0]["finish_reason"])
        self.assertGreater(body["usage"]["total_tokens"], 0)

    def test_chunks_without_named_events(self):
        reply = self.completions(model="one-tool", stream=True, stream_options={"include_usage": True})
        self.assertNotIn(b"event:", reply.body)
        chunks = [e["data"] for e in events(reply.body)]
        self.assertEqual("[DONE]", chunks[-1])
        chunks = chunks[:-1]
        text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
        self.assertIn("139.12 GBP", text)
        self.assertEqual("assistant", chunks[0]["choices"][0]["delta"]["role"])
        self.assertEqual(["stop"], [c["choices"][0]["finish_reason"] for c in chunks if c["choices"] and c["choices"][0]["finish_reason"]])
        self.assertGreater(chunks[-1]["usage"]["total_tokens"], 0)
        self.assertIn("tool_call", [c["cogent"]["event"] for c in chunks if "cogent" in c])

    def test_a_failed_completion_says_so(self):
        chunks = [e["data"] for e in events(self.completions(model="cut", stream=True).body)]
        self.assertEqual("[DONE]", chunks[-1])
        self.assertEqual("provider_failed", chunks[-2]["error"]["code"])
        reply = self.completions(model="down")
        self.assertEqual(503, reply.status)
        self.assertEqual("application/problem+json", reply.headers["Content-Type"])

    def test_an_unknown_model_is_named(self):
        reply = self.completions(model="nosuch")
        self.assertEqual(404, reply.status)
        self.assertEqual("model_not_found", reply.json["error"]["code"])
        self.assertIn("one-tool", reply.json["detail"])
        self.assertIn("one-tool", [m["id"] for m in self.stack.get("/v1/models").json["data"]])

    def test_the_history_reaches_the_model(self):
        reply = self.stack.post("/v1/chat/completions", {"model": "plain", "messages": [
            {"role": "system", "content": "you are a pirate"}, {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "hi"}, {"role": "user", "content": [{"type": "text", "text": "and now?"}]}]})
        self.assertEqual(200, reply.status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
