# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json: every route is in it and nothing else, a linter is content with it, and each operation, asked here at
least once, answers as it says. Skipped, with a sentence, where python3-jsonschema is not installed; the linter alone where
node or its package is not."""

import json
import os
import re
import subprocess
import sys
import unittest

from proxy import Proxy
from stack import Stack, events, token

try:
    import jsonschema
except ImportError:
    jsonschema = None

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CLIENTS = os.path.join(TREE, "tests", "clients")
SKIP = 77  # meson's word for it
ASK = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
MODELS = """models = { main = { "rules" }, ["one-tool"] = { "mock/one-tool" }, cut = { "mock/cut" }, fallback = { "mock/cut", "mock/plain" },
    embed = { "mock/embed", dimensions = 12 } },"""
CUSTOMER = {"id": "C9", "name": "Canary & Sons", "country": "Norway", "credit_limit": "10.00", "currency": "GBP", "since": "2025-01-01",
            "invoices": 0, "invoiced_total": "0.00", "modified": "2026-01-01T00:00:00.000002Z"}


def read(*path):
    with open(os.path.join(TREE, *path), encoding="utf-8") as file:
        return file.read()


DOCUMENT = json.loads(read("docs", "openapi.json"))
OPERATIONS = {o["operationId"]: (method.upper(), path, o) for path, item in DOCUMENT["paths"].items() for method, o in item.items()}


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for key in node["$ref"].split("/")[1:]:
            target = target[key.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def wrong(schema, value):
    """What the schema says against the value; a list of sentences."""
    judge = jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    found = []
    for error in judge.iter_errors(value):
        below = sorted(error.context or [], key=lambda e: -len(e.absolute_path))[:3]
        found += [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in [error, *below]]
    return found


def frames(body):
    """The data frames of a completion's stream."""
    texts = [frame[6:] for frame in body.decode().split("\n\n") if frame.startswith("data: ")]
    return [{"data": text if text == "[DONE]" else json.loads(text)} for text in texts]


class Document(unittest.TestCase):
    def test_every_route_is_in_it_and_nothing_else(self):
        table = set(re.findall(r'\{ "([A-Z]+)", "(/[^"]*)"', read("engine", "api", "routes.c")))
        self.assertGreater(len(table), 20)
        self.assertEqual(table, {(method, path) for method, path, _ in OPERATIONS.values()})

    def test_rights_are_those_of_the_table(self):
        for method, path, permission, flags in re.findall(r'\{ "([A-Z]+)", "(/[^"]*)", (NULL|"[^"]+"), ([A-Z_0| ]+),', read("engine", "api", "routes.c")):
            operation = next(o for m, p, o in OPERATIONS.values() if (m, p) == (method, path))
            self.assertEqual("CG_PUBLIC" in flags, operation.get("security") == [], path)
            self.assertEqual("CG_BODY" in flags, "application/json" in operation.get("requestBody", {}).get("content", {}), path)
            if permission != "NULL":
                self.assertIn("`" + permission.strip('"') + "`", operation["description"], path)

    def test_a_linter_is_content(self):
        tool = os.path.join(CLIENTS, "node_modules", "@redocly", "cli", "bin", "cli.js")
        if not os.path.exists(tool):
            self.skipTest("tests/clients/node_modules/@redocly/cli is missing: run scripts/dev/clients.sh")
        from test_clients import ENVIRONMENT, find_node
        node = find_node()
        if not node:
            self.skipTest("node 20 or later is not installed")
        done = subprocess.run([node, tool, "lint", "--config", "docs/redocly.yaml", "--format", "json", "docs/openapi.json"], cwd=TREE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**ENVIRONMENT, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
        report = json.loads(done.stdout[done.stdout.index("{"):])
        self.assertEqual((0, 0, 0), (done.returncode, report["totals"]["errors"], report["totals"]["warnings"]), done.stdout[:4000])

    def test_examples_fit(self):
        for name, schema in DOCUMENT["components"]["schemas"].items():
            for example in schema.get("examples", []):
                self.assertEqual([], wrong({"$ref": "#/components/schemas/" + name}, example), name)


class Answers(unittest.TestCase):
    """Each operation, asked; what comes is compared with what the document says of it."""

    @classmethod
    def setUpClass(cls):
        cls.asked = set()
        cls.stack = stack = Stack(jobs=0, workers=2, start=False)
        cls.proxy = Proxy(stack.erp.port)
        try:
            never = read("policies", "tools", "erp.lua").replace('once       = { header = "Idempotency-Key" },', 'once = "never",')
            stack.write(os.path.join(stack.folder, "erp.lua"), never)
            stack.write_config(jobs=0, extra='tools = { "erp.lua" },')
            with open(stack.config, encoding="utf-8") as file:
                text = file.read().replace(f"127.0.0.1:{stack.erp.port}", f"127.0.0.1:{cls.proxy.port}")
            stack.write(stack.config, "\n".join(MODELS if line.strip().startswith("models =") else line for line in text.split("\n")))
            stack.start()
        except BaseException:
            stack.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()
        cls.proxy.close()

    def ask(self, name, body=None, status=200, bearer="", headers=None, query="", raw=None, **params):
        method, path, operation = OPERATIONS[name]
        self.asked.add(name)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None and content and status < 300:
            self.assertEqual([], wrong(content["schema"], body), f"{name}: the request")
        reply = self.stack.call(method, path.format(**params) + query, raw if raw is not None else body, bearer=bearer, headers=headers)
        self.assertEqual(status, reply.status, (name, reply.body[:500]))
        self.check(name, operation, reply)
        return reply

    def check(self, name, operation, reply):
        self.assertIn(str(reply.status), operation["responses"], f"{name} does not say that it may answer {reply.status}: {reply.body[:300]}")
        said = resolve(operation["responses"][str(reply.status)])
        for header, about in said.get("headers", {}).items():
            self.assertTrue(header in reply.headers or not about.get("required"), f"{name}: {header}")
        if "content" not in said:
            self.assertEqual(b"", reply.body, name)
            return
        kind = reply.headers["Content-Type"].split(";")[0]
        self.assertIn(kind, said["content"], name)
        if kind != "text/event-stream":
            value = reply.json
        else:
            value = frames(reply.body) if name == "createChatCompletion" else events(reply.body)
        found = wrong(said["content"][kind]["schema"], value)
        self.assertEqual([], found, f"{name} {reply.status}: {json.dumps(value)[:1500]}")

    def test_each_operation(self):
        self.server()
        self.records()
        run, session = self.questions()
        self.openai()
        self.sessions(session)
        self.runs(run)
        self.approvals()
        self.effects()
        self.refusals()
        self.assertEqual(set(OPERATIONS), self.asked, "this test asks every operation")

    def server(self):
        for name in ("getHealth", "getReadiness"):
            self.ask(name, bearer=None)
        self.assertEqual(DOCUMENT, self.ask("getOpenapi", bearer=None).json)
        self.ask("getMe")
        self.assertGreater(len(self.ask("listTools").data), 5)
        self.assertEqual(5, len(self.ask("listModels").json["data"]))

    def records(self):
        one = {"type": "customer", "id": "C9"}
        self.ask("putDocument", {"record": CUSTOMER}, **one)
        self.ask("putDocument", CUSTOMER, **one)
        self.ask("getDocument", **one)
        self.assertEqual("C9", self.ask("searchRecords", {"query": "canary sons", "types": ["customer"], "limit": 3}).data[0]["id"])
        lines = [{**one, "record": CUSTOMER}, {**one, "delete": True}, {"type": "nosuch", "id": 1}]
        done = self.ask("putDocuments", raw=b"nonsense\n" + "\n".join(map(json.dumps, lines)).encode()).data
        self.assertEqual((1, 1, 2), (done["accepted"], done["unchanged"], done["rejected"]), done)
        self.ask("deleteDocument", **one)
        self.ask("putDocuments", raw=b"", headers={"Content-Encoding": "br"}, status=415)
        self.ask("putDocuments", raw=b"plain", headers={"Content-Encoding": "gzip"}, status=400)
        self.ask("putDocument", {}, type="nosuch", id="1", status=404)

    def questions(self):
        question = {"query": "What is the total of invoice 536365?"}
        first = self.ask("askAssistant", question).data
        self.assertEqual(1, len(first["citations"]))
        self.ask("askAssistant", {**question, "history": [{"role": "user", "content": "hello"}], "tools": ["get_invoice"], "locale": "de"})
        self.ask("streamAssistant", {**question, "session": first["session"], "context": {"type": "invoice", "id": "1"}})
        for model in ("one-tool", "cut", "fallback"):  # with a model's text, an error, a restart
            self.ask("streamAssistant", {**question, "model": model})
        self.ask("askAssistant", {**question, "model": "cut"}, status=502)
        self.ask("askAssistant", {"query": "x" * 40000}, status=400)
        self.ask("askAssistant", question, query="?query=x", status=400)
        key = {"Idempotency-Key": "once"}
        self.ask("askAssistant", question, headers=key)
        self.ask("askAssistant", {"query": "another"}, headers=key, status=422)
        return first["run"], first["session"]

    def openai(self):
        question = {"model": "one-tool", "messages": [{"role": "user", "content": "What is the total of invoice 536365?"}]}
        self.ask("createChatCompletion", question)
        self.ask("createChatCompletion", {**question, "stream": True, "stream_options": {"include_usage": True}})
        self.ask("createChatCompletion", {**question, "model": "cut", "stream": True})
        self.ask("createChatCompletion", {**question, "model": "main", "messages": [{"role": "user", "content": ASK}]})
        self.ask("createChatCompletion", {**question, "model": "nosuch"}, status=404)
        self.ask("createChatCompletion", {"model": "main", "messages": []}, status=400)
        for form in ("float", "base64"):
            self.ask("createEmbeddings", {"model": "embed", "input": ["one", "two"], "encoding_format": form})
        self.ask("createEmbeddings", {"model": "embed", "input": [1, 2]}, status=400)
        self.ask("createEmbeddings", {"model": "main", "input": "one"}, status=404)

    def sessions(self, session):
        page = self.ask("listSessions", query="?limit=1").json
        self.ask("listSessions", query="?after=" + page["next"])
        self.ask("getSession", id=session)
        self.assertEqual("March", self.ask("renameSession", {"title": "March"}, id=session).data["title"])
        self.ask("renameSession", {"title": ""}, id=session, status=400)
        self.ask("deleteSession", id=session, status=204)
        self.ask("getSession", id=session, status=404)

    def runs(self, gone):
        page = self.ask("listRuns", query="?limit=2").json
        run = self.ask("listRuns", query="?after=" + page["next"]).data[0]["run"]
        self.ask("getRun", id=run)
        self.ask("getRun", id=gone, status=404)
        last = events(self.ask("followRun", id=run).body)[-1]["id"]
        self.ask("followRun", id=run, headers={"Last-Event-ID": last}, status=204)
        # One that waits for a person is under way.
        waits = self.stack.ask(ASK)
        self.ask("cancelRun", id=waits["run"], status=202)
        self.ask("cancelRun", id=run, status=404)

    def approvals(self):
        yes, no = (self.stack.ask(ASK)["approvals"][0]["id"] for _ in range(2))
        self.assertLess(1, len(self.ask("listApprovals", query="?state=waiting").data))
        self.ask("getApproval", id=yes)
        self.ask("decideApproval", {"decision": "approve", "arguments": {"customer_id": 5}}, id=yes, status=400)
        self.ask("decideApproval", {"decision": "approve", "note": "go on"}, id=yes, headers={"Accept": "text/event-stream"})
        self.ask("decideApproval", {"decision": "deny"}, id=no)
        self.ask("decideApproval", {"decision": "approve"}, id=no, status=409)
        self.ask("getApproval", id=yes)

    def effects(self):
        approval = self.stack.ask(ASK)["approvals"][0]["id"]
        self.proxy.plan("POST", cut_reply=0, times=99)
        self.ask("decideApproval", {"decision": "approve"}, id=approval, headers={"Accept": "text/event-stream"})
        doubt = self.ask("listEffects", query="?state=unknown").data[0]["effect"]
        self.ask("getEffect", id=doubt)
        self.ask("resolveEffect", {"outcome": "maybe"}, id=doubt, status=400)
        self.ask("resolveEffect", {"outcome": "done", "note": "I looked", "result": {"number": "1"}}, id=doubt)
        self.ask("resolveEffect", {"outcome": "failed"}, id=doubt, status=409)
        self.ask("listEffects")

    def refusals(self):
        """What every operation may say to anybody."""
        for name, (method, path, operation) in OPERATIONS.items():
            params = {key: "nosuch" for key in re.findall(r"\{(\w+)\}", path)}
            public = operation.get("security") == []
            self.ask(name, bearer=None, status=401 if not public else 200, **params)
            if not public:
                self.ask(name, bearer=token(tenant="nosuch"), status=403, **params)
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                self.ask(name, raw=b"{", status=400, **params)
                self.ask(name, raw=b" " * (9 * 1024 * 1024), status=413, **params)
            elif params and "{id}" in path:
                self.ask(name, status=404, **params)


if __name__ == "__main__":
    if not jsonschema:
        print("skipped: python3-jsonschema is not installed")
        sys.exit(SKIP)
    unittest.main(verbosity=2)
