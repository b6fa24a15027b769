# SPDX-License-Identifier: Apache-2.0
"""What a hostile or unlucky world does: clients that leave at any moment, models that flood, rights that are taken
away, servers that die as a whole. Nothing crashes, nothing happens twice, nothing leaks."""

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from stack import Stack, token, until

INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
MODELS = {"main": ["rules"], **{m: ["mock/" + m] for m in (
    "plain", "one-tool", "two-tools", "cut", "cut-before-first", "endless", "stall", "slow", "many-calls", "torrent", "flood")}}
BIG = 65536


def script_with(folder_of, **models):
    """The harness's script and some models more, in a file of its own."""
    with open(os.path.join(os.path.dirname(folder_of), "..", "harness", "openai_script.json"), encoding="utf-8") as file:
        script = json.load(file)
    script["models"].update(models)
    path = os.path.join("/tmp", f"cogent-script-{os.getpid()}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(script, file)
    return path


HOSTILE = script_with(os.path.abspath(__file__), **{
    "many-calls": [[{"calls": [{"id": f"call_{i}", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}
                               for i in range(64)]}]],
    "torrent": [[{"text": ("x" * 96 + "[1] ") * 60000, "piece": 100, "every_ms": 0}]],
    "flood": [[{"text": ("x" * 96 + "[1] ") * 655, "piece": BIG, "every_ms": 0, "forever": True}]],
})


def tearDownModule():
    os.unlink(HOSTILE)


def open_stream(stack, body, bearer, path="/v1/assistant/chat/stream", headers=None):
    sock = socket.create_connection(("127.0.0.1", stack.port))
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {len(data)}\r\n"
    for name, value in (headers or {}).items():
        head += f"{name}: {value}\r\n"
    sock.sendall(head.encode() + b"\r\n" + data)
    return sock


def approval_of(stack, bearer, question=INVOICE, **more):
    done = stack.stream(question, bearer=bearer, **more)[-1]["data"]
    assert done["status"] == "waiting", done
    return done["approvals"][0]


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(models=MODELS, script=HOSTILE, jobs=0)

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def died(self):
        return self.stack.logged().count('"event":"worker.died"')

    def test_a_client_that_does_not_read_ends_its_run_only(self):
        for model in ("torrent", "flood"):
            ended = self.stack.metric('cogent_runs_total{status="cancelled"}')
            sock = open_stream(self.stack, {"query": "go", "model": model}, token())
            until("the run to be cancelled", lambda: self.stack.metric('cogent_runs_total{status="cancelled"}') > ended)
            sock.close()
            self.assertEqual(0, self.died())

    def test_a_model_that_proposes_hundreds_of_calls(self):
        found = self.stack.stream("compare", model="many-calls")
        self.assertEqual("done", found[-1]["event"])
        self.assertEqual(0, self.died())
        run = found[0]["data"]["run"]
        self.assertIn(self.stack.get("/v1/runs/" + run).data["status"], ("complete", "limited"))

    def test_a_right_taken_away_before_the_decision_counts(self):
        before = self.stack.erp.counts("demo")["invoices"]
        approval = approval_of(self.stack, token(sub="dora"))
        poor = token(sub="dora", permissions=["finance.read", "sales.read"])
        self.assertEqual(200, self.stack.decide(approval, bearer=poor).status)
        ended = lambda: [r for r in self.stack.get("/v1/runs", bearer=poor).data if r["status"] not in ("running", "waiting")]
        until("the run to end", ended)
        self.assertEqual(before, self.stack.erp.counts("demo")["invoices"])
        # It was not the ERP that said no: nothing was sent.
        run = ended()[0]["run"]
        rows = self.stack.get("/v1/runs/" + run, bearer=poor).data["rows"]
        self.assertNotIn("dispatch", [row["kind"] for row in rows])
        self.assertIn("no longer has the right", json.dumps(rows))
        self.assertEqual("failed", self.stack.get("/v1/approvals/" + approval, bearer=poor).data["state"])


class Whole(unittest.TestCase):
    def test_a_run_outlives_the_whole_server(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0, workers=2) as stack:
            bearer = token(sub="nora")
            runs = []
            for _ in range(6):
                sock = open_stream(stack, {"query": "go", "model": "slow", "detach": True}, bearer)
                sock.recv(100)
                sock.close()
            listed = lambda: stack.get("/v1/runs", bearer=bearer).data
            until("the runs to be written", lambda: len(listed()) == 6)
            pids = stack.workers() + [stack.server.pid]
            for pid in pids[::-1]:
                os.kill(pid, signal.SIGKILL)
            stack.server.wait()
            stack.start()
            until("every run to end", lambda: {r["status"] for r in listed()} == {"complete"})

    def test_a_stream_that_a_stop_ends_is_told_so(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0) as stack:
            found = []
            client = threading.Thread(target=lambda: found.extend(stack.stream("go", model="endless")))
            client.start()
            until("the run to be known", lambda: stack.get("/v1/runs").data)
            stack.server.send_signal(signal.SIGTERM)
            self.assertEqual(0, stack.server.wait(60))
            client.join()
            self.assertEqual(("done", "cancelled"), (found[-1]["event"], found[-1]["data"]["status"]))

    def test_one_state_folder_one_server(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0) as stack:
            other = subprocess.run([os.environ["COGENTD"], "-c", stack.config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   timeout=60, text=True)
            self.assertEqual(1, other.returncode, other.stdout)
            self.assertIn(stack.state, other.stdout)
            self.assertIn(str(stack.server.pid), other.stdout)
            # The first one's socket is still its own.
            self.assertEqual(200, stack.get("/readyz", bearer=None, unix=True).status)

    def test_an_approval_that_nobody_decides_ends_its_run(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0, config='limits = { approval = "2s" },') as stack:
            bearer = token(sub="emil")
            approval = approval_of(stack, bearer)
            run = stack.get("/v1/runs", bearer=bearer).data[0]["run"]
            base = sqlite3.connect(os.path.join(stack.state, "cogent.db"))
            row = lambda: base.execute("select status, sealed from run where run_id = ?", (run,)).fetchone()
            self.assertEqual("waiting", row()[0])
            self.assertIsNotNone(row()[1])
            until("the run to end", lambda: row()[0] not in ("waiting", "running"))
            self.assertIsNone(row()[1], "the credential is still there")
            self.assertEqual(410, stack.decide(approval, bearer=bearer).status)
            self.assertEqual("expired", stack.get("/v1/approvals/" + approval, bearer=bearer).data["state"])
            base.close()

    def test_what_was_approved_is_what_runs(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0) as stack:
            bearer = token(sub="fred")
            before = stack.erp.counts("demo")["invoices"]
            approval_of(stack, bearer)
            run = stack.get("/v1/runs", bearer=bearer).data[0]["run"]
            # As if the worker had died after the decision, and somebody had been at the journal since.
            base = sqlite3.connect(os.path.join(stack.state, "cogent.db"), timeout=10)
            n, tenant = base.execute("select count(*), max(tenant_id) from run_row where run_id = ?", (run,)).fetchone()
            verdict = base.execute("select row, body from run_row where run_id = ? and kind = 'verdict'", (run,)).fetchone()
            base.execute("update run_row set body = ? where run_id = ? and row = ?",
                         (verdict[1].replace('"17850"', '"14911"'), run, verdict[0]))
            base.execute("insert into run_row(tenant_id, run_id, row, at, kind, body) values (?, ?, ?, 1, 'decision', ?)",
                         (tenant, run, n, json.dumps({"call": "c1", "decision": "approve"})))
            base.execute("update approval set state = 'approved', decided_by = 'fred', decision = 'approve' where run_id = ?", (run,))
            base.execute("update run set status = 'running', survives = 1, owner = ? where run_id = ?", (socket.gethostname() + "/0/1", run))
            base.execute("update due set at = 1, lease_until = 0")
            base.commit()
            status = lambda: base.execute("select status from run where run_id = ?", (run,)).fetchone()[0]
            until("the run to end", lambda: status() not in ("waiting", "running"))
            self.assertEqual("failed", status())
            self.assertEqual(before, stack.erp.counts("demo")["invoices"])
            self.assertIn('"event":"approval.forged"', stack.logged())
            base.close()

    def test_old_approvals_do_not_hide_new_ones(self):
        with Stack(models=MODELS, script=HOSTILE, jobs=0) as stack:
            bearer = token(sub="olga")
            approval_of(stack, bearer)
            base = sqlite3.connect(os.path.join(stack.state, "cogent.db"), timeout=10)
            tenant, body = base.execute("select tenant_id, body from approval").fetchone()
            for i in range(300):
                base.execute("insert into approval(tenant_id, approval_id, run_id, user_id, call, state, body, mac, created, expires) "
                             "values (?, ?, 'run_x', 'olga', 'c1', 'waiting', ?, '', 1, 2)", (tenant, f"ap_{i}", body))
            base.commit()
            base.close()
            self.assertEqual(1, len(stack.get("/v1/approvals", bearer=bearer).data))


class Wrong(unittest.TestCase):
    """A server that is started wrong says what is wrong, and does not start."""

    def test_each_says_what(self):
        rows = [
            ('listen = "127.0.0.1:0",', "listen must be a list"),
            ('tools = "tools.lua",', "tools must be a list"),
            ('listen = { }, tools = { }, limits = { steps = -1 },', "limits: steps must be 1 or more"),
            ('limits = { runs = 0 },', "limits: runs must be 1 or more"),
            ('limits = { approval = "soon" },', "limits: approval must be a duration"),
            ('http = { head = "soon" },', "http: head must be a duration"),
            ('http = { write = "2d" },', "of at most a day"),
            ('http = { connections = 0 },', "http: connections must be 1 to"),
            ('http = { peer_connections = -1 },', "http: peer_connections must be 0 to"),
            ('http = { trusted_proxies = "10.0.0.0/8" },', "http: trusted_proxies must be a list"),
            ('http = { trusted_proxies = { "10.0.0.1/8" } },', 'http: trusted_proxies: "10.0.0.1/8" is neither an address nor a network'),
            ('http = { trusted_proxies = { 10 } },', "is neither an address nor a network"),
            ('listen = { "127.0.0.1:99999" },', 'listen: "127.0.0.1:99999": a port is a number up to 65535'),
            ('listen = { "127.0.0.1:http" },', "write unix:PATH or ADDRESS:PORT"),
        ]
        with Stack(start=False, feeds=False) as stack:
            for extra, words in rows:
                with self.subTest(extra):
                    stack.write_config(extra=extra)
                    done = subprocess.run([os.environ["COGENTD"], "-c", stack.config], stdout=subprocess.PIPE,
                                          stderr=subprocess.STDOUT, timeout=60, text=True)
                    self.assertEqual(1, done.returncode, done.stdout)
                    self.assertIn(words, done.stdout)


class Storm(unittest.TestCase):
    """Runs of every golden kind at once; clients leave, cancel, decide twice; workers die; then SIGTERM in the middle."""

    def client(self, stack, seed, until_us, writes):
        luck = random.Random(seed)
        sub = f"user{seed}"
        bearer = token(sub=sub)
        while time.monotonic() < until_us:
            model, query = luck.choice([("main", INVOICE), ("main", INVOICE), ("main", "What is the total of invoice 536365?"),
                                        ("plain", "hello"), ("two-tools", "compare"), ("one-tool", "x"), ("endless", "go"),
                                        ("stall", "go"), ("slow", "go"), ("cut", "go"), ("cut-before-first", "go"),
                                        ("torrent", "go")])
            body = {"query": query, "model": model, "detach": luck.random() < 0.2}
            try:
                sock = open_stream(stack, body, bearer)
                sock.settimeout(luck.choice([0.001, 0.01, 0.05, 0.2, 1.0]))
                text = b""
                try:
                    while len(text) < 300000:
                        part = sock.recv(65536)
                        if not part:
                            break
                        text += part
                        if luck.random() < 0.05:
                            break
                except (socket.timeout, OSError):
                    pass
                if luck.random() < 0.3:
                    at = text.find(b'"run":"run_')
                    if at >= 0:
                        run = text[at + 7:].split(b'"')[0].decode()
                        stack.post(f"/v1/runs/{run}/cancel", {}, bearer=bearer, timeout=10)
                sock.close()
                for approval in stack.get("/v1/approvals", bearer=bearer, timeout=10).data:
                    choice = luck.random()
                    if choice < 0.5:
                        writes.add(approval["id"])
                        again = [threading.Thread(target=self.decide, args=(stack, approval["id"], bearer, luck.random())) for _ in range(2)]
                        if luck.random() < 0.4:
                            again.append(threading.Thread(target=self.cancel, args=(stack, approval["run"], bearer)))
                        for thread in again:
                            thread.start()
                        for thread in again:
                            thread.join()
                    elif choice < 0.7:
                        stack.decide(approval["id"], "deny", bearer=bearer)
                    elif choice < 0.8:
                        stack.post(f"/v1/runs/{approval['run']}/cancel", {}, bearer=bearer, timeout=10)
            except (OSError, http.client.HTTPException, KeyError, ValueError):
                time.sleep(0.01)

    def cancel(self, stack, run, bearer):
        try:
            stack.post(f"/v1/runs/{run}/cancel", {}, bearer=bearer, timeout=10)
        except (OSError, http.client.HTTPException):
            pass

    def decide(self, stack, approval, bearer, luck):
        try:
            headers = {"Accept": "text/event-stream"} if luck < 0.5 else {}
            sock = open_stream(stack, {"decision": "approve"}, bearer, "/v1/approvals/" + approval, headers)
            sock.settimeout(luck / 2)
            try:
                while sock.recv(4096) and luck > 0.2:
                    pass
            except (socket.timeout, OSError):
                pass
            sock.close()
        except OSError:
            pass

    def storm(self, seconds, kills, jobs):
        limits = 'limits = { runs = 1000, calls_per_hour = 1000000, seconds = 5 },'
        with Stack(models=MODELS, script=HOSTILE, jobs=jobs, config=limits, feeds=True) as stack:
            before = stack.erp.counts("demo")["invoices"]
            writes = set()
            end = time.monotonic() + seconds
            clients = [threading.Thread(target=self.client, args=(stack, i, end, writes)) for i in range(8)]
            for client in clients:
                client.start()
            while kills and time.monotonic() < end:
                time.sleep(1.0)
                workers = stack.workers()
                if workers:
                    os.kill(random.choice(workers), signal.SIGKILL)
            if not kills:
                time.sleep(max(0, seconds - 1))
                stack.stop_server(expected=0)
            for client in clients:
                client.join()
            if kills:
                time.sleep(3)
                stack.stop_server(expected=0)
            log = stack.logged()
            self.assertFalse("Sanitizer" in log or "runtime error" in log, log[log.find("Sanitizer"):][:4000])
            others = [line for line in stack.log_lines() if line.get("event") == "worker.died" and line["signal"] != 9]
            self.assertEqual([], others)
            # One approval, at most one invoice; what was not approved made none.
            self.assertLessEqual(stack.erp.counts("demo")["invoices"] - before, len(writes))
            base = sqlite3.connect(os.path.join(stack.state, "cogent.db"))
            calls = base.execute("select run_id, call, count(*) from effect group by 1, 2 having count(*) > 1").fetchall()
            self.assertEqual([], calls)
            base.close()

    def test_clients_leave_and_the_server_is_told_to_stop(self):
        self.storm(8, False, 1)

    def test_workers_die(self):
        self.storm(8, True, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
