# SPDX-License-Identifier: Apache-2.0
"""Plugins that crash, hang or eat memory: each costs one worker, is counted and named, and who does it again and again is
held back for a while. Streams of other workers do not notice."""

import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from stack import Stack, patient, token, until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HOLD_MS = 4000


class Endless:
    """A stream without an end, and whose worker it is."""

    def __init__(self, stack):
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
        self.connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                                {"Authorization": "Bearer " + token()})
        self.reply = self.connection.getresponse()
        self.run = self.reply.headers["X-Run-Id"]
        self.reply.read1(200)
        until("the run to be known", lambda: self.slot_of(stack) is not None)
        self.slot = self.slot_of(stack)

    def slot_of(self, stack):
        with sqlite3.connect(os.path.join(stack.state, "cogent.db")) as db:
            found = db.execute("select owner from run where run_id = ?", (self.run,)).fetchone()
        return int(found[0].split("/")[1]) if found else None

    def goes_on(self):
        """Whether more comes, and comes again."""
        try:
            for _ in range(20):
                if not self.reply.read1(4096):
                    return False
            return True
        except (OSError, http.client.HTTPException):
            return False

    def is_cut(self):
        try:
            while self.reply.read1(65536):
                pass
            return True
        except (OSError, http.client.HTTPException):
            return True

    def close(self):
        self.connection.close()


class Workers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cogent-workers-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        with open(os.path.join(ROOT, "tests", "harness", "openai_script.json"), encoding="utf-8") as file:
            script = json.load(file)
        for name in ("crash", "hangs", "hogs"):
            folder = os.path.join(ROOT, "tests", "plugin", "" if name == "hogs" else "broken")
            subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-I", os.path.join(ROOT, "include"),
                            os.path.join(folder, name + ".c"), "-o", cls.so(name)], check=True)
            call = {"calls": [{"id": "call_a", "name": name, "arguments": "{}"}]}
            script["models"]["call-" + name] = [[{"delay_ms": 100}, call], [{"text": "It went on."}]]
        cls.script = os.path.join(cls.folder, "script.json")
        with open(cls.script, "w", encoding="utf-8") as file:
            json.dump(script, file)

    @classmethod
    def so(cls, name):
        return os.path.join(cls.folder, name + ".so")

    def stack(self, name, config="", environment=None, **more):
        erp = os.path.join(os.environ["COGENT_SHARE"], "tools", "erp.lua")
        models = {m: ["mock/" + m] for m in ("endless", "one-tool", "slow", "call-" + name)}
        stack = Stack(models={"main": ["rules"], **models}, script=self.script, jobs=0,
                      config=f"tools = {{ {json.dumps(erp)}, {json.dumps(self.so(name))} }}, {config}",
                      environment=dict(environment or {}, COGENT_TEST_HOLD_MS=str(HOLD_MS)), **more)
        stack.crashes = True
        self.addCleanup(stack.stop)
        return stack

    def events(self, stack, name):
        return [line for line in stack.log_lines() if line["event"] == name]

    def cost_one(self, stack, name):
        """Asks for the tool's call: the slot of the worker that it cost, and the run's id."""
        before = len(self.events(stack, "worker.died"))
        run = None
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
        try:
            connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go", "model": "call-" + name}),
                               {"Authorization": "Bearer " + token()})
            reply = connection.getresponse()
            run = reply.headers["X-Run-Id"]
            reply.read()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        until("the worker's death", lambda: len(self.events(stack, "worker.died")) > before)
        until("another in its place", lambda: len(stack.workers()) == 2)
        until("the server to be ready", lambda: patient(lambda: stack.get("/readyz", bearer=None)).status == 200)
        return self.events(stack, "worker.died")[before]["slot"], run

    def result(self, stack, name):
        found = patient(lambda: stack.stream("go", model="call-" + name))
        self.assertEqual(("complete", "It went on."), (found[-1]["data"]["status"], found[-1]["data"]["content"]))
        return next(e["data"] for e in found if e["event"] == "tool_result")

    def listed(self, stack, name):
        done = subprocess.run([os.environ["COGENT"], "plugin", "list", "--json"], stdout=subprocess.PIPE, check=True,
                              env=dict(os.environ, COGENT_CONFIG=stack.config))
        return next(row for row in json.loads(done.stdout) if row["plugin"] == name)

    def test_who_crashes_three_times_is_held_back(self):
        stack = self.stack("crash", workers=2)
        streams = [Endless(stack) for _ in range(6)]
        for _ in range(3):
            self.assertEqual(200, patient(lambda: stack.get("/readyz", bearer=None)).status)
            slot, run = self.cost_one(stack, "crash")
            for one in [s for s in streams if s.slot == slot]:
                self.assertTrue(one.is_cut())
                self.assertEqual("cancelled", patient(lambda r=one.run: stack.get("/v1/runs/" + r)).data["status"])
                streams.remove(one)
                one.close()
            self.assertTrue(all(one.goes_on() for one in streams))
            if run:
                self.assertIn(patient(lambda r=run: stack.get("/v1/runs/" + r)).status, (200, 404))
            streams += [Endless(stack)]
        # The third held it back, and everybody says so; the rest goes on.
        self.assertEqual([("crash", 1), ("crash", 2), ("crash", 3)],
                         [(e["plugin"], e["crashes"]) for e in self.events(stack, "plugin.crashed")])
        self.assertEqual([("crash", 4)], [(e["plugin"], e["seconds"]) for e in self.events(stack, "plugin.held_back")])
        self.assertEqual(["crash"], stack.get("/readyz", bearer=None).json["held_back"])
        done = subprocess.run([os.environ["COGENT"], "doctor", "--json", "-c", stack.config], stdout=subprocess.PIPE, check=False,
                              env=dict(os.environ, COGENT_URL=stack.url, COGENT_TOKEN="x"))
        rows = [row for row in json.loads(done.stdout) if row["check"] == "plugin crash"]
        self.assertEqual([False], [row["ok"] for row in rows])
        self.assertIn("held back", rows[0]["says"])
        result = self.result(stack, "crash")
        self.assertEqual(("failed", "unavailable"), (result["status"], result["error"]["class"]))
        self.assertIn("plugin crash is held back", result["error"]["message"])
        found = stack.stream("look", model="one-tool")
        self.assertEqual("done", next(e["data"]["status"] for e in found if e["event"] == "tool_result"))
        row = self.listed(stack, "crash")
        self.assertEqual(3, row["crashes"])
        self.assertIn("held_until", row)
        self.assertEqual(0, self.listed(stack, "tool_http")["crashes"])
        self.assertEqual(3, stack.metric('cogent_plugin_crashes_total{plugin="crash"}'))
        self.assertEqual(1, stack.metric('cogent_plugin_holds_total{plugin="crash"}'))
        self.assertEqual(3, stack.metric('cogent_worker_ends_total{role="serve",reason="crash"}'))
        # After its time it is tried again, and held back for twice as long at the first crash.
        until("it to be let go", lambda: "held_back" not in stack.get("/readyz", bearer=None).json)
        self.cost_one(stack, "crash")
        self.assertEqual([4, 8], [e["seconds"] for e in self.events(stack, "plugin.held_back")])
        for one in streams:
            one.close()

    def test_who_hangs_costs_one_worker(self):
        stack = self.stack("hangs", workers=2, environment={"COGENT_STALL_MS": "3000"})
        streams = [Endless(stack) for _ in range(4)]
        slot, _ = self.cost_one(stack, "hangs")
        self.assertEqual([("hangs", slot)], [(e["plugin"], e["slot"]) for e in self.events(stack, "worker.stalled")])
        self.assertEqual([("hangs", "stall")], [(e["plugin"], e["how"]) for e in self.events(stack, "plugin.crashed")])
        self.assertEqual(1, stack.metric('cogent_worker_ends_total{role="serve",reason="stall"}'))
        self.assertTrue(all(one.goes_on() for one in streams if one.slot != slot))
        self.assertTrue(all(one.is_cut() for one in streams if one.slot == slot))
        self.assertEqual(1, self.listed(stack, "hangs")["crashes"])
        for one in streams:
            one.close()

    def test_who_eats_memory_is_replaced_and_no_request_fails(self):
        stack = self.stack("hogs", config="worker_memory = 512,", workers=2,
                           environment={"ASAN_OPTIONS": "detect_leaks=0"})
        first = set(stack.workers())
        asked = 0
        while len(self.events(stack, "worker.recycled")) < 3:
            self.assertLess(asked, 200)
            found = stack.stream("go", model="call-hogs")
            self.assertEqual(("complete", "It went on."), (found[-1]["data"]["status"], found[-1]["data"]["content"]))
            asked += 1
        self.assertEqual({"memory"}, {e["reason"] for e in self.events(stack, "worker.recycled")})
        until("an old one to be gone", lambda: first - set(stack.workers()))
        until("two to be there", lambda: len(stack.workers()) == 2)
        until("them to be counted", lambda: stack.metric('cogent_worker_ends_total{role="serve",reason="memory"}') >= 1)
        self.assertEqual([], self.events(stack, "worker.died"))
        self.assertEqual([], self.events(stack, "plugin.crashed"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
