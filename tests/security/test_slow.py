# SPDX-License-Identifier: Apache-2.0
"""Slow clients of every kind at once: whoever asks meanwhile is answered, and the slow ones are cut when their time is over.
What they cost in time is measured by scripts/dev/slow_clients."""

import json
import os
import subprocess
import unittest

from stack import WAIT, Stack, token, until

IDLE, HEADS, BODIES, DEAF = 300, 60, 60, 20
MOST = 250  # connections that there may be: fewer than come
CONFIG = f"""http = {{ connections = {MOST}, head = "1s", write = "2s", body_rate = 100000 }},"""


class Slow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(jobs=0, workers=1, feeds=False, config=CONFIG)

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def attack(self, *counts):
        process = subprocess.Popen([os.environ["BENCH_SLOW"], "attack", str(self.stack.port), token(), *map(str, counts)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertEqual("ready\n", process.stdout.readline())
        return process

    def refused(self, status):
        return self.stack.metric(f'cogent_http_refused_total{{status="{status}"}}')

    def connections(self):
        return self.stack.metric('cogent_connections{slot="0"}')

    def test_others_are_answered_and_the_slow_are_cut(self):
        process = self.attack(IDLE, HEADS, BODIES, DEAF)
        until("a full house", lambda: self.connections() >= MOST - 1)
        # On one connection, and on new ones: who waits without a request makes room for them.
        done = subprocess.run([os.environ["BENCH_SLOW"], "probe", str(self.stack.port), token(), "2"], stdout=subprocess.PIPE, text=True,
                              check=True)
        found = json.loads(done.stdout)
        self.assertEqual(0, found["failed"], found)
        self.assertGreater(found["kept"]["n"], 0)
        self.assertGreater(found["fresh"]["n"], 0)
        fate = json.loads(process.communicate(timeout=WAIT)[0])
        self.assertGreater(fate["idle"]["closed"], 0)
        until("them to be gone", lambda: self.connections() <= 1)

    def test_the_slow_are_told(self):
        for kind, counts in (("heads", (0, HEADS, 0, 0)), ("bodies", (0, 0, BODIES, 0))):
            before = self.refused(408)
            process = self.attack(*counts)
            until(f"slow {kind} to be told", lambda: self.refused(408) >= before + max(counts) + 1)  # all, and one that came again
            fate = json.loads(process.communicate(timeout=WAIT)[0])
            self.assertGreaterEqual(fate[kind]["told"], max(counts) // 2, fate)  # the rest may be on its way
            self.assertEqual(0, fate[kind]["closed"], fate)

    def test_who_takes_nothing_is_cut(self):
        process = self.attack(0, 0, 0, DEAF)
        until("them to be there", lambda: self.connections() >= DEAF)
        until("them to be cut", lambda: self.connections() <= 1)
        self.assertIsNone(process.poll())
        process.communicate(timeout=WAIT)
        self.assertEqual(200, self.stack.get("/v1/me").status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
