# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json says what the server does: it has the routes of the table and no others, redocly has nothing to say
about it, and each operation is called, its answers and events as the document describes them."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import quote

import node
from proxy import Proxy
from stack import Stack, events, token, until

try:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
except ImportError:
    Draft202012Validator = None

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "openapi.json")
METHODS = ("get", "put", "post", "delete", "patch")
INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
TOTAL = "What is the total of invoice 536365?"
CUSTOMER = {"id": "C9", "name": "Arne Berg", "country": "Norway", "credit_limit": "10.00", "currency": "GBP", "since": "2025-01-01",
            "invoices": 0, "invoiced_total": "0.00", "modified": "2026-01-01T00:00:00.000002Z"}
SCRIPT = {"tool": [[{"text": "I look. "}, {"calls": [{"id": "a", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}]}],
                   [{"text": "It comes to {{tool:/total}} [1]."}]],
          "breaks": [[{"text": "The first model says, and then "}, {"cut": True}]],
          "mends": [[{"text": "The second model says it whole."}]],
          "lists": [[{"calls": [{"id": "a", "name": "list_invoices", "arguments": "{}"},
                                {"id": "b", "name": "no_such_tool", "arguments": "{}"}]}], [{"text": "That was the list."}]],
          "length": [[{"text": "The limit came before the"}, {"finish": "length"}]],
          "filtered": [[{"text": "This goes"}, {"finish": "content_filter"}]],
          "stall": [[{"text": "It begins and then"}, {"delay_ms": 600000}]]}
BOSS = """return { about = "Seven of a thing are a manager's.", on = "tool_call", tool = "create_invoice",
  decide = function(call) if call.args.line_items[1].quantity == 7 then return ask { role = "finance_manager" } end end }
"""
PRICES = 'prices = { ["mock/tool"] = { input = 2.0, cached = 0.5, output = 8.0 } },'
MODELS = {"main": ["rules"], "fails-over": ["mock/breaks", "mock/mends"], **{name: ["mock/" + name] for name in SCRIPT}}


def read():
    with open(FILE, encoding="utf-8") as file:
        return json.load(file)


def operations(document):
    """{operationId: (METHOD, path, operation)}"""
    return {item["operationId"]: (method.upper(), path, item)
            for path, items in document["paths"].items() for method, item in items.items() if method in METHODS}


def table():
    """{(METHOD, path): (permission or None, flags)} as the program has it."""
    rows = [line.split("\t") for line in subprocess.run([os.environ["LIST_ROUTES"]], stdout=subprocess.PIPE, text=True,
                                                        check=True).stdout.splitlines()]
    return {(method, path): (None if permission == "-" else permission, flags) for method, path, permission, flags in rows}


class Document(unittest.TestCase):
    """Against the table of routes; no server."""

    def setUp(self):
        self.document = read()
        self.operations = operations(self.document)

    def test_the_same_routes(self):
        routes, described = set(table()), {(method, path) for method, path, _ in self.operations.values()}
        self.assertGreater(len(routes), 20)
        self.assertEqual(set(), routes - described, "docs/openapi.json lacks these routes")
        self.assertEqual(set(), described - routes, "docs/openapi.json has these, which the server has not")

    def test_who_may_and_what_is_sent(self):
        routes = table()
        for name, (method, path, operation) in self.operations.items():
            permission, flags = routes.get((method, path), (None, "-"))
            with self.subTest(name):
                self.assertEqual(flags == "public", operation.get("security") == [])
                self.assertEqual(flags == "body", "application/json" in operation.get("requestBody", {}).get("content", {}))
                if permission:
                    self.assertIn(permission, operation["description"])

    def test_its_schemas_are_schemas(self):
        for name, schema in self.document["components"]["schemas"].items():
            with self.subTest(name):
                Draft202012Validator.check_schema(schema)


class Redocly(unittest.TestCase):
    """The linter that others use, with the rules that it recommends."""

    def setUp(self):
        self.node, self.program = node.find(), os.path.join(node.CLIENTS, "node_modules", "@redocly", "cli", "bin", "cli.js")
        words = self.node and subprocess.run([self.node, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        if not words or [int(n) for n in re.findall(r"\d+", words)] < [20, 19]:
            self.skipTest("node 20.19 or later is not installed")
        if not os.path.exists(self.program):
            self.skipTest("tests/clients/node_modules/@redocly/cli is missing: run scripts/dev/clients.sh")

    def lint(self, path):
        env = dict(node.ENVIRONMENT, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true")
        done = subprocess.run([self.node, self.program, "lint", "--format=json", "--config", os.path.join(os.path.dirname(FILE), "redocly.yaml"), path],
                              env=env, capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            self.fail(done.stdout + done.stderr)

    def test_nothing_to_say(self):
        said = self.lint(FILE)
        self.assertEqual({"errors": 0, "warnings": 0, "ignored": 0}, said["totals"], json.dumps(said["problems"], indent=1))

    def test_it_would_say_so(self):
        document = read()
        del document["paths"]["/v1/me"]["get"]["operationId"]
        document["paths"]["/v1/models"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] += "x"
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            totals = self.lint(file.name)["totals"]
        self.assertGreaterEqual(totals["errors"], 1)
        self.assertGreaterEqual(totals["warnings"], 1)


class Live(unittest.TestCase):
    """Each operation against a whole installation. send() holds every answer against the document; call_NAME calls the
    operation of that name until it has answered well, and with an error of its own where it has one."""

    @classmethod
    def setUpClass(cls):
        cls.document = read()
        cls.operations = operations(cls.document)
        cls.answered = {name: set() for name in cls.operations}
        cls.events = set()
        cls.stack = stack = Stack(jobs=0, start=False)
        cls.addClassCleanup(stack.stop)
        cls.proxy = Proxy(stack.erp.port)
        cls.addClassCleanup(cls.proxy.close)
        stack.use_script(SCRIPT)
        # A write that nothing finds again: what becomes of it a person must say.
        with open(os.environ["COGENT_SHARE"] + "/tools/erp.lua", encoding="utf-8") as file:
            text = file.read()
        promise = 'once       = { header = "Idempotency-Key" },'
        assert promise in text
        stack.write(os.path.join(stack.folder, "erp.lua"), text.replace(promise, 'once = "never",'))
        models = {**MODELS, "vectors": ["mock/embed"]}
        bundle = os.path.join(stack.folder, "bundle")
        shutil.copytree(os.environ["COGENT_SHARE"] + "/bundles/default", bundle)
        os.mkdir(bundle + "/policies/more")
        stack.write(bundle + "/policies/more/boss.lua", BOSS)
        stack.write_config(models, jobs=0, extra='tools = { "erp.lua" }, policies = "bundle", ' + PRICES)
        with open(stack.config, encoding="utf-8") as file:
            text = file.read().replace(f"127.0.0.1:{stack.erp.port}", f"127.0.0.1:{cls.proxy.port}")
        text = text.replace('{"mock/embed"}', '{"mock/embed", dimensions = 12}')
        stack.write(stack.config, text)
        stack.start()

    # Sending, and holding against the document.

    def resolved(self, part):
        while "$ref" in part:
            target = self.document
            for name in part["$ref"].split("/")[1:]:
                target = target[name]
            part = target
        return part

    def fits(self, schema, value, what):
        whole = {**schema, "components": self.document["components"]}
        error = best_match(Draft202012Validator(whole).iter_errors(value))
        if error:
            self.fail(f"{what}: {error.json_path}: {error.message[:600]}\nin {json.dumps(value)[:2000]}")

    def body_fits(self, name, operation, body):
        ((kind, media),) = operation["requestBody"]["content"].items()
        schema = self.resolved(media["schema"])
        if kind == "application/x-ndjson":
            for line in body.splitlines():
                self.fits(schema["contentSchema"], json.loads(line), name + ", a line of its body")
        else:
            self.fits(schema, body, name + ", its body")

    def answer_fits(self, name, operation, reply):
        what = f"{name}, its {reply.status}"
        self.assertIn(str(reply.status), operation["responses"], f"{what} is not described: {reply.body!r}")
        response = self.resolved(operation["responses"][str(reply.status)])
        for header, described in response.get("headers", {}).items():
            described = self.resolved(described)
            self.assertTrue(header in reply.headers or not described.get("required"), f"{what} has no {header}")
        if "content" not in response:
            self.assertEqual(b"", reply.body, what)
            return
        kind = reply.headers["Content-Type"].split(";")[0]
        self.assertIn(kind, response["content"], what)
        schema = self.resolved(response["content"][kind]["schema"])
        if kind != "text/event-stream":
            self.fits(schema, reply.json, what)
            return
        found = events(reply.body)
        self.assertTrue(found, what + " has no event")
        for event in found:
            name = event.get("event")
            self.fits(self.event_schema(schema, name), event if name else event["data"], f"{what}, an event {name or ''}")
            self.events.add(name)

    def event_schema(self, schema, name):
        """That of the event's name, where there is one: what is wrong is then said of it alone."""
        kinds = self.resolved(schema["contentSchema"])["oneOf"]
        return next((k for k in kinds if name and k["properties"]["event"]["const"] == name), schema["contentSchema"])

    def send(self, name, expected, body=None, query="", headers=None, bearer="", **segments):
        method, path, operation = self.operations[name]
        path = re.sub(r"{(\w+)}", lambda m: quote(segments[m.group(1)], safe=""), path)
        reply = self.stack.call(method, path + query, body, bearer=bearer, headers=headers)
        self.assertEqual(expected, reply.status, f"{name}: {reply.body!r}")
        self.answer_fits(name, operation, reply)
        if expected < 400 and body is not None:
            self.body_fits(name, operation, body)
        self.answered[name].add(reply.status)
        return reply

    def ask(self, question, model="main", **more):
        return events(self.send("streamAssistant", 200, {"query": question, "model": model, **more}).body)

    def waiting(self, question=INVOICE, **more):
        found = self.ask(question, **more)
        self.assertEqual("waiting", found[-1]["data"]["status"])
        return found[0]["data"]["run"], found[-1]["data"]["approvals"][0]

    # What every operation has alike.

    def test_every_operation(self):
        calls = {name[len("call_"):] for name in dir(self) if name.startswith("call_")}
        self.assertEqual(set(), set(self.operations) - calls, "operations that this test has no call for")
        self.assertEqual(set(), calls - set(self.operations), "calls of operations that docs/openapi.json has not")
        for name in sorted(calls):
            with self.subTest(name):
                self.answered[name].clear()
                getattr(self, "call_" + name)()
                self.assertTrue([s for s in self.answered[name] if s < 300], "no call went well")
                self.refusals(name)
                self.assertTrue([s for s in self.answered[name] if s >= 400], "no call went wrong")

    def test_a_body_may_be_packed_in_a_batch_alone(self):
        packed = gzip.compress(json.dumps({"query": "hello"}).encode())
        segments = {"id": "x", "type": "invoice"}
        self.send("searchRecords", 200, {"query": "hello"}, headers={"Content-Encoding": "identity"})
        for name, (_, _, operation) in sorted(self.operations.items()):
            if "415" not in operation["responses"]:
                continue
            self.send(name, 415, packed, headers={"Content-Encoding": "br"}, **segments)
            if name != "putDocuments":
                reply = self.send(name, 415, packed, headers={"Content-Encoding": "gzip"}, **segments)
                self.assertIn("only POST /v1/documents/batch does", reply.json["detail"])

    def refusals(self, name):
        """Without a token, with a dead one, of a tenant that is not there, with a body that is none, without the permission."""
        method, path, operation = self.operations[name]
        permission, flags = table()[method, path]
        segments = {"id": "x", "type": "invoice"}
        if flags == "public":
            return
        for bearer, status, code in ((None, 401, "token_missing"), (token(exp=time.time() - 600), 401, "token_expired"),
                                     (token(tenant="nobody"), 403, "tenant_unknown")):
            self.assertEqual(code, self.send(name, status, bearer=bearer, **segments).json["error"]["code"])
        if flags == "body":
            self.assertEqual("body_invalid", self.send(name, 400, b"{", **segments).json["error"]["code"])
        if permission:
            reply = self.send(name, 403, bearer=token(permissions=["finance.read"]), **segments)
            self.assertEqual("permission_denied", reply.json["error"]["code"])

    def test_it_is_served(self):
        self.assertEqual(self.document, self.stack.get("/openapi.json", bearer=None).json)

    def test_every_event(self):
        """The four endings: an answer with a tool, an approval and what follows, a restart, an error."""
        self.events.clear()
        self.assertEqual("done", self.ask("How much is it?", "tool")[-1]["event"])
        _, approval = self.waiting()
        rest = self.send("decideApproval", 200, {"decision": "approve"}, id=approval, headers={"Accept": "text/event-stream"})
        self.assertEqual("complete", events(rest.body)[-1]["data"]["status"])
        self.assertIn("restart", [e["event"] for e in self.ask("hello", "fails-over")])
        self.assertEqual("error", self.ask("hello", "breaks")[-1]["event"])
        described = {e["properties"]["event"]["const"] for e in self.document["components"]["schemas"]["Event"]["oneOf"]}
        self.assertEqual(described, self.events)

    # Asking.

    def call_streamAssistant(self):
        self.ask(TOTAL, context={"type": "invoice", "id": "536365"}, locale="en-GB", time_zone="Europe/London", tools=["get_invoice"],
                 detach=True, history=[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}])
        results = [e["data"] for e in self.ask("hello", "lists") if e["event"] in ("tool_call", "tool_result")]
        self.assertEqual([True], [r["truncated"] for r in results if "truncated" in r])
        self.assertIn(None, [r.get("effect", "") for r in results], "no call of a tool that there is not")
        self.assertEqual(["limited", "refused"], [self.ask("hello", m)[-1]["data"]["status"] for m in ("length", "filtered")])
        self.send("streamAssistant", 400, {}, query="?query=x")
        self.send("streamAssistant", 400, {"query": 1})
        self.send("streamAssistant", 404, {"query": "hello", "model": "nosuch"})

    def call_askAssistant(self):
        key = {"Idempotency-Key": "once"}
        first = self.send("askAssistant", 200, {"query": TOTAL}, headers=key).data
        self.assertTrue(first["citations"] and first["content"])
        again = self.send("askAssistant", 200, {"query": TOTAL}, headers=key).data
        self.assertEqual(first["run"], again["run"])
        self.send("askAssistant", 422, {"query": "hello"}, headers=key)
        self.assertTrue(self.send("askAssistant", 200, {"query": INVOICE}).data["approvals"])
        self.assertIn("cost", self.send("askAssistant", 200, {"query": "How much?", "model": "tool"}).data["usage"][0])
        self.assertIsNone(self.send("askAssistant", 200, {"query": "hello", "history": []}).data["session"])
        self.send("askAssistant", 404, {"query": "hello", "session": "ses_01K9YHY4C2M0F5S8R7T1V3W6XZ"})
        self.send("askAssistant", 502, {"query": "hello", "model": "breaks"})
        self.send("askAssistant", 400, {"query": "hello"}, headers={"Idempotency-Key": "k" * 256})
        self.send("askAssistant", 413, b" " * (1024 * 1024 + 1))

    def call_createChatCompletion(self):
        asked = {"model": "tool", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How much?"}]}
        self.assertTrue(self.send("createChatCompletion", 200, asked).json["cogent"]["citations"])
        parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": INVOICE}]}]}
        self.assertTrue(self.send("createChatCompletion", 200, parts).json["cogent"]["approvals"])
        more = {"stream": True, "stream_options": {"include_usage": True}, "cogent": {"tools": True}}
        for body, last in ((asked, "choices"), (parts, "choices"), ({**asked, "model": "breaks"}, "error"),
                           ({**asked, "model": "fails-over"}, None)):
            found = events(self.send("createChatCompletion", 200, {**body, **more}).body)
            self.assertEqual("[DONE]", found[-1]["data"])
            if last:
                self.assertIn(last, found[-2]["data"])
        ends = [self.send("createChatCompletion", 200, {**asked, "model": m}).json["choices"][0]["finish_reason"] for m in ("length", "filtered")]
        self.assertEqual(["length", "content_filter"], ends)
        self.send("createChatCompletion", 400, {"messages": []})

    def call_listModels(self):
        self.assertEqual({*MODELS, "vectors"}, {m["id"] for m in self.send("listModels", 200).json["data"]})

    def call_createEmbeddings(self):
        for body, kind in (({"input": "one text"}, list), ({"input": ["one", "two"], "encoding_format": "base64"}, str)):
            data = self.send("createEmbeddings", 200, {"model": "vectors", **body}).json["data"]
            self.assertEqual({kind}, {type(row["embedding"]) for row in data})
        self.send("createEmbeddings", 400, {"model": "vectors", "input": []})
        self.send("createEmbeddings", 404, {"model": "main", "input": "one text"})

    # Approvals.

    def call_listApprovals(self):
        _, approval = self.waiting()
        self.assertIn(approval, [a["id"] for a in self.send("listApprovals", 200).data])
        self.assertNotIn(approval, [a["id"] for a in self.send("listApprovals", 200, query="?state=denied").data])

    def call_getApproval(self):
        _, approval = self.waiting(history=[{"role": "user", "content": "Hello"}])
        self.send("getApproval", 200, id=approval)
        self.send("getApproval", 404, id=approval, bearer=token(sub="bea"))

    def call_decideApproval(self):
        _, approval = self.waiting()
        self.send("decideApproval", 400, {"decision": "perhaps"}, id=approval)
        self.send("decideApproval", 400, {"decision": "approve", "arguments": {"customer_id": 5}}, id=approval)
        self.send("decideApproval", 404, {"decision": "deny"}, id="ap_nothing")
        said = self.send("decideApproval", 200, {"decision": "deny", "note": "not now"}, id=approval)
        self.assertEqual("denied", said.data["state"])
        self.assertEqual("denied", self.send("decideApproval", 409, {"decision": "approve"}, id=approval).json["approval"]["state"])
        _, approval = self.waiting(INVOICE.replace("6 of", "7 of"))
        boss = token(sub="boss", roles=["finance_manager"], permissions=["cogent.approve"])
        said = self.send("decideApproval", 200, {"decision": "approve"}, id=approval, bearer=boss).data
        self.assertEqual(([{"role": "finance_manager"}, {"user": "ann"}], ["boss"]), (said["decider"], [v["by"] for v in said["votes"]]))
        run, approval = self.waiting()
        arguments = self.send("getApproval", 200, id=approval).data["arguments"]
        arguments["line_items"][0]["quantity"] = 2
        said = self.send("decideApproval", 200, {"decision": "approve", "arguments": arguments}, id=approval).data
        self.assertTrue(said["edited"] and said["votes"])
        until("the run to end", lambda: self.send("getRun", 200, id=run).data["status"] == "complete")
        self.assertIn("result", self.send("getApproval", 200, id=approval).data)

    # Runs.

    def call_listRuns(self):
        self.ask("hello")
        self.ask("hello", history=[])
        first = self.send("listRuns", 200, query="?limit=1").json
        self.assertEqual(1, len(first["data"]))
        self.assertNotEqual(first["data"], self.send("listRuns", 200, query="?limit=1&after=" + first["next"]).data)

    def call_getRun(self):
        run, _ = self.waiting()
        self.assertIn("ask", [r["kind"] for r in self.send("getRun", 200, id=run).data["rows"]])
        run = self.ask("hello", "fails-over")[0]["data"]["run"]
        self.assertIn("restart", [r["kind"] for r in self.send("getRun", 200, id=run).data["rows"]])
        self.send("getRun", 404, id=run, bearer=token(sub="bea"))

    def call_followRun(self):
        found = self.ask(TOTAL)
        run = found[0]["data"]["run"]
        self.assertEqual(found[-1], events(self.send("followRun", 200, id=run).body)[-1])
        # A right that was lost takes the record along.
        hidden = self.send("followRun", 200, id=run, bearer=token(permissions=["stock.read"])).body
        self.assertIn({"n", "type", "hidden"}, [set(e["data"]) for e in events(hidden) if e["event"] == "citation"])
        self.send("followRun", 204, id=run, headers={"Last-Event-ID": found[-1]["id"]})
        self.send("followRun", 404, id="run_nothing")

    def call_cancelRun(self):
        replies = []
        asking = threading.Thread(target=lambda: replies.append(self.ask("hello", "stall")))
        asking.start()
        running = until("it to run", lambda: [r["run"] for r in self.send("listRuns", 200).data if r["status"] == "running"])
        self.send("cancelRun", 202, id=running[0])
        asking.join()
        self.assertEqual("cancelled", replies[0][-1]["data"]["status"])
        self.send("cancelRun", 404, id=running[0])
        asking = threading.Thread(target=lambda: self.send("askAssistant", 200, {"query": "hello", "model": "stall"}))
        asking.start()
        running = until("it to run", lambda: [r["run"] for r in self.send("listRuns", 200).data if r["status"] == "running"])
        self.send("cancelRun", 202, id=running[0])
        asking.join()

    # Sessions.

    def call_listSessions(self):
        self.ask("hello")
        self.ask("hello")
        self.assertIn("next", self.send("listSessions", 200, query="?limit=1").json)

    def call_getSession(self):
        session = self.ask(TOTAL)[0]["data"]["session"]
        self.ask("and of 536366?", session=session)
        messages = self.send("getSession", 200, id=session).data["messages"]
        self.assertEqual(4, len(messages))
        self.assertTrue(messages[1]["citations"])
        self.send("getSession", 404, id=session, bearer=token(sub="bea"))

    def call_renameSession(self):
        session = self.ask("hello")[0]["data"]["session"]
        self.send("renameSession", 200, {"title": "Greetings"}, id=session)
        self.send("renameSession", 400, {"title": ""}, id=session)
        self.send("renameSession", 404, {"title": "x"}, id="ses_nothing")

    def call_deleteSession(self):
        session = self.ask("hello")[0]["data"]["session"]
        self.send("deleteSession", 204, id=session)
        self.send("deleteSession", 404, id=session)

    # Effects.

    def lose(self):
        """An effect in doubt: made, and its answer lost."""
        _, approval = self.waiting()
        before = {e["effect"] for e in self.send("listEffects", 200).data}
        self.proxy.plan("POST", cut_reply=0, times=99)
        try:
            self.send("decideApproval", 200, {"decision": "approve"}, id=approval, headers={"Accept": "text/event-stream"})
        finally:
            self.proxy.plan()
        return next(e["effect"] for e in self.send("listEffects", 200).data if e["effect"] not in before)

    def call_listEffects(self):
        self.lose()
        self.lose()
        self.assertIn("next", self.send("listEffects", 200, query="?limit=1").json)

    def call_getEffect(self):
        effect = self.lose()
        self.send("getEffect", 200, id=effect)
        self.send("getEffect", 404, id=effect, bearer=token(sub="bea", permissions=["finance.*"]))

    def call_resolveEffect(self):
        effect, clerk = self.lose(), token(sub="clerk", permissions=["cogent.effects"])
        said = {"outcome": "done", "result": {"number": "INV/0001"}, "note": "I looked."}
        self.send("resolveEffect", 400, {"outcome": "maybe"}, id=effect, bearer=clerk)
        self.assertEqual("clerk", self.send("resolveEffect", 200, said, id=effect, bearer=clerk).data["decided_by"])
        self.send("resolveEffect", 409, {"outcome": "failed"}, id=effect, bearer=clerk)
        self.send("resolveEffect", 404, {"outcome": "done"}, id="ef_nothing", bearer=clerk)

    # Records.

    def put(self, id_):
        return self.send("putDocument", 200, {"record": {**CUSTOMER, "id": id_}}, type="customer", id=id_).data["state"]

    def call_searchRecords(self):
        self.put("C1")
        self.assertTrue(self.send("searchRecords", 200, {"query": "Arne Berg", "types": ["customer"], "limit": 3}).data)
        self.send("searchRecords", 400, {"query": ""})

    def call_getDocument(self):
        self.put("C2")
        self.assertTrue(self.send("getDocument", 200, type="customer", id="C2").data["chunks"])
        self.send("getDocument", 404, type="customer", id="nobody")

    def call_putDocument(self):
        # On whatever worker: the same record is the same.
        self.assertEqual(["stored"] + 7 * ["unchanged"], [self.put("C/3") for _ in range(8)])
        self.send("putDocument", 404, {"record": CUSTOMER}, type="nosuch", id="1")
        self.send("putDocument", 400, {"record": {"modified": 5}}, type="customer", id="C4")

    def call_deleteDocument(self):
        self.put("C5")
        states = [self.send("deleteDocument", 200, type="customer", id="C5").data["state"] for _ in range(2)]
        self.assertEqual(["dropped", "unchanged"], states)
        self.send("deleteDocument", 404, type="nosuch", id="1")

    def call_putDocuments(self):
        lines = [{"type": "customer", "id": "C6", "record": {**CUSTOMER, "id": "C6"}}, {"type": "customer", "id": 7, "delete": True},
                 {"type": "nosuch", "id": "1", "record": {}}]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        counts = self.send("putDocuments", 200, body).data
        self.assertEqual((1, 1, 1, 1), (counts["accepted"], counts["unchanged"], counts["rejected"], len(counts["errors"])))
        self.send("putDocuments", 415, body, headers={"Content-Encoding": "br"})
        self.send("putDocuments", 400, b"no gzip", headers={"Content-Encoding": "gzip"})

    # Self.

    def call_getMe(self):
        self.assertIn("get_invoice", self.send("getMe", 200).data["tools"])
        self.send("getMe", 400, headers={"Cogent-Credential": "erp"})

    def call_listTools(self):
        self.assertIn("never", [t.get("once") for t in self.send("listTools", 200).data])

    def without_token(self, name):
        self.send(name, 200, bearer=None)
        self.send(name, 413, b"a body", bearer=None)

    def call_getHealth(self):
        self.without_token("getHealth")

    def call_getReadiness(self):
        self.without_token("getReadiness")

    def call_getOpenapi(self):
        self.without_token("getOpenapi")


if __name__ == "__main__":
    if not Draft202012Validator:
        print("skipped: python3-jsonschema is not installed")
        sys.exit(node.SKIP)
    unittest.main(verbosity=2)
