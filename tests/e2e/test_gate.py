# SPDX-License-Identifier: Apache-2.0
"""What the model proposes and what may become of it: schema, rights, labels, policies, limits, effects."""

import json
import os
import sqlite3
import threading
import unittest
from datetime import datetime, timedelta

from stack import Stack, token, until

LINES = [{"item_id": "85123A", "quantity": 6, "unit_price": "2.55"}]
ASKED = "Create an invoice for customer 17850: 6 of 85123A at 2.55"


def call(name, arguments, n=0):
    return {"call": {"index": n, "id": f"call_{n}", "name": name,
                     "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}}


def then(*calls, say="Done."):
    """A model that proposes these calls, then says something."""
    return [list(calls), [{"text": say}]]


def invoice(**changes):
    return call("create_invoice", dict({"customer_id": "17850", "line_items": LINES}, **changes))


SCRIPT = {
    "as-asked": then(invoice()),
    "other-customer": then(invoice(customer_id="13085")),
    "other-price": then(invoice(line_items=[dict(LINES[0], unit_price="0.01")])),
    "other-form": then(invoice(line_items=[dict(LINES[0], unit_price="2.550")])),
    "not-a-number": then(invoice(line_items=[dict(LINES[0], quantity="six")])),
    "one-too-many": then(invoice(surprise=1)),
    "no-json": then(call("create_invoice", "[1]")),
    "unknown-tool": then(call("drop_tables", {})),
    "hidden-tool": then(call("changed_invoices", {})),
    "two": then(call("get_inventory_status", {"sku": "85123A"}, 0), call("get_customer_info", {"code": "17850"}, 1)),
    "loop": [[call("get_inventory_status", {"sku": "85123A"})] for _ in range(20)],
    "many": then(*[call("get_inventory_status", {"sku": "85123A"}, n) for n in range(9)]),
    "slow": [[{"text": "wait"}, {"delay_ms": 20000}, {"text": "."}]],
    "two-writes": then(call("create_invoice", {"customer_id": "17850", "line_items": LINES}, 0),
                       call("get_inventory_status", {"sku": "85123A"}, 1)),
}

ALLOW = 'return { about = "All is allowed.", on = "tool_call", decide = function() return allow() end }\n'
BROKEN = 'return { about = "Broken.", on = "tool_call", decide = function(call) return call.nothing.at_all end }\n'
SHY = '''return { about = "No talk of salaries.", on = "prompt",
  decide = function(q) if find(q.query, "salary") then return deny "Salaries are not discussed here." end return defer() end }
'''


class Gate(unittest.TestCase):
    extra, policies, fault = "", {"a/allow.lua": ALLOW}, None

    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(models={"main": ["rules"], **{name: ["mock/" + name] for name in SCRIPT}}, jobs=0, start=False)
        stack.use_script(SCRIPT)
        share = os.environ["COGENT_SHARE"]
        bundle = os.path.join(stack.folder, "bundle")
        os.makedirs(os.path.join(bundle, "templates"))
        with open(share + "/bundles/default/templates/assistant.lua", encoding="utf-8") as file:
            stack.write(bundle + "/templates/assistant.lua", file.read())
        for name, text in cls.policies.items():
            os.makedirs(os.path.dirname(f"{bundle}/policies/{name}"), exist_ok=True)
            stack.write(f"{bundle}/policies/{name}", text)
        with open(share + "/tools/erp.lua", encoding="utf-8") as file:
            tools = file.read()
        if cls.fault:
            route = 'route      = "POST /invoices",'
            assert route in tools
            tools = tools.replace(route, route + f' headers = {{ ["X-Fault"] = "{cls.fault}" }}, timeout = 2,')
        stack.write(os.path.join(stack.folder, "erp.lua"), tools)
        stack.write_config({"main": ["rules"], **{name: ["mock/" + name] for name in SCRIPT}}, jobs=0,
                           extra='policies = "bundle", tools = { "erp.lua" }, ' + cls.extra)
        stack.start()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def invoices(self):
        return self.stack.erp.counts("demo")["invoices"]

    def results(self, model, question=ASKED, **more):
        found = self.stack.stream(question, model=model, **more)
        return [e["data"] for e in found if e["event"] == "tool_result"], found[-1]["data"], found

    def effects(self):
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            return [row[0] for row in db.execute("select state from effect order by created")]


class Labels(Gate):
    def test_what_the_user_said_is_done(self):
        before = self.invoices()
        for model in ("as-asked", "other-form"):
            results, done, _ = self.results(model)
            self.assertEqual(["done"], [r["status"] for r in results], results)
            self.assertEqual("complete", done["status"])
        self.assertEqual(before + 2, self.invoices())
        self.assertEqual({"done"}, set(self.effects()))

    def test_what_the_user_did_not_say_is_asked(self):
        before = self.invoices()
        for model, pointer in (("other-customer", "/customer_id"), ("other-price", "/line_items/0/unit_price")):
            with self.subTest(model):
                results, done, found = self.results(model)
                self.assertEqual("waiting", done["status"])
                approval = next(e["data"] for e in found if e["event"] == "approval")
                self.assertEqual("model", approval["sources"][pointer])
                self.assertIn("user's own words", approval["reason"])
        self.assertEqual(before, self.invoices())

    def test_what_was_said_long_ago_is_asked(self):
        said = {"role": "user", "content": "It is for customer 13085."}
        talk = [{"role": "user", "content": "blah " * 3000} for _ in range(5)]
        results, done, _ = self.results("other-customer", history=[said, *talk[:1]])
        self.assertEqual("complete", done["status"], results)
        before = self.invoices()
        results, done, found = self.results("other-customer", history=[said, *talk])
        self.assertEqual("waiting", done["status"], results)
        self.assertEqual(before, self.invoices())

    def test_a_malformed_call_is_not_run(self):
        before = self.invoices()
        for model in ("not-a-number", "one-too-many"):
            with self.subTest(model):
                results, done, _ = self.results(model)
                self.assertEqual(("failed", "invalid"), (results[0]["status"], results[0]["error"]["class"]))
                self.assertTrue(results[0]["error"]["message"].startswith("/"), results)
                self.assertEqual("complete", done["status"])
        self.assertEqual(before, self.invoices())
        self.assertEqual("provider_failed", self.results("no-json")[1]["error"]["code"])

    def test_there_are_no_other_tools(self):
        for model in ("unknown-tool", "hidden-tool"):
            results, _, _ = self.results(model)
            self.assertEqual(("failed", "not_found"), (results[0]["status"], results[0]["error"]["class"]))

    def test_no_right_no_call(self):
        before = self.invoices()
        results, _, _ = self.results("as-asked", bearer=token(permissions=["inventory.read"]))
        self.assertEqual(("denied", "denied"), (results[0]["status"], results[0]["error"]["class"]))
        self.assertIn("finance.create", results[0]["error"]["message"])
        self.assertEqual(before, self.invoices())

    def test_tools_may_be_left_out_of_a_question(self):
        before = self.invoices()
        results, _, _ = self.results("as-asked", tools=False)
        self.assertEqual("denied", results[0]["status"])
        results, _, _ = self.results("as-asked", tools=["get_invoice"])
        self.assertEqual("denied", results[0]["status"])
        self.assertEqual(before, self.invoices())

    def test_two_at_once_in_the_models_order(self):
        results, done, found = self.results("two", "stock and customer")
        self.assertEqual(["done", "done"], [r["status"] for r in results])
        self.assertEqual(["c1", "c2"], [e["data"]["call"] for e in found if e["event"] == "tool_call"])


class Rules(Gate):
    policies = {"a/broken.lua": BROKEN, "a/allow.lua": ALLOW, "b/shy.lua": SHY}

    def test_a_script_that_fails_denies(self):
        before = self.invoices()
        results, _, _ = self.results("as-asked")
        self.assertEqual("denied", results[0]["status"])
        self.assertEqual(before, self.invoices())

    def test_a_question_may_be_refused(self):
        done = self.results("two", "what is Ann's salary?")[1]
        self.assertEqual(("refused", "Salaries are not discussed here."), (done["status"], done["content"]))


class Conditions(Gate):
    """What a policy sets beside its verdict is kept, or the call is denied."""
    policies = {"a/ask.lua": '''return { about = "A manager within the hour.", on = "tool_call", tool = "create_invoice",
  decide = function() return ask { role = "finance_manager", expires = "1h" } end }''',
                "a/reads.lua": '''return { about = "Stock.", on = "tool_call", tool = "get_inventory_status",
  decide = function() return allow() end }''',
                "b/redact.lua": '''return { about = "No cost.", on = "tool_call", tool = "get_inventory_status",
  decide = function() return allow { redact = { "unit_cost" } } end }''',
                "b/question.lua": '''return { about = "At a question nobody is asked.", on = "prompt", decide = function(q)
    if find(q.query, "secret") then return defer { redact = "unit_cost" } end
    if find(q.query, "nod") then return ask {} end
  end }'''}

    def test_a_role_decides_and_nobody_else(self):
        found = self.results("as-asked")[2]
        approval = next(e["data"] for e in found if e["event"] == "approval")
        self.assertEqual({"role": "finance_manager"}, approval["decider"])
        times = [datetime.fromisoformat(approval[k].replace("Z", "+00:00")) for k in ("created", "expires")]
        self.assertEqual(timedelta(hours=1), times[1] - times[0])
        boss = token(sub="boss", roles=["finance_manager"], permissions=["cogent.approve"])
        self.assertEqual(404, self.stack.decide(approval["id"]).status, "the asker is not the decider")
        for bearer in (token(sub="x", roles=["finance_manager"], permissions=[]), token(sub="x", permissions=["cogent.approve"])):
            self.assertEqual(404, self.stack.decide(approval["id"], bearer=bearer).status)
        before = self.invoices()
        reply = self.stack.decide(approval["id"], bearer=boss, stream=True)
        self.assertEqual("application/json", reply.headers["Content-Type"], "the answer is the asker's alone")
        until("the invoice", lambda: self.invoices() == before + 1)
        run = found[0]["data"]["run"]
        until("the run to end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "complete")
        self.assertEqual(404, self.stack.get("/v1/runs/" + run, bearer=boss).status)

    def test_a_policy_that_has_since_become_stricter_counts(self):
        self.becomes_stricter('return deny "the year is closed"', "the year is closed")

    def test_a_condition_that_came_since_and_is_not_kept_counts(self):
        self.becomes_stricter('return defer { redact = "unit_cost" }', "the policy c/never sets redact")

    def becomes_stricter(self, body, said):
        import signal
        found = self.results("as-asked")[2]
        approval = next(e["data"] for e in found if e["event"] == "approval")
        before, workers = self.invoices(), set(self.stack.workers())
        path = os.path.join(self.stack.folder, "bundle/policies/c/never.lua")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.stack.write(path, '''return { about = "Not now.", on = "tool_call", tool = "create_invoice",
  decide = function() ''' + body + " end }")
        self.stack.server.send_signal(signal.SIGHUP)
        until("the new workers", lambda: len(self.stack.workers()) == 2 and not workers & set(self.stack.workers()))
        boss = token(sub="boss", roles=["finance_manager"], permissions=["cogent.approve"])
        self.assertEqual(200, self.stack.decide(approval["id"], bearer=boss).status)
        run = found[0]["data"]["run"]
        shown = until("the run to end", lambda: (lambda d: d if d["status"] == "complete" else None)(self.stack.get("/v1/runs/" + run).data))
        outcome = next(r["body"] for r in shown["rows"] if r["kind"] == "outcome")
        self.assertEqual("denied", outcome["status"])
        self.assertIn(said, outcome["error"]["message"])
        self.assertEqual(before, self.invoices())
        os.unlink(path)
        workers = set(self.stack.workers())
        self.stack.server.send_signal(signal.SIGHUP)
        until("the old policies", lambda: len(self.stack.workers()) == 2 and not workers & set(self.stack.workers()))

    def test_a_condition_that_is_not_kept_denies(self):
        results, _, _ = self.results("two", "stock and customer")
        self.assertEqual(["denied", "denied"], [r["status"] for r in results])
        self.assertEqual("the policy b/redact sets redact, which is not supported at tool_call yet", results[0]["error"]["message"])
        gates = [json.loads(line) for line in self.stack.logged().splitlines() if '"event":"run.gate"' in line]
        self.assertIn(("get_inventory_status", "deny", "b/redact"), [(g["tool"], g["verdict"], g["by"]) for g in gates])

    def test_one_that_is_set_for_a_question_refuses_it(self):
        for word, said in (("secret", "sets redact, which is not supported at prompt"), ("nod", "asks somebody, which is not")):
            done = self.results("two", f"the {word} of it")[1]
            self.assertEqual("refused", done["status"])
            self.assertIn("the policy b/question " + said, done["content"])


class Limits(Gate):
    extra = "limits = { steps = 3, calls = 4, seconds = 2, runs = 2, calls_per_hour = 40, question_bytes = 200 },"

    def test_steps_end(self):
        results, done, _ = self.results("loop", "go on")
        self.assertEqual("limited", done["status"])
        self.assertEqual(3, len(results))

    def test_calls_end(self):
        results, _, _ = self.results("many", "go on")
        self.assertEqual(["done"] * 4, sorted(r["status"] for r in results if r["status"] == "done"))
        self.assertEqual({"limit"}, {r["error"]["class"] for r in results if r["status"] != "done"})
        self.assertEqual(9, len(results))

    def test_time_ends(self):
        self.assertEqual("limited", self.results("slow", "go on")[1]["status"])

    def test_places_of_a_tenant_are_counted_over_workers(self):
        replies = []
        ask = lambda: replies.append(self.stack.post("/v1/assistant/chat", {"query": "wait", "model": "slow"}).status)
        both = [threading.Thread(target=ask) for _ in range(2)]
        for t in both:
            t.start()
        until("both to run", lambda: sum(r["status"] == "running" for r in self.stack.get("/v1/runs").data) >= 2)
        reply = self.stack.post("/v1/assistant/chat", {"query": "one more", "model": "two"})
        self.assertEqual(429, reply.status)
        self.assertEqual("too_many_runs", reply.json["error"]["code"])
        self.assertIn("Retry-After", reply.headers)
        for t in both:
            t.join()
        until("a place", lambda: self.stack.post("/v1/assistant/chat", {"query": "one more", "model": "two"}).status == 200)

    def test_zz_questions_an_hour(self):
        codes = [self.stack.post("/v1/assistant/chat", {"query": "stock", "model": "two"}) for _ in range(45)]
        refused = [c for c in codes if c.status == 429]
        self.assertTrue(refused)
        self.assertEqual("rate_limited", refused[-1].json["error"]["code"])


class AnswerLost(Gate):
    """The ERP commits and closes the connection: the key's promise settles it, or it is told as unknown. Never twice."""
    fault = "close-after-commit"

    def test_one_record_and_the_truth(self):
        before = self.invoices()
        results, done, _ = self.results("as-asked")
        self.assertEqual("unknown", results[0]["status"], results)
        self.assertEqual("complete", done["status"])
        self.assertEqual(before + 1, self.invoices())
        self.assertEqual("unknown", self.effects()[-1])


class NeverSent(Gate):
    fault = "close-before-commit"

    def test_none(self):
        before = self.invoices()
        results, _, _ = self.results("as-asked")
        self.assertEqual("unknown", results[0]["status"], results)
        self.assertEqual(before, self.invoices())


class Refused(Gate):
    fault = "status=503"

    def test_a_clear_word(self):
        before = self.invoices()
        results, _, _ = self.results("as-asked")
        self.assertEqual(("failed", "unavailable"), (results[0]["status"], results[0]["error"]["class"]), results)
        self.assertEqual(before, self.invoices())


del Gate

if __name__ == "__main__":
    unittest.main(verbosity=2)
