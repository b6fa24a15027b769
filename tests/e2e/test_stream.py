# SPDX-License-Identifier: Apache-2.0
"""The stream as it is written: its events in order, over TCP and the Unix socket, sessions, restarts, resuming on another
worker, keys under which a question is asked once."""

import http.client
import json
import os
import re
import socket
import threading
import unittest

from stack import Stack, events, token, until

INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
MARCH = "Sales of March. "
SCRIPT = {
    "answer": [[{"text": "Invoice 536365 comes to "}, {"text": "139.12 GBP [1]."}]],
    "slow": [[{"delay_ms": 1500}, {"text": "Late, but here."}]],
    "tool": [[{"text": "I look. "}, {"calls": [{"id": "a", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}]}],
             [{"text": "It comes to {{tool:/total}} [1]."}]],
    "history": [[{"text": "{{request:/messages}}", "piece": 400}]],
    "breaks": [[{"text": "Größe, the first model says, and then "}, {"cut": True}]],
    "breaks-late": [[{"text": "I look. "}, {"calls": [{"id": "a", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}]}],
                    [{"text": "It comes to 1"}, {"cut": True}]],
    "mends": [[{"text": "The second model says it whole."}]],
    "paced": [[{"text": "one two three four five six seven eight", "piece": 4, "every_ms": 30}],
              [{"text": "never"}]],
    "two-turns": [[{"text": "First I look, slowly. ", "piece": 2, "every_ms": 10},
                   {"calls": [{"id": "a", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}]}],
                  [{"text": "Then I say it: {{tool:/total}} [1].", "piece": 2, "every_ms": 30}]],
    **{f"wide{n}": [[{"calls": [{"id": "a", "name": "create_invoice", "arguments": json.dumps(
        {"customer_id": "x" * n + "漢" * 200, "line_items": [{"item_id": "85123A", "quantity": 1, "unit_price": "1"}]})}]}]]
       for n in range(3)},
    "cites-late": [[{"calls": [{"id": "a", "name": "create_invoice", "arguments": json.dumps(
        {"customer_id": "17850", "line_items": [{"item_id": "85123A", "quantity": 1, "unit_price": "1"}]})}]}],
                   [{"text": "As [1] says."}]],
    "two-asks": [[{"calls": [{"id": id, "name": "create_invoice", "arguments": json.dumps(
        {"customer_id": "17850", "line_items": [{"item_id": "85123A", "quantity": 1, "unit_price": "1"}]})} for id in "ab"]}]],
    "wide": [[{"text": "Größe"}]],
    "late": [[{"delay_ms": 2500}, {"text": "At last."}]],
    "stall": [[{"text": "It begins and then"}, {"delay_ms": 600000}]],
}
MODELS = {"main": ["rules"], **{name: ["mock/" + name] for name in SCRIPT},
          "fails-over": ["mock/breaks", "mock/mends"], "fails-late": ["mock/breaks-late", "mock/mends"]}


def setUpModule():
    """One company for all: its records take their time."""
    stack = Streams.stack = Stack(models=MODELS, workers=2, jobs=1, start=False)
    stack.use_script(SCRIPT)
    stack.write_config(MODELS)
    stack.start()
    unittest.addModuleCleanup(stack.stop)
    stack.wait_for_feeds()


class Streams(unittest.TestCase):
    stack = None

    def ask(self, question, model, unix=False, headers=None, bearer="", **more):
        reply = self.stack.post("/v1/assistant/chat/stream", {"query": question, "model": model, **more}, unix=unix,
                                headers=headers, bearer=bearer)
        self.assertEqual(200, reply.status, reply.body)
        return events(reply.body)

    def names(self, found):
        names = [e["event"] for e in found if e["event"] not in ("step", "usage")]
        return [n for i, n in enumerate(names) if n != "message" or i == 0 or names[i - 1] != "message"]

    def text(self, found):
        """What a reader has on the screen: messages, and what a restart takes back."""
        shown = ""
        for e in found:
            if e["event"] == "message":
                shown += e["data"]["content"]
            if e["event"] == "restart":
                shown = shown[:e["data"]["keep"]]
        return shown

    def replay(self, run, last=None, bearer=""):
        headers = {"Last-Event-ID": last} if last else {}
        return self.stack.get(f"/v1/runs/{run}/events", headers=headers, bearer=bearer)


class Order(Streams):
    def test_an_answer_over_both_doors(self):
        for unix in (False, True):
            with self.subTest(unix=unix):
                found = self.ask("What is the total of invoice 536365?", "answer", unix=unix)
                self.assertEqual(["start", "message", "citation", "message", "done"], self.names(found))
                start = found[0]["data"]
                self.assertEqual({"run", "session", "arm", "model", "policy", "locale"}, set(start))
                self.assertEqual(("model", "mock/answer", "en-GB"), (start["arm"], start["model"], start["locale"]))
                self.assertTrue(start["session"].startswith("ses_"))
                steps = [(e["data"]["step"], e["data"]["state"]) for e in found if e["event"] == "step"]
                self.assertEqual([("retrieve", "started"), ("retrieve", "done"), ("plan", "started"), ("answer", "started"),
                                  ("answer", "done"), ("plan", "done")], steps)
                self.assertTrue(all("id" not in e for e in found if e["event"] == "step"))
                run = start["run"]
                for e in found:
                    if e["event"] not in ("step",):
                        self.assertRegex(e["id"], "^" + run + (r"-\d+\.\d+$" if e["event"] in ("message", "citation") else r"-\d+$"))
                usage = [e for e in found if e["event"] == "usage"]
                self.assertEqual(1, len(usage))
                self.assertIn("input_tokens", usage[0]["data"])
                cite = next(e["data"] for e in found if e["event"] == "citation")
                self.assertEqual(("invoice", "536365", 1, "record"), (cite["type"], cite["title"].split()[-1], cite["n"], cite["via"]))
                done = found[-1]["data"]
                self.assertEqual({"status": "complete", "content": self.text(found), "citations": [1]}, done)

    def test_a_tool_call(self):
        found = self.ask("How much is it?", "tool")
        self.assertEqual(["start", "message", "tool_call", "tool_result", "message", "citation", "message", "done"], self.names(found))
        call = next(e["data"] for e in found if e["event"] == "tool_call")
        self.assertEqual(("c1", "get_invoice", "read", {"number": "536365"}),
                         (call["call"], call["tool"], call["effect"], call["arguments"]))
        result = next(e["data"] for e in found if e["event"] == "tool_result")
        self.assertEqual(("c1", "done", "139.12"), (result["call"], result["status"], result["result"]["total"]))
        self.assertEqual(self.text(found), found[-1]["data"]["content"])

    def test_an_approval_ends_waiting_and_its_decision_goes_on(self):
        found = self.ask(INVOICE, "main")
        self.assertEqual(["start", "tool_call", "tool_result", "approval", "done"], self.names(found))
        self.assertEqual("waiting", next(e["data"]["status"] for e in found if e["event"] == "tool_result"))
        approval = next(e["data"] for e in found if e["event"] == "approval")
        done = found[-1]["data"]
        self.assertEqual(("waiting", [approval["id"]]), (done["status"], done["approvals"]))
        self.assertIn("your approval", done["content"])
        rest = events(self.stack.decide(approval["id"], stream=True).body)
        self.assertEqual("complete", rest[-1]["data"]["status"])
        # The ids go on where the first part ended.
        row = lambda e: int(re.search(r"-(\d+)", e["id"][4:]).group(1))
        self.assertLess(row(found[-1]), min(row(e) for e in rest if "id" in e))

    def test_a_long_title_is_cut_between_characters(self):
        for n in range(3):
            with self.subTest(n):
                found = self.ask("Bill them", f"wide{n}")
                self.assertEqual("waiting", found[-1]["data"].get("status"), found[-1])
                title = next(e["data"] for e in found if e["event"] == "approval")["title"]
                self.assertTrue(title.endswith("漢"), title)
                self.assertLessEqual(len(title.encode()), 400)

    def test_what_was_approved_and_then_cancelled_is_not_told_as_approved(self):
        before = self.stack.erp.counts("demo")["invoices"]
        found = self.ask("Two invoices", "two-asks")
        run, (first, second) = found[0]["data"]["run"], found[-1]["data"]["approvals"]
        self.assertEqual("approved", self.stack.decide(first).data["state"])
        self.assertEqual(202, self.stack.post(f"/v1/runs/{run}/cancel", None).status)
        until("the end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "cancelled")
        for approval in (first, second):
            self.assertEqual("expired", self.stack.get("/v1/approvals/" + approval).data["state"])
            self.assertEqual(410, self.stack.decide(approval).status)
        self.assertEqual(before, self.stack.erp.counts("demo")["invoices"])

    def test_an_error_is_the_body_that_http_has(self):
        found = self.ask("hello", "breaks")
        self.assertEqual("error", found[-1]["event"])
        error = found[-1]["data"]
        self.assertEqual({"type", "title", "status", "detail", "error", "retryable"}, set(error) - {"request_id"})
        self.assertEqual("provider_failed", error["error"]["code"])
        self.assertEqual(1, sum(e["event"] in ("done", "error") for e in found))

    def test_the_first_event_does_not_wait_for_the_model(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        before = json.loads(self.mock("/_stats"))["requests"]
        connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "hello", "model": "slow"}),
                           {"Authorization": "Bearer " + token()})
        reply = connection.getresponse()
        first = reply.readline()
        while first.strip() and not first.startswith(b"event:"):
            first = reply.readline()
        self.assertEqual(b"event: start\n", first)
        self.assertEqual(b"", b"" if json.loads(self.mock("/_stats"))["requests"] - before in (0, 1) else b"?")
        rest = reply.read()
        self.assertIn(b"Late, but here.", rest)
        connection.close()

    def mock(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.mock_port, timeout=30)
        connection.request("GET", path)
        try:
            return connection.getresponse().read()
        finally:
            connection.close()

    def test_tools_false_calls_none(self):
        found = self.ask("How much is it?", "tool", tools=False)
        result = next(e["data"] for e in found if e["event"] == "tool_result")
        self.assertEqual("denied", result["status"])
        found = self.ask("What is the total of invoice 536365?", "main", tools=False)
        self.assertNotIn("tool_call", self.names(found))

    def test_a_locale_of_the_question_is_its_language(self):
        found = self.ask("Wie hoch ist die Rechnung?", "history", locale="de-DE", time_zone="Europe/Berlin")
        self.assertEqual("de-DE", found[0]["data"]["locale"])
        self.assertIn("Du bist", self.text(found))


class Restart(Streams):
    def test_a_model_that_breaks_is_followed_by_the_next(self):
        found = self.ask("hello", "fails-over")
        self.assertEqual(["start", "message", "restart", "message", "done"], self.names(found))
        restart = next(e["data"] for e in found if e["event"] == "restart")
        self.assertEqual(("provider_failed", "mock/breaks", "mock/mends", 0),
                         (restart["reason"], restart["from"], restart["to"], restart["keep"]))
        self.assertEqual("The second model says it whole.", self.text(found))
        self.assertEqual(self.text(found), found[-1]["data"]["content"])

    def test_what_was_said_before_the_tool_ran_is_kept_and_the_tool_runs_once(self):
        before = self.stack.metric('cogent_tool_calls_total{tool="get_invoice",status="done"}')
        found = self.ask("How much?", "fails-late")
        restart = next(e["data"] for e in found if e["event"] == "restart")
        self.assertEqual(len("I look. "), restart["keep"])
        self.assertEqual("I look. \n\nThe second model says it whole.", self.text(found))
        self.assertEqual(before + 1, self.stack.metric('cogent_tool_calls_total{tool="get_invoice",status="done"}'))

    def test_the_whole_answer_is_the_last_one(self):
        answer = self.stack.ask("hello", model="fails-over")
        self.assertEqual("The second model says it whole.", answer["content"])

    def test_an_openai_client_gets_an_error_and_done(self):
        reply = self.stack.post("/v1/chat/completions", {"model": "fails-over", "stream": True,
                                                         "messages": [{"role": "user", "content": "hello"}]})
        frames = [f for f in reply.body.decode().split("\n\n") if f]
        self.assertEqual("data: [DONE]", frames[-1])
        self.assertEqual("provider_failed", json.loads(frames[-2][6:])["error"]["code"])
        self.assertNotIn("second model", reply.body.decode())
        self.assertNotIn("event:", reply.body.decode())

    def test_a_reader_who_comes_back_in_the_void_text_is_told(self):
        found = self.ask("hello", "fails-over")
        run = found[0]["data"]["run"]
        void = next(e["id"] for e in found if e["event"] == "message")
        again = events(self.replay(run, void).body)
        self.assertEqual(["restart", "message", "done"], self.names(again))


class Sessions(Streams):
    def test_and_in_april(self):
        first = self.ask("What were sales in March?", "mends")
        session = first[0]["data"]["session"]
        second = self.ask("and in April?", "history", session=session)
        self.assertEqual(session, second[0]["data"]["session"])
        told = json.loads(self.text(second))
        said = [(m["role"], m["content"]) for m in told if m["role"] != "system" and "<record" not in m["content"]]
        self.assertEqual(("user", "What were sales in March?"), said[0])
        self.assertEqual("assistant", said[1][0])
        self.assertEqual(("user", "and in April?"), said[-1])

    def test_ten_turns_are_remembered_and_no_more(self):
        session = None
        for n in range(12):
            found = self.ask(f"question {n}", "mends", **({"session": session} if session else {}))
            session = found[0]["data"]["session"]
        told = json.loads(self.text(self.ask("last", "history", session=session)))
        asked = [m["content"] for m in told if m["role"] == "user" and m["content"].startswith("question")]
        self.assertEqual([f"question {n}" for n in range(2, 12)], asked)
        shown = self.stack.get("/v1/sessions/" + session).data
        self.assertEqual(26, len(shown["messages"]))
        self.assertEqual("question 0", shown["title"])
        self.assertEqual({"role", "content", "citations", "run", "at"}, set(shown["messages"][0]))

    def test_a_history_of_the_callers_is_used_and_nothing_is_kept(self):
        before = len(self.stack.get("/v1/sessions?limit=200").data)
        found = self.ask("and in April?", "history", history=[{"role": "user", "content": "Sales in May?"},
                                                              {"role": "assistant", "content": "Many."}])
        self.assertIsNone(found[0]["data"]["session"])
        self.assertIn("Sales in May?", self.text(found))
        self.assertEqual(before, len(self.stack.get("/v1/sessions?limit=200").data))

    def test_sessions_are_their_users_alone(self):
        session = self.ask("hello", "mends")[0]["data"]["session"]
        other = token(sub="bea")
        for call in (lambda: self.stack.get("/v1/sessions/" + session, bearer=other),
                     lambda: self.stack.call("PATCH", "/v1/sessions/" + session, {"title": "x"}, bearer=other),
                     lambda: self.stack.call("DELETE", "/v1/sessions/" + session, bearer=other),
                     lambda: self.stack.post("/v1/assistant/chat", {"query": "hi", "session": session}, bearer=other)):
            reply = call()
            self.assertEqual((404, "session_unknown"), (reply.status, reply.json["error"]["code"]))
        self.assertEqual("hello", self.stack.get("/v1/sessions/" + session).data["title"])

    def test_listed_renamed_deleted(self):
        bearer = token(sub="cyd")
        ids = [self.ask(f"q{n}", "mends", bearer=bearer)[0]["data"]["session"] for n in range(3)]
        page = self.stack.get("/v1/sessions?limit=2", bearer=bearer).json
        self.assertEqual([ids[2], ids[1]], [s["session"] for s in page["data"]])
        self.assertEqual([ids[0]], [s["session"] for s in self.stack.get("/v1/sessions?limit=2&after=" + page["next"], bearer=bearer).data])
        self.assertEqual([1, 1], [s["turns"] for s in page["data"]])
        renamed = self.stack.call("PATCH", "/v1/sessions/" + ids[0], {"title": "Stock"}, bearer=bearer)
        self.assertEqual("Stock", renamed.data["title"])
        run = self.stack.get("/v1/sessions/" + ids[0], bearer=bearer).data["messages"][0]["run"]
        self.assertEqual(200, self.stack.get("/v1/runs/" + run, bearer=bearer).status)
        self.assertEqual(204, self.stack.call("DELETE", "/v1/sessions/" + ids[0], bearer=bearer).status)
        self.assertEqual(404, self.stack.get("/v1/sessions/" + ids[0], bearer=bearer).status)
        self.assertEqual(404, self.stack.get("/v1/runs/" + run, bearer=bearer).status)
        self.assertEqual(404, self.stack.call("DELETE", "/v1/sessions/" + ids[0], bearer=bearer).status)

    def test_a_lost_right_takes_the_words_along(self):
        bearer = lambda *p: token(sub="dan", permissions=list(p))
        session = self.ask("What is the total of invoice 536365?", "main", bearer=bearer("finance.read"))[0]["data"]["session"]
        self.assertIn("139.12", json.dumps(self.stack.get("/v1/sessions/" + session, bearer=bearer("finance.read")).data))
        shown = json.dumps(self.stack.get("/v1/sessions/" + session, bearer=bearer("stock.read")).data)
        self.assertNotIn("139.12", shown)
        self.assertIn("no longer read", shown)
        told = self.text(self.ask("and?", "history", session=session, bearer=bearer("stock.read")))
        self.assertNotIn("139.12", told)

    def test_a_lost_right_takes_along_what_was_said_after_it(self):
        """An answer rests on what the model was told before it, too."""
        bearer = lambda *p: token(sub="ida", permissions=list(p))
        session = self.ask("What is the total of invoice 536365?", "main", bearer=bearer("finance.read"))[0]["data"]["session"]
        found = self.ask("zzz", "history", session=session, bearer=bearer("finance.read"))
        run, last = found[0]["data"]["run"], found[-1]["id"]
        self.assertIn("139.12", self.text(found))
        self.assertEqual([0], [e["data"]["records"] for e in found if e["event"] == "step" and "records" in e["data"]])
        less = bearer("stock.read")
        shown = [self.stack.get("/v1/sessions/" + session, bearer=less), self.stack.get("/v1/runs/" + run, bearer=less),
                 self.replay(run, bearer=less)]
        for reply in shown:
            self.assertEqual(200, reply.status)
            self.assertNotIn(b"139.12", reply.body)
        self.assertNotIn("139.12", self.text(self.ask("and?", "history", session=session, bearer=less)))
        # With the right it is all there again.
        for reply in (self.stack.get("/v1/runs/" + run, bearer=bearer("finance.read")), self.replay(run, bearer=bearer("finance.read"))):
            self.assertIn(b"139.12", reply.body)

    def test_a_right_that_was_lost_while_it_waited_is_cited_no_more(self):
        for permissions, cited in ((["finance.read", "finance.create"], 1), (["finance.create"], 0)):
            bearer = token(sub="jon", permissions=["finance.read", "finance.create"])
            found = self.ask("Like invoice 536365, for customer 17850", "cites-late", bearer=bearer)
            self.assertEqual("waiting", found[-1]["data"]["status"])
            later = token(sub="jon", permissions=permissions)
            rest = events(self.stack.decide(found[-1]["data"]["approvals"][0], bearer=later, stream=True).body)
            self.assertEqual("complete", rest[-1]["data"]["status"])
            self.assertEqual(cited, [e["event"] for e in rest].count("citation"))
            self.assertEqual(cited, len(rest[-1]["data"]["citations"]))

    def test_the_record_on_the_screen(self):
        found = self.ask("What is still open on this one?", "history", context={"type": "invoice", "id": "536365"})
        told = json.loads(self.text(found))
        screens = [m["content"] for m in told if "<screen>" in m["content"]]
        self.assertEqual(1, len(screens))
        self.assertIn("536365", screens[0])
        records = [m["content"] for m in told if "<record" in m["content"]]
        self.assertIn('"type":"invoice","id":"', records[0])
        self.assertIn("536365", records[0])
        # What the asker may not read is not shown because it stands on a screen.
        blind = self.ask("What is on this one?", "history", context={"type": "invoice", "id": "536365"},
                         bearer=token(sub="eve", permissions=["inventory.read"]))
        self.assertNotIn("139.12", self.text(blind))


class Resume(Streams):
    def other_worker(self, run, last):
        """Asks until a worker that did not hold the run has answered: both have after some tries."""
        return [self.replay(run, last) for _ in range(6)]

    def test_every_place_where_a_reader_may_have_left(self):
        found = self.ask("How much is it?", "two-turns")
        run, whole = found[0]["data"]["run"], self.text(found)
        ids = [e for e in found if "id" in e]
        for i, e in enumerate(ids):
            if e["event"] == "done":
                continue
            with self.subTest(e["id"]):
                reply = self.replay(run, e["id"])
                self.assertEqual(200, reply.status)
                rest = events(reply.body)
                self.assertEqual(whole, self.text(ids[:i + 1]) + self.text(rest), e["id"])
                self.assertEqual("done", rest[-1]["event"])
        self.assertEqual(204, self.replay(run, ids[-1]["id"]).status)
        self.assertEqual(404, self.replay(run, ids[0]["id"], bearer=token(sub="bea")).status)

    def test_a_detached_run_goes_on_and_is_followed_to_its_end(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        connection.request("POST", "/v1/assistant/chat/stream",
                           json.dumps({"query": "How much?", "model": "two-turns", "detach": True}),
                           {"Authorization": "Bearer " + token()})
        reply = connection.getresponse()
        run = reply.headers["X-Run-Id"]
        head = reply.read(400)
        connection.close()
        # Readers on both workers, from the start and from the middle, while it is running and after.
        readers, texts = [], []
        def read():
            texts.append(self.text(events(self.replay(run).body)))
        for _ in range(4):
            readers.append(threading.Thread(target=read))
            readers[-1].start()
        for t in readers:
            t.join()
        whole = self.stack.get("/v1/runs/" + run).data["rows"][-1]["body"]["content"]
        self.assertIn("139.12", whole)
        self.assertEqual({whole}, set(texts))
        self.assertTrue(head)

    def test_who_waits_for_a_decision_is_told_the_rest(self):
        found = self.ask(INVOICE, "main")
        run, approval = found[0]["data"]["run"], found[-1]["data"]["approvals"][0]
        self.assertEqual("waiting", events(self.replay(run).body)[-1]["data"]["status"])
        got = []
        reader = threading.Thread(target=lambda: got.extend(events(self.replay(run, found[-1]["id"]).body)))
        reader.start()
        self.assertEqual(200, self.stack.decide(approval).status)
        reader.join()
        self.assertEqual("complete", got[-1]["data"]["status"])
        self.assertIn("tool_result", [e["event"] for e in got])

    def test_ids_that_were_never_given(self):
        run = self.ask("hello", "wide")[0]["data"]["run"]
        whole = events(self.replay(run).body)
        text = next(e for e in whole if e["event"] == "message")
        row = text["id"].rsplit("-", 1)[1].split(".")[0]
        # In the middle of a character: it comes again, whole.
        for byte, rest in ((2, "öße"), (3, "öße"), (4, "ße"), (999, "")):
            self.assertEqual(rest, self.text(events(self.replay(run, f"{run}-{row}.{byte}").body)), byte)
        last = whole[-1]["id"]
        for id in ("", "x", run, run + "-", run + "-x", "run_0-1", f"{run}-{row}.-1x", run + "--5", last[:-1] + "-1"):
            with self.subTest(id):
                reply = self.replay(run, id)
                self.assertEqual((200, "done"), (reply.status, events(reply.body)[-1]["event"]))
        for id in (run + "-99999", run + "-99999999999999999999999.99999999999999999999"):
            self.assertEqual(["done"], [e["event"] for e in events(self.replay(run, id).body)])

    def test_a_reader_who_is_ahead_is_told_how_it_ended(self):
        run = self.detached("late")
        got = events(self.replay(run, run + "-999999.5").body)
        self.assertEqual(["complete"], [e["data"]["status"] for e in got])

    def detached(self, model):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "hello", "model": model, "detach": True}),
                           {"Authorization": "Bearer " + token()})
        run = connection.getresponse().headers["X-Run-Id"]
        connection.close()
        return run

    def test_a_conversation_is_deleted_while_its_run_is_followed(self):
        for _ in range(2):
            run = self.detached("late")
            session = self.stack.get("/v1/runs/" + run).data["session"]
            with socket.create_connection(("127.0.0.1", self.stack.port), 30) as s:
                s.sendall(f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token()}\r\n\r\n".encode())
                until("the end", lambda: self.stack.get("/v1/runs/" + run).data["status"] == "complete")
                self.assertEqual(204, self.stack.call("DELETE", "/v1/sessions/" + session).status)
                got = b"".join(iter(lambda: s.recv(65536), b""))
            self.assertEqual(1, got.count(b"HTTP/1.1 "), got)
            self.assertEqual(1, len(re.findall(rb"event: (?:done|error)\r?\n", got)), got)
            self.assertTrue(got.endswith(b"0\r\n\r\n"), got)

    def test_cancelled_from_any_worker(self):
        for _ in range(4):
            connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
            connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go", "model": "stall"}),
                               {"Authorization": "Bearer " + token()})
            reply = connection.getresponse()
            run = reply.headers["X-Run-Id"]
            reply.read(300)
            until("the run to be known", lambda: self.stack.get("/v1/runs/" + run).status == 200)
            self.assertEqual(202, self.stack.post(f"/v1/runs/{run}/cancel", None).status)
            self.assertIn(b'"status":"cancelled"', reply.read())
            connection.close()


class Keys(Streams):
    def test_asked_once(self):
        key = {"Idempotency-Key": "q-1"}
        first = self.ask(INVOICE, "main", headers=key)
        again = self.ask(INVOICE, "main", headers=key)
        self.assertEqual(first[0]["data"]["run"], again[0]["data"]["run"])
        self.assertEqual([e for e in first if e["event"] != "step"], [e for e in again if e["event"] != "step"])
        before = self.stack.erp.counts("demo")["invoices"]
        self.stack.decide(first[-1]["data"]["approvals"][0])
        until("the end", lambda: self.stack.get("/v1/runs/" + first[0]["data"]["run"]).data["status"] == "complete")
        self.assertEqual("complete", self.ask(INVOICE, "main", headers=key)[-1]["data"]["status"])
        self.assertEqual(before + 1, self.stack.erp.counts("demo")["invoices"])

    def test_many_at_once_are_one_run(self):
        replies = []
        def ask(n):
            path = "/v1/assistant/chat" if n % 2 else "/v1/assistant/chat/stream"
            replies.append(self.stack.post("/v1/assistant/chat", {"query": "How much?", "model": "tool"},
                                           headers={"Idempotency-Key": "q-2"}))
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual({200}, {r.status for r in replies})
        self.assertEqual(1, len({r.data["run"] for r in replies}))
        self.assertEqual(1, len({r.data["content"] for r in replies}))

    def test_another_request_under_the_key_is_refused(self):
        key = {"Idempotency-Key": "q-3"}
        self.ask("hello", "mends", headers=key)
        reply = self.stack.post("/v1/assistant/chat/stream", {"query": "hello!", "model": "mends"}, headers=key)
        self.assertEqual((422, "idempotency_mismatch"), (reply.status, reply.json["error"]["code"]))
        # Another user's key is another key.
        self.assertEqual("complete", self.ask("hello!", "mends", headers=key, bearer=token(sub="bea"))[-1]["data"]["status"])

    def test_a_client_that_was_cut_off_finds_its_answer(self):
        body = json.dumps({"query": "How much?", "model": "two-turns"}).encode()
        with socket.create_connection(("127.0.0.1", self.stack.port), 30) as s:
            s.sendall(b"POST /v1/assistant/chat HTTP/1.1\r\nHost: x\r\nIdempotency-Key: q-4\r\nAuthorization: Bearer " +
                      token().encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            until("it to run", lambda: any(r["status"] == "running" for r in self.stack.get("/v1/runs").data))
        reply = self.stack.post("/v1/assistant/chat", body, headers={"Idempotency-Key": "q-4"})
        self.assertEqual(200, reply.status, reply.body)
        self.assertIn("139.12", reply.data["content"])

    def test_openai_clients_too(self):
        body = {"model": "tool", "messages": [{"role": "user", "content": "How much?"}]}
        replies = [self.stack.post("/v1/chat/completions", body, headers={"Idempotency-Key": "q-5"}).json for _ in range(2)]
        self.assertEqual(replies[0]["id"], replies[1]["id"])
        self.assertEqual(replies[0]["choices"], replies[1]["choices"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
