# SPDX-License-Identifier: Apache-2.0
"""Workers that die: others serve on, and runs that survive their client reach the same end with the same effects,
whatever journal row was the last that was written."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from stack import Stack, events, patient, token, until

INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
GOLDEN = [
    # name, question, model, needs a decision
    ("chat", "hello", "plain", False),
    ("two tools", "compare", "two-tools", False),
    ("rules", "What is the total of invoice 536365?", "main", False),
    ("approval", INVOICE, "main", True),
    ("error", "hello", "cut-before-first", False),
    ("restart", "hello", "fails-over", False),
]
MODELS = {"main": ["rules"], **{m: ["mock/" + m] for m in ("plain", "two-tools", "cut-before-first", "endless")},
          "fails-over": ["mock/cut", "mock/plain"]}


def start_detached(stack, question, model, bearer):
    """Starts a run and leaves. The worker may die before it has answered."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    try:
        connection.request("POST", "/v1/assistant/chat/stream",
                           json.dumps({"query": question, "model": model, "detach": True, "tools": True}),
                           {"Authorization": "Bearer " + bearer})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


def play(stack, question, model, decide, bearer):
    """Runs one golden run to its end; (status, content, effects, rows)."""
    before = stack.erp.counts("demo")["invoices"]
    start_detached(stack, question, model, bearer)
    listed = lambda: patient(lambda: stack.get("/v1/runs", bearer=bearer)).data
    run = until("the run to be known", listed)[0]["run"]
    show = lambda: patient(lambda: stack.get("/v1/runs/" + run, bearer=bearer)).data
    if decide:
        waiting = lambda: patient(lambda: stack.get("/v1/approvals", bearer=bearer)).data
        approval = until("the approval", waiting)[0]["id"]
        until("the run to wait", lambda: show()["status"] == "waiting")
        patient(lambda: stack.decide(approval, bearer=bearer))
    shown = until("the run to end", lambda: (lambda d: d if d["status"] not in ("running", "waiting") else None)(show()))
    end = shown["rows"][-1]["body"]
    return end["status"], end["content"], stack.erp.counts("demo")["invoices"] - before, shown["rows"]


def may_be_last(rows):
    """The rows that can be the last on disk: all but those that are written with what follows them: the dispatch of a
    read, and what is asked, which goes with the row that says the run waits."""
    effects = {r["body"]["call"]: r["body"].get("effect") for r in rows if r["kind"] == "verdict"}
    return [r["row"] + 1 for r in rows if r["kind"] != "ask" and (r["kind"] != "dispatch" or effects[r["body"]["call"]] != "read")]


class Crash(unittest.TestCase):
    def test_others_serve_on_when_a_worker_is_killed(self):
        with Stack(models=MODELS, workers=2, jobs=0) as stack:
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
            connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                               {"Authorization": "Bearer " + token()})
            reply = connection.getresponse()
            run = reply.headers["X-Run-Id"]
            reply.read(200)
            until("the run to be known", lambda: stack.get("/v1/runs/" + run).status == 200)
            workers = stack.workers()
            self.assertEqual(2, len(workers))
            # Which of the two has the run is not known: the one whose death cuts the stream.
            os.kill(workers[0], signal.SIGKILL)
            self.assertEqual(200, patient(lambda: stack.get("/v1/me")).status)
            until("the worker to be replaced", lambda: len(stack.workers()) == 2 and workers[0] not in stack.workers())
            os.kill(workers[1], signal.SIGKILL)
            with self.assertRaises((OSError, http.client.HTTPException)):
                while reply.read(65536):
                    pass
            until("both to be new", lambda: len(set(stack.workers()) - set(workers)) == 2)
            until("the server to be ready", lambda: patient(lambda: stack.get("/readyz", bearer=None)).status == 200)
            self.assertEqual("cancelled", patient(lambda: stack.get("/v1/runs/" + run)).data["status"])
            self.assertEqual([(run, "cancelled")], [(r["run"], r["status"]) for r in stack.get("/v1/runs").data])
            self.assertIn('"event":"worker.died"', stack.logged())
            self.assertEqual(0, stack.metric('cogent_runs_total{status="complete"}'))
            connection.close()

    def test_whose_answer_breaks_off_is_told_why(self):
        with Stack(models=MODELS, workers=2, jobs=0) as stack:
            environment = dict(os.environ, COGENT_URL=f"http://127.0.0.1:{stack.port}", COGENT_TOKEN=token())
            asking = subprocess.Popen([os.environ["COGENT"], "ask", "--model", "endless", "go on"], env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            until("the run to be known", lambda: stack.get("/v1/runs").data)
            shown = b""
            while b"tick" not in shown:
                shown += os.read(asking.stdout.fileno(), 4096)
            for worker in stack.workers():
                os.kill(worker, signal.SIGKILL)
            said = asking.communicate(timeout=60)[1].decode()
            self.assertEqual(1, asking.returncode)
            run = patient(lambda: stack.get("/v1/runs")).data[0]
            self.assertEqual("cancelled", run["status"])
            self.assertIn("the answer broke off: the worker that gave it was lost", said)
            self.assertIn(f"({run['run']}). Ask again", said)
            self.assertNotIn("COGENT_URL", said)
            # Who looks at it again is told its end.
            self.assertEqual("cancelled", events(stack.get(f"/v1/runs/{run['run']}/events").body)[-1]["data"]["status"])

    def test_reload_and_drain(self):
        with Stack(models=MODELS, workers=2, jobs=1) as stack:
            before = set(stack.workers())
            # A configuration that is wrong is refused, and the old workers go on.
            with open(stack.config, encoding="utf-8") as file:
                good = file.read()
            stack.write(stack.config, good.replace("workers = 2", "wrokers = 2"))
            stack.server.send_signal(signal.SIGHUP)
            until("the refusal", lambda: "reload.refused" in stack.logged())
            self.assertIn("did you mean workers?", stack.logged())
            self.assertEqual(before, set(stack.workers()))
            # A right one replaces them without a refused request.
            stack.write(stack.config, good.replace('["plain"] =', '["renamed"] ='))
            stack.server.send_signal(signal.SIGHUP)
            asked = []
            def replaced():
                asked.append(stack.get("/v1/models").status)
                return not before & set(stack.workers()) and len(stack.workers()) == 2
            until("new workers", replaced)
            self.assertEqual({200}, set(asked))
            self.assertIn("renamed", [m["id"] for m in stack.get("/v1/models").json["data"]])
            stack.stop_server(expected=0)

    def test_who_has_connected_and_not_asked_yet_is_answered(self):
        with Stack(models=MODELS, workers=2, jobs=0) as stack:
            fresh = [socket.create_connection(("127.0.0.1", stack.port), 30) for _ in range(8)]
            self.assertEqual(200, stack.get("/healthz", bearer=None).status)  # they were accepted before this
            stack.server.send_signal(signal.SIGHUP)
            until("both to drain", lambda: stack.logged().count('"worker.drains"') == 2)
            for one in fresh:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            for one in fresh:
                self.assertIn(b" 200 ", one.recv(4096)[:40])
                one.close()
            stack.stop_server(expected=0)

    def test_one_that_was_not_to_survive_stays_dead(self):
        """Its worker died when it was put down to be found again, and nothing of its effect was on disk yet."""
        with Stack(models=MODELS, workers=2, jobs=0) as stack:
            found = stack.stream(INVOICE)
            run = found[0]["data"]["run"]
            self.assertEqual("waiting", found[-1]["data"]["status"])
            stack.stop_server()
            with sqlite3.connect(os.path.join(stack.state, "cogent.db")) as db:
                db.execute("update run set status = 'running', survives = 0, rows = 1")
                db.execute("delete from run_row where row > 0")
                db.execute("delete from approval")
                db.execute("update due set at = 0, lease_until = 0, owner = ''")
            stack.start()
            def due():
                with sqlite3.connect(os.path.join(stack.state, "cogent.db")) as db:
                    return db.execute("select count(*) from due where at < 1000000").fetchone()[0]
            until("it to be looked at", lambda: due() == 0)
            until("its row to go", lambda: "run.taken_up" in stack.logged() or not self.rows_due(stack))
            self.assertEqual("cancelled", stack.get("/v1/runs/" + run).data["status"])
            self.assertNotIn("run.taken_up", stack.logged())

    def rows_due(self, stack):
        with sqlite3.connect(os.path.join(stack.state, "cogent.db")) as db:
            return db.execute("select count(*) from due where kind = 'run'").fetchone()[0]

    def test_who_was_shown_half_an_answer_is_told_that_another_begins(self):
        models = dict(MODELS, one=["mock/one"], script=["rules"])
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "script.json")
            with open(script, "w", encoding="utf-8") as file:
                json.dump({"models": {"one": [[{"text": "The first words of one model "}, {"delay_ms": 600000}]],
                                      "two": [[{"text": "Something else altogether, and more of it."}]]}}, file)
            with Stack(models=models, workers=2, jobs=0, script=script) as stack:
                connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
                connection.request("POST", "/v1/assistant/chat/stream",
                                   json.dumps({"query": "hello", "model": "one", "detach": True}),
                                   {"Authorization": "Bearer " + token()})
                reply, seen = connection.getresponse(), b""
                while b"event: message" not in seen or not seen.endswith(b"\n\n"):
                    seen += reply.read1(65536)
                run, shown, last = reply.headers["X-Run-Id"], [], None
                connection.close()
                before = events(seen)
                last = [e["id"] for e in before if "id" in e][-1]
                old = set(stack.workers())
                stack.write_config(dict(models, one=["mock/two"]), jobs=0)
                stack.server.send_signal(signal.SIGHUP)
                until("new workers", lambda: len(set(stack.workers()) - old) == 2)
                for pid in old & set(stack.workers()):
                    os.kill(pid, signal.SIGKILL)
                rest = events(patient(lambda: stack.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": last})).body)
                text = ""
                for e in before + rest:
                    if e["event"] == "message":
                        text += e["data"]["content"]
                    if e["event"] == "restart":
                        text = text[:e["data"]["keep"]]
                self.assertEqual(rest[-1]["data"]["content"], text)
                self.assertIn("altogether", text)

    def test_stopped_while_it_reloads(self):
        with Stack(models=MODELS, workers=1, jobs=0) as stack:
            for worker in stack.workers():
                os.kill(worker, signal.SIGHUP)  # a terminal that closes: the master's to hear
            stack.server.send_signal(signal.SIGHUP)
            stack.server.send_signal(signal.SIGTERM)
            self.assertEqual(0, stack.server.wait(30))
            self.assertNotIn("worker.died\",\"role\":\"serve\",\"slot\":0,\"signal\":1,", stack.logged())

    def test_every_row_may_be_the_last(self):
        wanted, last = {}, {}
        with Stack(models=MODELS, workers=2, jobs=0) as stack:
            for i, (name, question, model, decide) in enumerate(GOLDEN):
                *end, rows = play(stack, question, model, decide, token(sub=f"golden{i}"))
                wanted[name] = end
                last[name] = may_be_last(rows)
        self.assertEqual(["complete", 1], [wanted["approval"][0], wanted["approval"][2]])
        self.assertEqual("failed", wanted["error"][0])
        for row in range(1, max(map(max, last.values())) + 1):
            with Stack(models=MODELS, workers=2, jobs=0, environment={"COGENT_TEST_DIE_AFTER_ROW": str(row)}) as stack:
                for i, (name, question, model, decide) in enumerate(GOLDEN):
                    with self.subTest(name, row=row):
                        before = stack.logged().count('"event":"worker.died"')
                        *end, _ = play(stack, question, model, decide, token(sub=f"golden{i}"))
                        # The number of the new invoice counts on in one ledger.
                        self.assertEqual(wanted[name], end)
                        if row in last[name]:  # else the row shows nothing
                            until("the worker's death to be logged",
                                  lambda: stack.logged().count('"event":"worker.died"') > before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
