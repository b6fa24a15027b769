# SPDX-License-Identifier: Apache-2.0
"""POST /v1/embeddings: both forms, the order of what comes back, wishes, and what is refused."""

import base64
import os
import struct
import subprocess
import unittest

from stack import Stack, token

CHAINS = """models = { main = { "rules" }, embed = { "mock/embed", dimensions = 12 }, numbers = { "mock/embed-numbers", dimensions = 12 },
    shuffled = { "mock/embed-shuffled", dimensions = 12 }, stubborn = { "mock/embed-stubborn", dimensions = 12 },
    busy = { "mock/embed-busy", dimensions = 12 }, nosuch = { "mock/nosuch", dimensions = 3 } },"""


def floats(text):
    raw = base64.b64decode(text)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def configure(stack, models):
    with open(stack.config, encoding="utf-8") as file:
        text = file.read()
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("models ="))
    lines[at] = models
    stack.write(stack.config, "\n".join(lines))


class Embeddings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(start=False, jobs=0, workers=1)
        try:
            configure(cls.stack, CHAINS)
            cls.stack.start()
        except BaseException:
            cls.stack.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def embed(self, input, model="embed", **more):
        return self.stack.post("/v1/embeddings", {"model": model, "input": input, **more})

    def vectors(self, *args, **more):
        reply = self.embed(*args, **more)
        self.assertEqual(200, reply.status, reply.body)
        rows = reply.json["data"]
        self.assertEqual(list(range(len(rows))), [row["index"] for row in rows])
        return [floats(row["embedding"]) if isinstance(row["embedding"], str) else row["embedding"] for row in rows]

    def test_the_form(self):
        body = self.embed(["one", "two"]).json
        self.assertEqual(("list", "embed"), (body["object"], body["model"]))
        self.assertEqual({"object", "index", "embedding"}, set(body["data"][0]))
        self.assertEqual("embedding", body["data"][0]["object"])
        self.assertEqual(12, len(body["data"][0]["embedding"]))
        self.assertTrue(all(isinstance(x, float) for x in body["data"][0]["embedding"]))
        self.assertEqual({"prompt_tokens": 2, "total_tokens": 2}, body["usage"])

    def test_both_forms_say_the_same(self):
        plain = self.vectors(["one", "two"])
        self.assertEqual(plain, self.vectors(["one", "two"], encoding_format="float"))
        packed = self.vectors(["one", "two"], encoding_format="base64")
        for a, b in zip(plain, packed):  # nine digits give the very float32
            self.assertEqual([struct.pack("<f", x) for x in a], [struct.pack("<f", x) for x in b])
        self.assertAlmostEqual(1.0, sum(x * x for x in plain[0]), places=5)
        self.assertNotEqual(plain[0], plain[1])

    def test_one_text_and_many(self):
        self.assertEqual(self.vectors("one"), self.vectors(["one"]))
        many = self.vectors([f"text {i}" for i in range(2048)])
        self.assertEqual(2048, len(many))
        self.assertEqual(self.vectors("text 2047")[0], many[2047])

    def test_what_the_service_does_with_form_and_order(self):
        want = self.vectors(["one", "two", "three"])
        self.assertEqual(want, self.vectors(["one", "two", "three"], model="numbers"))
        self.assertEqual(want, self.vectors(["one", "two", "three"], model="shuffled"))

    def test_dimensions(self):
        self.assertEqual(5, len(self.vectors("one", dimensions=5)[0]))
        reply = self.embed("one", model="stubborn")
        self.assertEqual((502, "provider_failed"), (reply.status, reply.json["error"]["code"]))
        self.assertIn("16 dimensions where 12", reply.json["detail"])

    def test_what_is_refused(self):
        rows = [("", {}), ([], {}), ([""], {}), (["a", 5], {}), (["a", ""], {}), (5, {}), (None, {}), ({"a": 1}, {}), (["a"] * 2049, {}),
                ("a", {"encoding_format": "hex"}), ("a", {"encoding_format": 5}), ("a", {"dimensions": 0}), ("a", {"dimensions": "12"}),
                ("a", {"dimensions": 1.5}), ("a", {"dimensions": 70000})]
        for input, more in rows:
            reply = self.embed(input, **more)
            self.assertEqual((400, "body_invalid"), (reply.status, reply.json["error"]["code"]), (input if input != ["a"] * 2049 else "many", more))
        for ids in ([1, 2, 3], [[1, 2], [3]]):
            reply = self.embed(ids)
            self.assertEqual(400, reply.status)
            self.assertIn("token ids", reply.json["detail"])

    def test_models(self):
        for model in ("main", "text-embedding-3-small", ""):
            reply = self.embed("one", model=model)
            self.assertEqual((404, "model_not_found"), (reply.status, reply.json["error"]["code"]))
            self.assertIn("shuffled", reply.json["detail"])
        self.assertEqual(404, self.stack.post("/v1/embeddings", {"input": "one"}).status)
        reply = self.stack.post("/v1/chat/completions", {"model": "embed", "messages": [{"role": "user", "content": "hello"}]})
        self.assertEqual((404, "model_not_found"), (reply.status, reply.json["error"]["code"]))
        listed = {m["id"]: m for m in self.stack.get("/v1/models").json["data"]}
        self.assertEqual((["mock/embed"], 12), (listed["embed"]["chain"], listed["embed"]["dimensions"]))
        self.assertNotIn("dimensions", listed["main"])

    def test_what_the_service_refuses(self):
        reply = self.embed("one", model="busy")
        self.assertEqual((503, "provider_failed", "5"), (reply.status, reply.json["error"]["code"], reply.headers["Retry-After"]))
        reply = self.embed("one", model="nosuch")
        self.assertEqual((502, "provider_failed"), (reply.status, reply.json["error"]["code"]))
        self.assertNotIn("sk-canary", reply.body.decode())

    def test_who_may(self):
        self.assertEqual(401, self.stack.post("/v1/embeddings", {"model": "embed", "input": "a"}, bearer=None).status)
        self.assertEqual(200, self.stack.post("/v1/embeddings", {"model": "embed", "input": "a"}, bearer=token(permissions=[])).status)

    def test_nothing_of_it_is_logged(self):
        self.vectors("canary-4471-embedding")
        self.assertNotIn("canary-4471", self.stack.logged())
        self.assertGreaterEqual(self.stack.metric('llm_requests_total{provider="mock",model="mock/embed",outcome="ok"}'), 1)

    def test_configurations(self):
        rows = [('{ embed = { "mock/a", "mock/b" } }', "never fail over"), ('{ embed = { "mock/a", "mock/b", dimensions = 3 } }', "never fail over"),
                ('{ embed = { "rules" } }', "makes no embeddings"), ('{ embed = { "nosuch/a", dimensions = 3 } }', "no provider"),
                ('{ embed = { "mock/a", dimensions = 0 } }', "dimensions must be"), ('{ embed = { "mock/a", dimensions = "3" } }', "dimensions must be"),
                ('{ vectors = { "mock/a", dimension = 3 } }', "must be a list"), ('{ vectors = { "mock/a", dimensions = 3, x = 1 } }', '"x" is not known'),
                ('{ embed = { dimensions = 3 } }', "provider/model")]
        with Stack(start=False, jobs=0) as other:
            for models, words in rows:
                configure(other, f"models = {models},")
                done = subprocess.run([os.environ["COGENTD"], "-c", other.config, "--check-config"], stderr=subprocess.PIPE, text=True)
                self.assertNotEqual(0, done.returncode, models)
                self.assertIn(words, done.stderr, models)
            configure(other, 'models = { main = { "rules" }, embed = { "mock/a" } },')
            subprocess.run([os.environ["COGENTD"], "-c", other.config, "--check-config"], check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
