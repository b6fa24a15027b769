# SPDX-License-Identifier: Apache-2.0
"""An ERP that speaks RPC (tests/books), driven by its tools file alone: policies/tools/books.lua. What REST does not show:
sessions that expire, errors inside a 200, pages by position, and a write without a key that would keep it from being
done twice."""

import base64
import http.client
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from stack import Stack, events, token, until

BOOKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "books")
PASSWORDS = {"demo": ("cogent", "books-pass-1"), "small": ("reader", "books-pass-2")}
ASKED = "Create an order for customer 7: 2 of product 3 at 2.55"


def call(name, n=0, **arguments):
    return {"call": {"index": n, "id": f"call_{n}", "name": name, "arguments": json.dumps(arguments)}}


ORDER = {"customer_id": 7, "lines": [{"item_id": 3, "quantity": 2, "unit_price": "2.55"}]}
SCRIPT = {
    "party": [[call("get_party", code="C007")], [{"text": "{{tool:/name}} may owe {{tool:/credit_limit}}."}]],
    "nobody": [[call("get_party", code="C999")], [{"text": "There is none."}]],
    "list": [[call("list_orders")], [{"text": "The last is {{tool:/items/0/number}}."}]],
    "some": [[call("list_orders", customer_id=7, state="done")], [{"text": "So many."}]],
    "three": [[call("get_party", 0, code="C001"), call("get_party", 1, code="C002"), call("get_party", 2, code="C003")],
              [{"text": "Three."}]],
    "order": [[call("create_order", **ORDER)], [{"text": "Done."}]],
    "bad": [[call("create_order", **dict(ORDER, customer_id=700))], [{"text": "No."}]],
}
ALLOW = 'return { about = "All is allowed.", on = "tool_call", decide = function() return allow() end }\n'


# A service that nobody serves at the paths asked for: what is sent is what matters.
ECHO = '''return { service = "echo", base = "{tenant.books_url}", tools = {
  who = { about = "Who.", permission = "echo.read", auth = "caller", route = "GET /who" },
  own = { about = "Own.", permission = "echo.read", auth = { handed = true, header = "Authorization", value = "{user.credential}" }, route = "GET /own" },
} }'''


class Service:
    """A running books.py."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(BOOKS, "books.py")], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().decode().rsplit(":", 1)[1])

    def control(self, **wanted):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/control", json.dumps(wanted))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Room(unittest.TestCase):
    """Cogent and books, whose tools file alone tells the one of the other."""
    environment = None

    @classmethod
    def setUpClass(cls):
        cls.books = Service()
        cls.stack = stack = Stack(tenants=tuple(PASSWORDS), jobs=0, workers=1, feeds=False, start=False, environment=cls.environment,
                                  fields={"books_url": f"http://127.0.0.1:{cls.books.port}", "db": "live"})
        stack.use_script(SCRIPT)
        for tenant, (user, password) in PASSWORDS.items():
            stack.write(os.path.join(stack.state, "secrets", tenant, "books_user"), user)
            stack.write(os.path.join(stack.state, "secrets", tenant, "books_password"), password)
        share = os.environ["COGENT_SHARE"]
        bundle = os.path.join(stack.folder, "bundle")
        for folder in ("templates", "policies/a"):
            os.makedirs(os.path.join(bundle, folder))
        with open(share + "/bundles/default/templates/assistant.lua", encoding="utf-8") as file:
            stack.write(bundle + "/templates/assistant.lua", file.read())
        stack.write(bundle + "/policies/a/allow.lua", ALLOW)
        stack.write_config({"main": ["rules"], **{name: ["mock/" + name] for name in SCRIPT}}, 1, 0,
                           f'policies = "bundle", limits = {{ calls_per_hour = 10000 }}, tools = {{ "{share}/tools/erp.lua", "{share}/tools/books.lua" }},')
        try:
            stack.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.books.stop()
        cls.stack.stop()

    def setUp(self):
        nothing = dict.fromkeys(("cut", "cut_before", "drop", "delay", "garbage", "session_calls", "expired_status"))
        self.books.control(drop_sessions=True, forget=True, **nothing)

    def ask(self, model, question="What about customer 7?", **more):
        """(results of its calls, the last event, the run's rows)"""
        found = self.stack.stream(question, model=model, **more)
        results = [e["data"] for e in found if e["event"] == "tool_result"]
        run = found[0]["data"]["run"]
        rows = self.stack.get("/v1/runs/" + run, bearer=more.get("bearer", "")).data["rows"]
        return results, found[-1]["data"], [r["body"] for r in rows if r["kind"] == "outcome"]

    def orders(self):
        return self.books.control()["references"]

    def last_effect(self):
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            return db.execute("select state from effect order by created desc limit 1").fetchone()[0]


class Books(Room):
    # Reading.

    def test_one_record(self):
        results, done, _ = self.ask("party")
        self.assertEqual("done", results[0]["status"], results)
        self.assertEqual("Customer 7 may owe 1750.", done["content"].split(" [")[0])
        self.assertEqual({"id": 7, "code": "C007", "name": "Customer 7", "credit_limit": "1750"}, results[0]["result"])
        self.assertEqual(["session.open", "party.search_read"], self.books.control()["called"][-2:])

    def test_nobody_is_not_found(self):
        results, done, _ = self.ask("nobody")
        self.assertEqual(("failed", "not_found"), (results[0]["status"], results[0]["error"]["class"]))
        self.assertEqual("complete", done["status"])

    def list_all(self):
        results, done, outcomes = self.ask("list", "List all orders")
        self.assertEqual("done", results[0]["status"], results)
        self.assertEqual("complete", done["status"])
        items = outcomes[0]["result"]["items"]
        there = self.books.control()["orders"]["live"]
        self.assertGreater(there, 200)
        self.assertEqual(there, len(items))
        self.assertEqual(there, len({row["number"] for row in items}))
        self.assertEqual(sorted((row["date"] for row in items), reverse=True), [row["date"] for row in items])
        self.assertIn(items[0]["number"], done["content"])
        self.assertFalse(outcomes[0]["result"]["more"])
        self.assertRegex(items[0]["total"], r"^\d+\.\d\d$")

    def test_a_list_over_three_pages(self):
        self.ask("party")
        self.books.control(forget=True)
        self.list_all()
        self.assertEqual(["order.search_read"] * 3, self.books.control()["called"])

    def test_clauses_go_with_their_arguments(self):
        _, _, outcomes = self.ask("some")
        rows = outcomes[0]["result"]["items"]
        self.assertTrue(rows)
        self.assertEqual({(7, "done")}, {(row["party"], row["state"]) for row in rows})

    # Sessions.

    def test_a_session_dropped_in_the_middle(self):
        for status in (200, 401):
            with self.subTest(status):
                self.ask("party")
                self.books.control(forget=True, expired_status=status, session_calls=2, drop_sessions=True)
                self.list_all()
                seen = self.books.control()
                self.assertEqual("order.search_read", seen["called"][0], "the old session was tried")
                self.assertEqual(2, seen["logins"], "a session for two pages, and another")
                self.assertEqual(2 + 3, seen["called"].count("order.search_read"), "each page once, and two refusals")
                self.books.control(session_calls=None)

    def test_one_login_for_many(self):
        self.books.control(delay={"method": "session.open", "seconds": 0.3})
        results, _, _ = self.ask("three")
        self.assertEqual(["done"] * 3, [r["status"] for r in results])
        done = []
        askers = [threading.Thread(target=lambda: done.append(self.ask("three")[1]["status"])) for _ in range(4)]
        self.books.control(drop_sessions=True, forget=True)
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertEqual(["complete"] * 4, done)
        self.assertEqual(1, self.books.control()["logins"])

    def test_a_login_that_is_refused(self):
        path = os.path.join(self.stack.state, "secrets", "demo", "books_password")
        self.stack.write(path, "wrong-password")
        try:
            results, done, _ = self.ask("party")
        finally:
            self.stack.write(path, PASSWORDS["demo"][1])
        self.assertEqual(("failed", "auth"), (results[0]["status"], results[0]["error"]["class"]))
        self.assertIn("its login was refused", results[0]["error"]["message"])
        self.assertNotIn("wrong-password", json.dumps([results, done]))
        self.assertNotIn("wrong-password", self.stack.logged())
        until("the login to be tried again", lambda: self.ask("party")[0][0]["status"] == "done")

    # Writing.

    def test_a_write(self):
        before = self.orders()
        results, done, _ = self.ask("order", ASKED)
        self.assertEqual("done", results[0]["status"], results)
        self.assertEqual("complete", done["status"])
        self.assertEqual(len(before) + 1, len(self.orders()))
        self.assertEqual(29, len(self.orders()[-1]), "the key stands in the record")

    def test_a_refused_write_is_told_as_refused(self):
        before = self.orders()
        results, done, _ = self.ask("order", ASKED, bearer=token("small"))
        self.assertEqual(("denied", "denied"), (results[0]["status"], results[0]["error"]["class"]), results)
        self.assertIn("may not order.create", results[0]["error"]["message"])
        self.assertNotIn("reader", results[0]["error"]["message"], "a name from the secrets is not told")
        self.assertNotIn("<b>", results[0]["error"]["message"])
        self.assertEqual("complete", done["status"])
        results, _, _ = self.ask("bad", ASKED + ", no, for 700")
        self.assertEqual(("failed", "invalid"), (results[0]["status"], results[0]["error"]["class"]), results)
        self.assertIn("no such party", results[0]["error"]["message"])
        self.assertEqual(before, self.orders())

    def test_a_write_whose_session_is_over(self):
        before = self.orders()
        self.ask("party")
        self.books.control(drop={"method": "order.create", "times": 1})
        results, _, _ = self.ask("order", ASKED)
        self.assertEqual("done", results[0]["status"], results)
        self.assertEqual(len(before) + 1, len(self.orders()))

    def cut(self, **fault):
        """The write with this fault: (its result, how many orders it made)"""
        self.ask("party")  # a session that is good
        before = len(self.orders())
        self.books.control(**{name: dict(value, method="order.create", times=1) for name, value in fault.items()})
        results, _, _ = self.ask("order", ASKED)
        return results[0], len(self.orders()) - before

    def test_write_cut_after_commit(self):
        """The reply breaks off at every byte: the record is found by its key, and there is one."""
        for n in range(0, 132):
            with self.subTest(n):
                result, made = self.cut(cut={"bytes": n})
                self.assertEqual(("done", 1), (result["status"], made), result)
                self.assertTrue(result["result"]["id"] > 260)
                self.assertEqual("done", self.last_effect())
        result, made = self.cut(garbage={})
        self.assertEqual(("done", 1), (result["status"], made), result)

    def test_a_find_that_fails_too(self):
        """Nobody can say: it stays a doubt, and nothing is sent twice."""
        self.ask("party")
        before = len(self.orders())
        self.books.control(cut={"method": "order.create", "bytes": 0, "times": 1},
                           garbage={"method": "order.search_read", "status": 500})
        results, _, _ = self.ask("order", ASKED)
        self.assertEqual("unknown", results[0]["status"], results)
        self.assertEqual("unknown", self.last_effect())
        self.assertEqual(before + 1, len(self.orders()))

    def test_a_find_whose_session_is_over(self):
        self.ask("party")
        before = len(self.orders())
        self.books.control(cut={"method": "order.create", "bytes": 0, "times": 1},
                           drop={"method": "order.search_read", "times": 1})
        results, _, _ = self.ask("order", ASKED)
        self.assertEqual("done", results[0]["status"], results)
        self.assertEqual(before + 1, len(self.orders()))

    def test_a_refusal_that_is_cut(self):
        """The session was over, but that word is lost, too: a doubt, and it is not sent again."""
        before = len(self.orders())
        self.books.control(cut={"method": "order.create", "bytes": 0, "times": 1}, drop={"method": "order.create", "times": 1})
        results, _, _ = self.ask("order", ASKED)
        self.assertEqual("unknown", results[0]["status"], results)
        self.assertEqual(before, len(self.orders()))

    def test_a_write_cut_before_it_is_done(self):
        result, made = self.cut(cut_before={})
        self.assertEqual(("unknown", 0), (result["status"], made), result)


class LookedForLater(Room):
    """A doubt that the first look did not end: it is looked for again, three times, and never sent again. A minute is a
    moment here."""
    environment = {"COGENT_TEST_LOOK_MS": "60"}

    def lose(self):
        """An order that was made, its answer lost and its record not to be found for now."""
        self.ask("party")
        before = len(self.orders())
        self.books.control(cut={"method": "order.create", "bytes": 0, "times": 1},
                           garbage={"method": "order.search_read", "status": 500})
        results, _, _ = self.ask("order", ASKED)
        self.assertEqual(("unknown", before + 1), (results[0]["status"], len(self.orders())))
        return self.stack.get("/v1/effects").data[0]["effect"], before + 1

    def test_found_later(self):
        effect, there = self.lose()
        until("a look in vain", lambda: self.stack.get("/v1/effects/" + effect).data["looks"] >= 1)
        self.books.control(garbage=None)
        found = until("it to be found", lambda: (lambda d: d if d["state"] == "done" else None)(self.stack.get("/v1/effects/" + effect).data))
        self.assertEqual("once.find", found["decided_by"])
        self.assertGreater(found["result"]["id"], 260)
        self.assertEqual(there, len(self.orders()))

    def test_given_up_after_three_looks(self):
        effect, there = self.lose()
        until("three looks", lambda: self.stack.get("/v1/effects/" + effect).data["looks"] == 3)
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            until("nobody to look for it any more", lambda: not db.execute("select 1 from due where kind = 'effect'").fetchone())
        self.assertEqual("unknown", self.stack.get("/v1/effects/" + effect).data["state"])
        self.assertEqual(there, len(self.orders()))


class Echo(ThreadingHTTPServer):
    """Takes the Authorization that came with a GET down, and answers it."""
    DEEP = b'{"ok":' * 64 + b"true" + b"}" * 64

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.server.seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.DEEP if self.path == "/deep" else b'{"ok":true}')

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.seen = []
        threading.Thread(target=self.serve_forever).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class Users(unittest.TestCase):
    """Services that are asked in the user's own name: the token that came, and the credential that the backend handed over."""

    @classmethod
    def setUpClass(cls):
        cls.echo = Echo()
        cls.stack = stack = Stack(jobs=0, workers=1, feeds=False, start=False)
        stack.mock.terminate()
        stack.mock.wait()
        stack.mock.stdout.close()
        script = os.path.join(stack.folder, "script.json")
        models = {name: [[call(name)], [{"text": "Done."}]] for name in ("who", "own", "trusting", "deep")}
        stack.write(script, json.dumps({"models": models}))
        stack.start_mock(script)
        base = f"http://127.0.0.1:{cls.echo.server_address[1]}"
        tool = '%s = { about = "x", permission = "x.read", route = "GET /%s", auth = "%s" }, '
        stack.write(os.path.join(stack.folder, "echo.lua"), f'return {{ service = "echo", base = "{base}", tools = {{ '
                    + tool % ("who", "who", "caller") + tool % ("own", "own", "handed") + tool % ("deep", "deep", "caller") + "} }")
        stack.write(os.path.join(stack.folder, "trusting.lua"), f'return {{ service = "trusting", base = "{base}", '
                    'issuer = "https://login.example", tools = { ' + tool % ("trusting", "who", "caller") + "} }")
        stack.write_config({"main": ["rules"], **{name: ["mock/" + name] for name in models}}, 1, 0,
                           f'tools = {{ "{os.environ["COGENT_SHARE"]}/tools/erp.lua", "echo.lua", "trusting.lua" }},')
        try:
            stack.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.echo.stop()
        cls.stack.stop()

    def ask(self, model, bearer, headers=None):
        """(the result of its call, the Authorization that the service saw)"""
        self.echo.seen.clear()
        reply = self.stack.post("/v1/assistant/chat/stream", {"query": "Who am I?", "model": model}, bearer=bearer, headers=headers)
        self.assertEqual(200, reply.status, reply.body)
        return next(e["data"] for e in events(reply.body) if e["event"] == "tool_result"), list(self.echo.seen)

    def test_a_token_goes_where_it_is_for(self):
        for model, claims, goes in (("who", {}, True), ("who", {"aud": "echo"}, True), ("who", {"aud": ["cogent", "echo"]}, True),
                                    ("who", {"aud": "cogent"}, False), ("who", {"aud": "cogent", "iss": "https://login.example"}, False),
                                    ("trusting", {"aud": "cogent", "iss": "https://login.example"}, True),
                                    ("trusting", {"aud": "cogent", "iss": "https://other.example"}, False)):
            with self.subTest(model + json.dumps(claims)):
                bearer = token(**claims)
                result, seen = self.ask(model, bearer)
                self.assertEqual(["Bearer " + bearer] if goes else [], seen)
                self.assertEqual("done" if goes else "failed", result["status"], result)
                if not goes:
                    self.assertEqual("auth", result["error"]["class"])
                    self.assertIn("is not for this service", result["error"]["message"])

    def test_a_result_as_deep_as_is_read_is_read_again(self):
        found = self.stack.stream("How deep?", model="deep")
        run = found[0]["data"]["run"]
        until("the end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "complete")
        rows = self.stack.get("/v1/runs/" + run).data["rows"]
        result = next(r["body"]["result"] for r in rows if r["kind"] == "outcome")
        self.assertEqual(json.loads(Echo.DEEP), result)
        replayed = events(self.stack.get(f"/v1/runs/{run}/events").body)
        self.assertIn("tool_result", [e["event"] for e in replayed])

    def test_what_was_handed_over(self):
        result, seen = self.ask("own", token(), {"Cogent-Credential": "echo own-token-1"})
        self.assertEqual(("done", ["Bearer own-token-1"]), (result["status"], seen), result)
        self.assertNotIn("own-token-1", self.stack.logged())
        result, seen = self.ask("own", token(), {"Cogent-Credential": "other own-token-1"})
        self.assertEqual(("failed", []), (result["status"], seen), result)
        self.assertIn("Cogent-Credential: echo VALUE", result["error"]["message"])


class CommandLine(unittest.TestCase):
    """`cogent tools` without a server: tried against the service, and against a description."""

    @classmethod
    def setUpClass(cls):
        cls.books = Service()
        cls.folder = tempfile.mkdtemp(prefix="cogent-test-")
        os.makedirs(os.path.join(cls.folder, "secrets"))
        share = os.environ["COGENT_SHARE"]
        for name, text in {"secrets/books_user": "cogent", "secrets/books_password": "books-pass-1", "jwt": "x" * 40,
                           "echo.lua": ECHO,
                           "cogent.lua": f'''return {{ state = "{cls.folder}/state", secrets = "{cls.folder}/secrets",
  auth = {{ secret = file "jwt", issuer = "https://login.example" }}, tools = {{ "{share}/tools/books.lua", "echo.lua" }},
  tenants = {{ acme = {{ books_url = "http://127.0.0.1:{cls.books.port}", db = "live" }} }} }}'''}.items():
            with open(os.open(os.path.join(cls.folder, name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)

    @classmethod
    def tearDownClass(cls):
        cls.books.stop()
        shutil.rmtree(cls.folder)

    def run_tools(self, *arguments, status=0, **environment):
        env = dict(os.environ, COGENT_CONFIG=os.path.join(self.folder, "cogent.lua"), **environment)
        done = subprocess.run([os.environ["COGENT"], "tools", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=env, check=False)
        self.assertEqual(status, done.returncode, done.stdout)
        self.assertNotIn("books-pass-1", done.stdout)
        return done.stdout

    def test_try_shows_the_wire(self):
        shown = self.run_tools("try", "get_party", "code=C007")
        for piece in ("login: 200", "/rpc\n", "Authorization: ***", "party.search_read", "200", "result\n", "1750", "as service"):
            self.assertIn(piece, shown)
        shown = json.loads(self.run_tools("try", "get_party", "code=C007", "--json", "--tenant", "acme"))
        self.assertEqual("1750", shown["result"]["credit_limit"])
        self.assertEqual(["login", "request", "reply"], [row["what"] for row in shown["wire"]])
        shown = self.run_tools("try", "get_party", "code=C999", status=1)
        self.assertIn("not_found: not found", shown)

    def test_try_asks_before_a_write(self):
        arguments = ("try", "create_order", "customer_id=7", 'lines=[{"item_id":3,"quantity":2,"unit_price":"2.55"}]')
        before = self.books.control()["references"]
        self.assertIn("say --yes", self.run_tools(*arguments, status=1))
        for answer, made in (("n", 0), ("y", 1)):
            shown = self.at_terminal(arguments, answer)
            self.assertIn("Really send this? [y/N]", shown)
            self.assertEqual(1, shown.count("POST http"), shown)
            self.assertIn("nothing was sent" if not made else "result", shown)
            self.assertEqual(len(before) + made, len(self.books.control()["references"]))
        self.assertIn('"result":{"id":', self.run_tools(*arguments, "--yes", "--json"))

    def at_terminal(self, arguments, answer):
        """What is shown at a terminal where somebody types an answer."""
        try:
            pid, terminal = pty.fork()
        except OSError as why:
            self.skipTest(f"this machine gives no terminals: {why}")
        if pid == 0:
            os.environ["COGENT_CONFIG"] = os.path.join(self.folder, "cogent.lua")
            os.execv(os.environ["COGENT"], ["cogent", "tools", *arguments])
        os.write(terminal, (answer + "\n").encode())
        shown = b""
        try:
            while block := os.read(terminal, 65536):
                shown += block
        except OSError:
            pass  # the other side has gone
        os.close(terminal)
        os.waitpid(pid, 0)
        return shown.decode()

    def test_try_checks_the_arguments(self):
        for arguments, words in ((["customer_id=seven", "lines=[]"], "customer_id: not valid JSON"),
                                 (["customer=7"], 'no argument "customer"'), (["customer_id"], "NAME=VALUE"),
                                 (["customer_id=7", "lines=[]"], "do not fit the schema: /lines"),
                                 (["customer_id=7"], "/lines is missing")):
            self.assertIn(words, self.run_tools("try", "create_order", *arguments, "--yes", status=1))
        self.assertIn("no tool", self.run_tools("try", "drop_tables", status=1))
        self.assertIn("was not given", self.run_tools("try", "get_party", "code=C007", "--permission", "x.read", status=1))
        self.assertIn('no tenant "x"', self.run_tools("try", "get_party", "code=C007", "--tenant", "x", status=1))
        self.run_tools("try", status=2)
        self.run_tools("try", "get_party", "--what", status=2)

    def test_try_as_a_user(self):
        """The token is the configuration's own; the user's credential at a service comes from the environment."""
        shown = self.run_tools("try", "who", "--as", "ann", "--permission", "echo.*", "--json", status=1)
        self.assertIn('"Authorization":"Bearer ***"', shown)
        shown = self.run_tools("try", "own", status=1)
        self.assertIn("Cogent-Credential: echo VALUE", shown)
        shown = self.run_tools("try", "own", status=1, COGENT_CREDENTIAL="own-token-1")
        self.assertIn("Authorization: ***", shown)
        self.assertNotIn("own-token-1", shown)

    def test_try_with_oauth2(self):
        """The token server is asked over the wire: for the service, and in exchange for the user's token."""
        asked = []

        class Server(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def answer(self, body):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def do_POST(self):
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                asked.append((self.headers["Authorization"], form))
                self.answer({"access_token": "acc-" + form["grant_type"][-8:], "expires_in": 60, "token_type": "Bearer"})

            def do_GET(self):
                self.answer({"who": self.headers["Authorization"]})

        server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        auth = 'auth = { oauth2 = "%s/token", id = "co gent", secret = "{secret.books_password}", scope = "a b", as = "%s" }'
        tool = '%s = { about = "x", permission = "x.read", route = "GET /who", result = function(v) return { ends = string.sub(v.who, -8) } end, %s }, '
        with open(os.path.join(self.folder, "echo.lua"), "w", encoding="utf-8") as file:
            file.write(f'return {{ service = "echo", base = "{base}", tools = {{ '
                       + "".join(tool % (name, auth % (base, name)) for name in ("service", "user")) + "} }")
        try:
            for name, grant in (("service", "client_credentials"), ("user", "urn:ietf:params:oauth:grant-type:token-exchange")):
                shown = json.loads(self.run_tools("try", name, "--json"))
                self.assertEqual({"ends": grant[-8:]}, shown["result"])
                header, form = asked.pop()
                self.assertEqual("co%20gent:books-pass-1", base64.b64decode(header.split(" ")[1]).decode())
                self.assertEqual(("a b", grant), (form["scope"], form["grant_type"]))
                self.assertEqual(name == "user", len(form.get("subject_token", "").split(".")) == 3)
        finally:
            server.shutdown()
            server.server_close()
            with open(os.path.join(self.folder, "echo.lua"), "w", encoding="utf-8") as file:
                file.write(ECHO)

    def test_check_live(self):
        shown = self.run_tools("check", "--live")
        self.assertRegex(shown, r"books +acme +service +ok .*\(status 404\), and the login is good")
        self.assertEqual(["session.open"], [m for m in self.books.control()["called"] if m != "party.search_read"][-1:])
        self.books.control(cut_before={"method": "session.open"})
        try:
            shown = json.loads(self.run_tools("check", "--live", "--json", status=1))
        finally:
            self.books.control(cut_before=None)
        wrong = [row for row in shown["live"] if not row["ok"]]
        self.assertEqual(["books"], [row["service"] for row in wrong])
        self.assertIn("its login cannot be reached", wrong[0]["says"])
        self.run_tools("check", "--tenant", "acme", status=2)

    def test_import(self):
        description = os.path.join(BOOKS, "openapi.json")
        made = self.run_tools("import", description)
        for name in ("list_invoices", "create_invoice", "get_invoice", "void_invoice", "get_api_v1_stock"):
            self.assertIn(f"    {name} = {{\n", made)
        self.assertIn('base    = "{tenant.acme_erp_url}/erp"', made)
        self.assertIn('once       = { header = "Idempotency-Key" }', made)
        self.assertIn('query      = { dry_run = "{dry_run}" }', made)
        path = os.path.join(self.folder, "made.lua")
        for text, status, words in ((made, 1, "permission is missing"),
                                    (made.replace('-- permission = "..."', 'permission = "x.y"'), 1, "once is missing"),
                                    (made.replace('-- permission = "..."', 'permission = "x.y"').replace("-- once    = ...", 'once = "never"'), 0, "0 wrong")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.assertIn(words, self.run_tools("check", path, status=status))
        some = self.run_tools("import", description, "--only", "*_invoice")
        self.assertNotIn("list_invoices", some)
        self.assertIn("get_invoice", some)
        self.assertIn("no operation", self.run_tools("import", description, "--only", "x", status=1))
        self.assertIn("cannot be read", self.run_tools("import", "none.json", status=1))


class Declaration(unittest.TestCase):
    """The files as the manual prints them, and the shipped one: they load, and their examples are right."""

    def check(self, *paths):
        done = subprocess.run([os.environ["COGENT"], "tools", "check", *paths], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=dict(os.environ, COGENT_CONFIG=""), check=False)
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def test_examples(self):
        self.assertIn("4 examples are right, 0 wrong", self.check(os.path.join(os.environ["COGENT_SHARE"], "tools", "books.lua")))

    def test_of_the_documentation(self):
        """What docs/tools.md shows loads, and its examples are right."""
        with open(os.path.join(BOOKS, "..", "..", "docs", "tools.md"), encoding="utf-8") as file:
            shown = re.findall(r"```lua\n(.*?)```", file.read(), re.S)
        self.assertEqual(2, len(shown))
        with tempfile.TemporaryDirectory() as folder:
            for text, says in zip(shown, ("2 examples are right, 0 wrong", "1 examples are right, 0 wrong")):
                path = os.path.join(folder, re.search(r"tools/(\w+)\.lua", text).group(1) + ".lua")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                self.assertIn(says, self.check(path))

    def test_printed(self):
        self.assertIn("1 examples are right, 0 wrong", self.check(os.path.join(BOOKS, "printed", "erp.lua")))
        self.assertIn("0 examples are right, 0 wrong", self.check(os.path.join(BOOKS, "printed", "books.lua")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
