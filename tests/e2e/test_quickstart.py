# SPDX-License-Identifier: Apache-2.0
"""What quickstart shows, without its script: the made-up company's questions through the command line and over HTTP,
and every command of `cogent` once."""

import json
import os
import subprocess
import tempfile
import unittest

from stack import Stack, token, until

# Figures of tests/erp/README.md. question, what the answer holds, the kind it cites.
QUESTIONS = [
    ("What is the total of invoice 536365?", ["139.12 GBP"], "invoice"),
    ("Who is customer 17850?", ["Harbour & Finch Ltd", "20000.00"], "customer"),
    ("How many of 85123A are on hand?", ["905", "821"], "inventory_item"),
    ("What is low on stock?", ["22383"], "inventory_item"),
    ("How many units of 85123A were sold in November 2025?", ["1377", "3283.35"], "sales_report"),
    ("Which customer bought most units of 22423 in 2025?", ["15311", "327"], "sales_report"),
    ("What were the sales in November 2025?", ["48106.05"], "sales_report"),
    ("What is customer 17850 invoiced for?", ["34826.91"], "sales_report"),
    ("Which items match \"a lantern for the garden\"?", ["lantern"], "inventory_item"),
]
ALL = ["finance.*", "customer.*", "inventory.*", "sales.*", "cogent.documents"]
RECORD = {"id": "Z1", "name": "Zebra Crossing Ltd", "country": "France", "since": "2024-01-01", "credit_limit": "5.00",
          "currency": "EUR", "invoices": 0, "invoiced_total": "0.00", "modified": "2024-01-01T00:00:00.000001Z"}


class Quickstart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(environment={"UBSAN_OPTIONS": "halt_on_error=1"})
        cls.stack.wait_for_feeds()
        cls.bearer = token(permissions=ALL, sub="demo")

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def run_cogent(self, *arguments, status=0, text="", bearer=None, **environment):
        """What the command prints; its exit status is asserted."""
        env = dict(os.environ, COGENT_URL=self.stack.url, COGENT_TOKEN=bearer or self.bearer,
                   COGENT_CONFIG=self.stack.config)
        env.update(environment)
        env = {key: value for key, value in env.items() if value}
        made = subprocess.run([os.environ["COGENT"], *arguments], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=env, timeout=120)
        self.assertEqual(made.returncode, status, (arguments, made.stdout, made.stderr))
        self.assertNotIn("Sanitizer", made.stderr)
        self.errors = made.stderr
        return made.stdout

    def events(self, *arguments, **more):
        return [json.loads(line) for line in self.run_cogent("ask", "--json", *arguments, **more).splitlines()]

    def named(self, events, name):
        return [e["data"] for e in events if e["event"] == name]

    # Questions.

    def test_questions_through_the_command_line(self):
        for question, words, kind in QUESTIONS:
            events = self.events(question)
            done = self.named(events, "done")[0]
            cited = self.named(events, "citation")
            self.assertEqual(done["status"], "complete", question)
            for word in words:
                self.assertIn(word.lower(), done["content"].lower(), question)
            self.assertIn(kind, [c["type"] for c in cited], question)
            self.assertIn("[1]", done["content"], question)
            for c in cited:
                if kind != "sales_report":
                    self.assertTrue(c["url"].startswith("https://erp.example/") and not c["url"].endswith("/"), c)

    def test_questions_over_http(self):
        for question, words, kind in QUESTIONS:
            answer = self.stack.ask(question, bearer=self.bearer, unix=True)
            for word in words:
                self.assertIn(word.lower(), answer["content"].lower(), question)
            self.assertIn(kind, [c["type"] for c in answer["citations"]], question)

    def test_answer_for_people(self):
        text = self.run_cogent("ask", QUESTIONS[0][0])
        for part in ("retrieve", "get_invoice(", "-> done", "139.12 GBP [1].", "[1] Invoice 536365",
                     "https://erp.example/invoices/536365", "complete in", ", by rules"):
            self.assertIn(part, text)
        self.assertEqual(text.count("139.12 GBP"), 1, text)
        self.assertNotIn("\033", text)

    def test_conversation_from_standard_input(self):
        text = self.run_cogent("ask", text="What is the total of invoice 536365?\n\nWhat is low on stock?\n")
        self.assertIn("139.12", text)
        self.assertIn("22383", text)

    def test_without_the_right_nothing_is_told(self):
        events = self.events(QUESTIONS[0][0], bearer=token(permissions=["sales.*", "inventory.read"], sub="sam"))
        self.assertNotIn("139.12", json.dumps(events))
        self.assertEqual([c for c in self.named(events, "citation") if c["type"] == "invoice"], [])
        self.assertIn("it needs the permission finance.read", events[-1]["data"]["content"])

    # Writing.

    def test_approved_at_once(self):
        text = self.run_cogent("ask", "--yes", "Create an invoice for customer 18102: 6 x 22111 at 2.55")
        for part in ("Invoice customer 18102", '"22111"  (user)', "this changes a record", "approved (--yes)", "15.30 GBP"):
            self.assertIn(part, text)

    def test_denied_at_once(self):
        before = self.stack.erp.call("GET", "/inventory/items/22423", bearer=self.bearer)[1]["data"]["on_hand"]
        text = self.run_cogent("ask", "--no", "Set the stock of 22423 to 7")
        self.assertIn("denied (--no)", text)
        after = self.stack.erp.call("GET", "/inventory/items/22423", bearer=self.bearer)[1]["data"]["on_hand"]
        self.assertEqual(before, after)

    def test_decided_later(self):
        text = self.run_cogent("ask", "Set the stock of 21754 to 77")
        waiting = text.split("cogent approvals approve ")[1].split()[0]
        self.assertIn(waiting, self.run_cogent("approvals"))
        self.assertIn("approved", self.run_cogent("approvals", "approve", waiting))
        stock = lambda: self.stack.erp.call("GET", "/inventory/items/21754", bearer=self.bearer)[1]["data"]["on_hand"]
        until("the stock to be set", lambda: stock() == 77)
        self.run_cogent("approvals", "deny", waiting, status=1)
        self.assertIn("decided", self.errors)

    # The other commands.

    def test_import_and_search(self):
        lines = [{"type": "customer", "id": "Z1", "record": RECORD}, {"type": "customer", "id": "Z2", "record": RECORD},
                 {"type": "customer", "id": "Z2", "delete": True}, {"type": "nothing", "id": "1", "record": {}}]
        text = "\n".join(map(json.dumps, lines)) + "\nno JSON at all\n{\"type\": \"customer\"}\n"
        report = json.loads(self.run_cogent("import", "--json", "-", text=text, status=1))
        self.assertEqual((report["accepted"], report["unchanged"], report["rejected"]), (3, 0, 3))
        self.assertEqual(sorted(e["line"] for e in report["errors"]), [4, 5, 6])
        found = json.loads(self.run_cogent("search", "--json", "--type", "customer", "zebra crossing"))["data"]
        self.assertEqual(found[0]["id"], "Z1")
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
            for i in range(300):
                file.write(json.dumps({"type": "customer", "id": f"Z{i % 40}", "delete": i % 2 == 1, "record": RECORD}) + "\n")
            file.flush()
            self.assertIn("21 accepted, 279 unchanged, 0 rejected", self.run_cogent("import", file.name))
        self.run_cogent("import", "-", text=json.dumps(lines[0]), status=1, bearer=token(permissions=["*.read"]))
        self.assertIn("cogent.documents", self.errors)

    def test_token_me_and_tools(self):
        secret = os.path.join(self.stack.folder, "secret")
        made = self.run_cogent("token", "--sub", "ada", "--tenant", "demo", "--permission", "finance.read", "--role", "r1",
                               "--secret", secret).strip()
        me = json.loads(self.run_cogent("me", "--json", bearer=made))["data"]
        self.assertEqual((me["user"], me["tenant"], me["roles"], me["tools"].sort() or me["tools"]),
                         ("ada", "demo", ["r1"], ["get_invoice", "list_invoices"]))
        self.assertIn("get_invoice", self.run_cogent("tools", bearer=made))
        self.assertNotIn("update_inventory", self.run_cogent("tools", "list", bearer=made))
        self.assertIn("0 wrong", self.run_cogent("tools", "check"))
        self.run_cogent("tools", "check", os.path.join(os.environ["COGENT_SHARE"], "tools", "erp.lua"))
        self.run_cogent("tools", "check", "no_such_file.lua", status=1)
        self.run_cogent("me", bearer="nonsense", status=1)
        self.assertIn("COGENT_TOKEN", self.errors)

    def test_runs(self):
        self.run_cogent("ask", QUESTIONS[0][0])
        runs = json.loads(self.run_cogent("runs", "--json"))["data"]
        self.assertIn(runs[0]["run"], self.run_cogent("runs"))
        self.assertIn("outcome", self.run_cogent("runs", runs[0]["run"]))
        events = [json.loads(line)["event"] for line in self.run_cogent("runs", runs[0]["run"], "--events").splitlines()]
        self.assertEqual((events[0], events[-1]), ("start", "done"))
        self.run_cogent("runs", "cancel", runs[0]["run"], status=1)

    def test_doctor(self):
        found = {row["check"]: row for row in json.loads(self.run_cogent("doctor", "--json"))}
        self.assertTrue(all(row["ok"] for row in found.values()), found)
        self.assertIn("3927 records", found["demo: invoice"]["says"].replace("3928", "3927").replace("3929", "3927"))
        found = {row["check"]: row for row in json.loads(
            self.run_cogent("doctor", "--json", status=1, COGENT_URL="http://127.0.0.1:1"))}
        self.assertFalse(found["server"]["ok"])
        with tempfile.TemporaryDirectory() as folder:
            config, tools = os.path.join(folder, "cogent.lua"), os.path.join(folder, "parts.lua")
            self.stack.write(tools, 'return { service = "parts", base = "{tenant.parts_url}", auth = "none", tools = { get_part = '
                             '{ about = "A part.", permission = "p", route = "GET /part", cite = "part" } } }')
            self.stack.write(config, f'return {{ state = "{folder}", tools = {{ "parts.lua" }}, tenants = {{ t = '
                             f'{{ parts_url = "{self.stack.url}", web_url = "http://127.0.0.1:1" }} }} }}')
            found = {row["check"]: row for row in json.loads(self.run_cogent("doctor", "--json", "-c", config, status=1))}
            self.assertTrue(found["t: parts_url"]["ok"], found)
            self.assertNotIn("t: ERP", found)
            self.assertIn("get_part", found["cite"]["says"])
        self.run_cogent("doctor", "-c", "no_such_file.lua", status=1)

    def test_policy_cases(self):
        self.assertIn("0 wrong", self.run_cogent("policy", "test"))
        for bundle in ("default", "examples"):
            self.run_cogent("policy", "test", os.path.join(os.environ["COGENT_SHARE"], "bundles", bundle))
        with tempfile.TemporaryDirectory() as folder:
            self.run_cogent("policy", "test", folder, status=1)
            self.assertIn("a bundle holds", self.errors)

    def test_usage(self):
        self.assertIn("ask", self.run_cogent("help"))
        self.assertIn("--session", self.run_cogent("help", "ask"))
        for word, said in (("polcy", 'there is no command "polcy"; did you mean "policy"? `cogent help` lists them.'),
                           ("zzz", 'there is no command "zzz". `cogent help` lists them.')):
            self.run_cogent("help", word, status=2)
            self.assertIn(said, self.errors)
        self.assertIn("--session", self.run_cogent("ask", "--help"))
        self.assertRegex(self.run_cogent("--version"), r"^cogent \d")
        for wrong in (["asc"], ["ask", "two", "words"], ["ask", "--nonsense", "x"], ["token"], ["runs", "cancel"],
                      ["search"], ["import"], ["approvals", "approve"], ["policy"], ["tools", "chek"]):
            self.run_cogent(*wrong, status=2)
        self.assertTrue(self.errors)
        self.run_cogent("ask", "--nonsense", "x", status=2)
        self.assertIn('"--nonsense" is not understood', self.errors)
        self.assertIn("cogent help ask", self.errors)

    def test_server_and_token_of_a_state_folder(self):
        self.stack.write(os.path.join(self.stack.state, "demo.token"), self.bearer + "\n")
        self.assertIn("demo", self.run_cogent("me", COGENT_URL="", COGENT_TOKEN="", COGENT_STATE=self.stack.state))
        self.run_cogent("me", COGENT_URL="unix:" + os.path.join(self.stack.state, "cogent.sock"))
        self.run_cogent("me", COGENT_URL="", COGENT_TOKEN="", COGENT_STATE="/proc/nonexistent", status=1)
        self.run_cogent("me", COGENT_URL="unix:/proc/nonexistent/socket", status=1)
        self.assertIn("no server answers at unix:/proc/nonexistent/socket", self.errors)
        self.assertNotIn("port", self.errors)
        self.assertIn("COGENT_URL", self.errors)
        self.run_cogent("me", COGENT_URL="http://127.0.0.1:1", status=1)


if __name__ == "__main__":
    unittest.main()
