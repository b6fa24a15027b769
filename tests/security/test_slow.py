# SPDX-License-Identifier: Apache-2.0
"""Slow clients of every kind at once: whoever asks meanwhile is answered, and the slow ones are cut when their time is over.
What they cost in time is measured by scripts/dev/slow_clients."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import unittest

from stack import WAIT, Stack, token, until

IDLE, HEADS, BODIES, DEAF = 300, 60, 60, 20
MOST = 250  # connections that there may be: fewer than come
PEER = 200  # of one address, but for the one that is trusted
CONFIG = f"""http = {{ connections = {MOST}, peer_connections = {PEER}, trusted_proxies = {{ "127.0.0.1" }},
                     head = "1s", write = "2s", body_rate = 100000 }},"""


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

    def test_one_address_has_its_share(self):
        with contextlib.ExitStack() as open_ones:
            come = lambda: open_ones.enter_context(socket.create_connection(("127.0.0.1", self.stack.port), WAIT, ("127.0.0.9", 0)))
            for _ in range(PEER):
                come().sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            until("them to be there", lambda: self.connections() >= PEER)
            reply = http.client.HTTPResponse(come())
            reply.begin()
            self.assertEqual((429, "5", "close"), (reply.status, reply.headers["Retry-After"], reply.headers["Connection"]))
            problem = json.loads(reply.read())
            self.assertEqual("too_many_connections", problem["error"]["code"])
            self.assertIn("http.trusted_proxies", problem["detail"])
            # Whoever writes another address into a header is still who they are.
            reply = http.client.HTTPResponse(come())
            reply.begin()
            self.assertEqual(429, reply.status)
            self.assertEqual(200, self.stack.get("/healthz", headers={"X-Forwarded-For": "127.0.0.9"}).status)
        until("them to be gone", lambda: self.connections() <= 1)

    def test_who_takes_nothing_is_cut(self):
        process = self.attack(0, 0, 0, DEAF)
        until("them to be there", lambda: self.connections() >= DEAF)
        until("them to be cut", lambda: self.connections() <= 1)
        self.assertIsNone(process.poll())
        process.communicate(timeout=WAIT)
        self.assertEqual(200, self.stack.get("/v1/me").status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
