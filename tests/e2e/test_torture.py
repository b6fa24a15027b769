# SPDX-License-Identifier: Apache-2.0
"""Memory that runs out: each allocation of a whole turn fails once. Nothing crashes, nothing leaks, the client is never
left in silence, the next turn is answered, no write is done twice and none that was acknowledged is lost.

COGENT_TORTURE=N fails every N-th allocation of each turn (scripts/dev/torture: every one)."""

import collections
import http.client
import json
import os
import re
import subprocess
import sys
import time
import unittest

from faults import Faults, maps_of, places_of
from stack import Stack, events, token, until

STRIDE = int(os.environ.get("COGENT_TORTURE", "97"))
START = int(os.environ.get("COGENT_TORTURE_FROM", "1"))
ONLY = os.environ.get("COGENT_TORTURE_TURN")
SILENCE = 8  # seconds
QUESTION = "invoice 536365"  # common words make a search of some ten thousand allocations, all in one loop of SQLite's
INVOICE = json.dumps({"customer_id": "17850", "line_items": [{"item_id": "85123A", "quantity": 6, "unit_price": "2.55"}]})
LONG = "It goes on and on, word by word, as a model speaks. " * 4
SCRIPT = {
    "look": [[{"text": "I look it up."}, {"calls": [{"id": "call_a", "name": "get_invoice", "arguments": "{\"number\":\"536365\"}"}]}],
             [{"text": "Invoice 536365 comes to {{tool:/total}} {{tool:/currency}} [1]. " + LONG, "piece": 24}]],
    "make": [[{"calls": [{"id": "call_b", "name": "create_invoice", "arguments": INVOICE}]}],
             [{"text": "Done: {{tool:/number}}.", "piece": 6}]],
}


class Outcome(Exception):
    """What a client has that has no answer."""


def code_of(reply):
    try:
        return reply.json["error"]["code"]
    except (ValueError, KeyError):
        return "without words"


def finished(body):
    """The last event of a stream; a stream without one is silence of another kind."""
    try:
        found = events(body)
    except ValueError:
        raise Outcome("torn event") from None
    last = found[-1] if found else {"event": "nothing"}
    for result in (e["data"] for e in found if e["event"] == "tool_result"):
        if "error" in result and last["event"] == "done":  # the model knows, and the client too
            raise Outcome("told " + result["error"]["class"])
    if last["event"] == "done" and last["data"]["status"] in ("complete", "waiting"):
        return last["data"]
    if last["event"] in ("done", "error"):
        raise Outcome("error event" if "error" in last["data"] else "failed without words")
    raise Outcome("cut")


class Place(unittest.TestCase):
    """A server of which one allocation fails."""
    # One allocation fails.

    def worker(self):
        return until("the worker", self.stack.workers)[0]

    def ready(self):
        try:
            return self.stack.get("/readyz", bearer=None).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def once(self, turn, n, wanted):
        """Whether an allocation failed; what is wrong is added to self.found."""
        logged = os.path.getsize(self.stack.log_path)
        self.faults.arm(self.pid, n)
        try:
            result = turn()
            outcome = "answered" if result == wanted else f"another answer: {result}"
        except Outcome as o:
            outcome = str(o)
        _, failed = self.faults.disarm()
        maps, frames = self.maps, self.faults.frames()
        if self.died(outcome):
            outcome = "crash"
            self.stack.crashes = True  # it is counted here; else the end of the server says what leaked
            print(self.report(logged), file=sys.stderr)
            until("the worker to be back", self.ready)
            self.meet()
        else:
            try:
                again = turn()
                if again != wanted:
                    outcome += f"; then another answer: {again}"
            except Outcome as o:
                outcome += f"; then {o}"
        self.outcomes[outcome] += 1
        if failed and outcome not in GOOD:
            where = places_of(frames, maps)
            self.found.append((n, outcome, where))
            print(n, outcome, " < ".join(where[:12]), file=sys.stderr, flush=True)
        return failed

    def died(self, outcome):
        """Whether the worker is no more. One that cut its client off may be about to."""
        if outcome in ("closed", "cut", "silence"):
            until("somebody to answer", self.ready)
        return not os.path.exists(f"/proc/{self.pid}/exe")  # a dead one that nobody has buried yet has none either

    def report(self, since):
        """A sanitizer's words on a crash: what, and the first frames of each stack."""
        with open(self.stack.log_path, encoding="utf-8", errors="replace") as file:
            file.seek(since)
            lines = [line for line in file.read().split("\n") if re.match(r"==\d+==ERROR|    #\d ", line)]
        return "\n".join(lines[:30])

    def meet(self):
        self.pid = self.worker()
        self.maps = maps_of(self.pid)

    def torture(self, name, stride=STRIDE):
        if ONLY and ONLY != name:
            self.skipTest("another turn is asked for")
        turn = getattr(self, name)
        self.meet()
        self.allowed = self.acknowledged = 0
        self.before = self.stack.erp.counts("demo")["invoices"]
        self.outcomes, self.found = collections.Counter(), []
        wanted = [turn() for _ in range(3)][-1]  # caches are warm
        self.faults.arm(self.pid, 0)
        turn()
        most, _ = self.faults.disarm()
        n, missed, tried = START, 0, 0
        while missed < 3:
            failed = self.once(turn, n, wanted)
            missed = 0 if failed else missed + 1
            tried += failed
            n += stride
        print(f"{name}: {most} allocations, {tried} failed:", dict(self.outcomes), file=sys.stderr)
        self.assertEqual([], self.found)


class Torture(Place):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(workers=1, jobs=1, start=False)
        cls.addClassCleanup(stack.stop)
        stack.use_script(SCRIPT)
        cls.faults = Faults(stack.folder)
        stack.write_config(models={"main": ["rules"], "look": ["mock/look"], "make": ["mock/make"]}, workers=1, jobs=1)
        stack.start()
        stack.wait_for_feeds()
        stack.stop_server()
        stack.environment = cls.faults.environment()
        stack.write_config(models={"main": ["rules"], "look": ["mock/look"], "make": ["mock/make"]}, workers=1, jobs=0,
                           extra="limits = { calls_per_hour = 1000000 },")
        with open(stack.config, encoding="utf-8") as file:
            stack.write(stack.config, file.read().replace('log = "debug"', 'log = "warn"'))
        stack.start()

    def request(self, path, body):
        begun = time.monotonic()
        try:
            reply = self.stack.post(path, body, headers={"Accept": "text/event-stream"}, timeout=SILENCE)
        except TimeoutError:
            raise Outcome("silence") from None
        except (OSError, http.client.HTTPException):
            raise Outcome("closed" if time.monotonic() - begun < SILENCE else "silence") from None
        if reply.status != 200:
            code = code_of(reply)
            raise Outcome(f"{reply.status} {code}")
        if "json" in reply.headers["Content-Type"]:  # it is decided, and will be done when the run is taken up
            raise Outcome("decided")
        return finished(reply.body)

    # The turns: each gives what must be the same whenever it is answered.

    def chat(self, model, query):
        return self.request("/v1/assistant/chat/stream", {"query": query, "model": model})

    def look(self):
        done = self.chat("look", QUESTION)
        return done["content"], len(done["citations"])

    def rules(self):
        done = self.chat("main", "cost of " + QUESTION)
        return done["content"], len(done["citations"])

    def make(self):
        """What is allowed may be done later, but once: of all that was allowed so far no more is done, and no less than
        was acknowledged."""
        try:
            done = self.chat("make", "hello")
            if not done.get("approvals"):
                raise Outcome("no approval: " + done["content"])
            self.allowed += 1
            done = self.request("/v1/approvals/" + done["approvals"][0], {"decision": "approve"})
            self.acknowledged += done["content"].startswith("Done: ")
        finally:
            made = self.made()
            if not self.acknowledged <= made <= self.allowed:
                raise Outcome(f"{self.allowed} were allowed, {made} are made, {self.acknowledged} were acknowledged")
        return done["content"][:6]

    def made(self):
        return self.stack.erp.counts("demo")["invoices"] - self.before

    def test_a_question_with_a_read(self):
        self.torture("look")

    def test_a_question_by_rules(self):
        self.torture("rules")

    def test_a_write_that_is_approved(self):
        self.torture("make")


class Keys(Place):
    """Tokens that are signed with the issuer's keys: who is refused for want of memory is not told that their token is bad."""

    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(workers=1, jobs=0, feeds=False, start=False)
        cls.addClassCleanup(stack.stop)
        cls.faults = Faults(stack.folder)
        stack.environment = cls.faults.environment()
        key, public = (os.path.join(stack.folder, name) for name in ("issuer.key", "issuer.pem"))
        cls.run_program("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
        cls.run_program("openssl", "pkey", "-in", key, "-pubout", "-out", public)
        with open(stack.config, encoding="utf-8") as file:
            stack.write(stack.config, file.read().replace('secret = file "secret"', 'keys = { "issuer.pem" }').replace('log = "debug"', 'log = "warn"'))
        cls.bearer = cls.run_program(os.environ["COGENT"], "token", "--sub", "ann", "--tenant", "demo", "--key", key).strip()
        stack.start()

    @staticmethod
    def run_program(*words):
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout

    def me(self):
        return self.request("/v1/me").data["user"]

    def request(self, path):
        try:
            reply = self.stack.get(path, bearer=self.bearer)
        except (OSError, http.client.HTTPException):
            raise Outcome("closed") from None
        if reply.status != 200:
            raise Outcome(f"{reply.status} {code_of(reply)}")
        return reply

    def test_who_am_i(self):
        self.torture("me", stride=1)


# A result that says why is told to the model and to the client; "closed" is a client that there was no memory to answer.
GOOD = {"answered", "decided", "closed", "error event", "503 unavailable", "503 out_of_memory", "told no_memory",
        "told internal", "told unknown", "told unavailable"}

if __name__ == "__main__":
    unittest.main(verbosity=2)
