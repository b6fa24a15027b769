# SPDX-License-Identifier: Apache-2.0
"""The main job through the front doors: a question, its records, its tool calls, its cited answer."""

import threading
import unittest

from stack import Stack, events, token, until

READER = ["sales.read", "customer.read", "inventory.read"]  # no finance


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(tenants=("demo", "other"))
        cls.stack.wait_for_feeds()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def cited(self, question, *words, **more):
        answer = self.stack.ask(question, **more)
        self.assertEqual("complete", answer.get("status"), answer)
        for word in words:
            self.assertIn(word, answer["content"], question)
        self.assertTrue(answer["citations"], f"{question}: no citation: {answer['content']}")
        self.assertIn("[1]", answer["content"])
        return answer

    def test_questions_of_the_demo_company(self):
        rows = [
            ("What is the total of invoice 536365?", "139.12"),
            ("how much does invoice 536365 come to", "139.12"),
            ("How many units of 85123A were sold in November 2025?", "1377"),
            ("Which customer bought most units of 22423 in 2025?", "15311"),
            ("sales in November 2025", "48106.05"),
            ("What is customer 17850 invoiced for?", "17850"),
            ("Who is customer 17850?", "Harbour & Finch"),
            ("how much stock of 71053 do we have?", "1181"),
            ("what is low on stock?", "22383"),
        ]
        for question, *words in rows:
            with self.subTest(question):
                self.cited(question, *words)

    def test_a_description_is_searched(self):
        answer = self.cited("which items match 'a lantern for the garden'", "lantern")
        self.assertEqual("inventory_item", answer["citations"][0]["type"])
        self.assertEqual("record", answer["citations"][0]["via"])

    def test_a_question_outside_its_rules_is_honest(self):
        for question in ("Who is the king of France?", "Write me a poem", "What will the weather be?"):
            answer = self.stack.ask(question)
            self.assertTrue(answer["content"].startswith("I can't answer that"), answer)
            self.assertEqual([], answer["citations"])

    def test_the_stream_has_its_events_in_order(self):
        found = self.stack.stream("What is the total of invoice 536365?")
        names = [e["event"] for e in found]
        self.assertEqual("start", names[0])
        self.assertEqual("done", names[-1])
        self.assertEqual(1, names.count("done") + names.count("error"))
        self.assertLess(names.index("tool_call"), names.index("tool_result"))
        self.assertLess(names.index("tool_result"), names.index("citation"))
        text = "".join(e["data"]["content"] for e in found if e["event"] == "message")
        self.assertEqual(found[-1]["data"]["content"], text)
        citation = next(e["data"] for e in found if e["event"] == "citation")
        self.assertEqual({"n": 1, "type": "invoice", "id": "536365", "title": "Invoice 536365", "via": "tool:get_invoice",
                          "url": "https://erp.example/invoices/536365"},
                         {k: citation[k] for k in ("n", "type", "id", "title", "via", "url")})
        run = found[0]["data"]["run"]
        for event in found:
            if event["event"] == "step":
                self.assertNotIn("id", event)
            else:
                self.assertTrue(event["id"].startswith(run + "-"), event)

    def test_a_run_reads_again_as_it_was(self):
        found = self.stack.stream("What is the total of invoice 536365?")
        run = found[0]["data"]["run"]
        again = events(self.stack.get(f"/v1/runs/{run}/events").body)
        keep = lambda list_: [(e["event"], e["data"]) for e in list_ if e["event"] not in ("step", "message")]
        self.assertEqual(keep(found), keep(again))
        text = lambda list_: "".join(e["data"]["content"] for e in list_ if e["event"] == "message")
        self.assertEqual(text(found), text(again))
        # From the middle of the text on: the rest of it and what follows, once.
        message = [e for e in again if e["event"] == "message"][0]
        row = message["id"].split(".")[0]
        rest = events(self.stack.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": row + ".8"}).body)
        self.assertEqual(text(again).encode()[8:].decode(), text(rest))
        self.assertNotIn("start", [e["event"] for e in rest])
        self.assertEqual(204, self.stack.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": again[-1]["id"]}).status)
        self.assertEqual("complete", self.stack.get(f"/v1/runs/{run}").data["status"])
        self.assertIn(run, [r["run"] for r in self.stack.get("/v1/runs").data])

    def test_the_unix_socket_is_the_same_door(self):
        self.assertIn("139.12", self.stack.ask("total of invoice 536365?", unix=True)["content"])

    def test_no_right_no_record_no_tool(self):
        poor = token(permissions=READER, sub="bob")
        answer = self.stack.ask("What is the total of invoice 536365?", bearer=poor)
        self.assertNotIn("139.12", answer["content"])
        self.assertNotIn("get_invoice", [t["name"] for t in self.stack.get("/v1/tools", bearer=poor).data])
        found = self.stack.post("/v1/search", {"query": "invoice 536365 Harbour Finch"}, bearer=poor).data
        self.assertNotIn("invoice", {f["type"] for f in found})
        rich = self.stack.post("/v1/search", {"query": "invoice 536365"}).data
        self.assertEqual(("invoice", "536365"), (rich[0]["type"], rich[0]["id"]))
        docs = token(permissions=READER + ["cogent.documents"], sub="bob")
        self.assertEqual(404, self.stack.get("/v1/documents/invoice/536365", bearer=docs).status)
        self.assertEqual(200, self.stack.get("/v1/documents/invoice/536365",
                                             bearer=token(permissions=["finance.read", "cogent.documents"])).status)
        # The run's own rows and events hold nothing of it either.
        found = self.stack.stream("What is the total of invoice 536365?", bearer=poor)
        run = found[0]["data"]["run"]
        for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/events"):
            body = self.stack.get(path, bearer=poor).body.decode()
            self.assertNotIn("139.12", body)
            self.assertNotIn('"type":"invoice"', body)
        # Granted, the next answer changes.
        granted = token(permissions=READER + ["finance.read"], sub="bob")
        self.assertIn("139.12", self.stack.ask("What is the total of invoice 536365?", bearer=granted)["content"])

    def test_a_right_that_is_taken_away_closes_old_runs(self):
        rich, poor = token(permissions=READER + ["finance.read"], sub="ruth"), token(permissions=READER, sub="ruth")
        run = self.stack.stream("What is the total of invoice 536365?", bearer=rich)[0]["data"]["run"]
        for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/events"):
            self.assertIn("139.12", self.stack.get(path, bearer=rich).body.decode())
            self.assertNotIn("139.12", self.stack.get(path, bearer=poor).body.decode())

    def test_a_run_is_its_users_alone(self):
        run = self.stack.stream("What is the total of invoice 536365?")[0]["data"]["run"]
        for bearer in (token(sub="eve"), token(tenant="other")):
            for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/events"):
                self.assertEqual(404, self.stack.get(path, bearer=bearer).status)
            self.assertEqual(404, self.stack.post(f"/v1/runs/{run}/cancel", {}, bearer=bearer).status)
            self.assertNotIn(run, [r["run"] for r in self.stack.get("/v1/runs", bearer=bearer).data])

    def test_roles_give_permissions(self):
        clerk = token(permissions=[], roles=["sales"], sub="carl")
        self.assertIn("get_invoice", self.stack.get("/v1/me", bearer=clerk).data["tools"])
        trainee = token(permissions=["finance.create"], roles=["trainee"], sub="tess")
        self.assertNotIn("create_invoice", self.stack.get("/v1/me", bearer=trainee).data["tools"])

    # Approvals.

    QUESTION = "Create an invoice for customer 17850: 6 of 85123A at 2.55"

    def test_a_write_waits_and_happens_once(self):
        before = self.stack.erp.counts("demo")["invoices"]
        found = self.stack.stream(self.QUESTION)
        self.assertEqual("waiting", found[-1]["data"]["status"])
        approval = next(e["data"] for e in found if e["event"] == "approval")
        self.assertEqual([approval["id"]], found[-1]["data"]["approvals"])
        self.assertEqual("user", approval["sources"]["/customer_id"])
        self.assertEqual("user", approval["sources"]["/line_items/0/unit_price"])
        self.assertEqual(before, self.stack.erp.counts("demo")["invoices"])
        self.assertIn(approval["id"], [a["id"] for a in self.stack.get("/v1/approvals").data])
        replies = []
        both = [threading.Thread(target=lambda: replies.append(self.stack.decide(approval["id"], stream=True)))
                for _ in range(2)]
        for t in both:
            t.start()
        for t in both:
            t.join()
        self.assertEqual([200, 200], [r.status for r in replies])
        streamed = [r for r in replies if r.headers["Content-Type"] == "text/event-stream"]
        self.assertEqual(1, len(streamed), "the run goes on in one place")
        done = events(streamed[0].body)[-1]["data"]
        self.assertIn("15.30", done["content"])
        self.assertEqual(before + 1, self.stack.erp.counts("demo")["invoices"])
        self.assertEqual(200, self.stack.decide(approval["id"]).status)
        other = self.stack.decide(approval["id"], "deny")
        self.assertEqual(409, other.status)
        self.assertEqual("done", other.json["approval"]["state"])
        self.assertEqual(before + 1, self.stack.erp.counts("demo")["invoices"])

    def test_a_no_is_a_no(self):
        before = self.stack.erp.counts("demo")["invoices"]
        approval = next(e["data"] for e in self.stack.stream(self.QUESTION) if e["event"] == "approval")
        done = events(self.stack.decide(approval["id"], "deny", stream=True).body)[-1]["data"]
        self.assertEqual("complete", done["status"])
        self.assertEqual("denied", self.stack.get("/v1/approvals/" + approval["id"]).data["state"])
        self.assertEqual(before, self.stack.erp.counts("demo")["invoices"])

    def test_a_waiting_run_can_be_cancelled(self):
        before = self.stack.erp.counts("demo")["invoices"]
        found = self.stack.stream(self.QUESTION)
        run, approval = found[0]["data"]["run"], found[-1]["data"]["approvals"][0]
        self.assertEqual(202, self.stack.post(f"/v1/runs/{run}/cancel", {}).status)
        until("the run to end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "cancelled")
        self.assertEqual("expired", self.stack.get("/v1/approvals/" + approval).data["state"])
        self.assertEqual(410, self.stack.decide(approval).status)
        self.assertEqual(before, self.stack.erp.counts("demo")["invoices"])

    def test_an_approval_is_nobody_elses(self):
        approval = next(e["data"] for e in self.stack.stream(self.QUESTION) if e["event"] == "approval")
        for bearer in (token(sub="eve"), token(tenant="other"), token(permissions=["cogent.approve"], sub="max")):
            self.assertEqual(404, self.stack.get("/v1/approvals/" + approval["id"], bearer=bearer).status)
            self.assertEqual(404, self.stack.decide(approval["id"], bearer=bearer).status)
            self.assertEqual([], self.stack.get("/v1/approvals", bearer=bearer).data)

    def test_without_the_right_no_script_is_asked(self):
        verdicts = lambda: sum(float(line.rsplit(" ", 1)[1]) for line in self.stack.metrics().split("\n")
                               if line.startswith('cogent_policy_verdicts_total{point="tool_call"'))
        before, count = verdicts(), self.stack.erp.counts("demo")["invoices"]
        answer = self.stack.ask(self.QUESTION, bearer=token(permissions=READER + ["finance.read"], sub="bob"))
        self.assertEqual("complete", answer["status"])
        self.assertEqual([], answer["approvals"])
        self.assertEqual(before, verdicts())
        self.assertEqual(count, self.stack.erp.counts("demo")["invoices"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
