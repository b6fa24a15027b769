#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker that has as many questions as it takes: further ones are turned away at once, and everything else goes on."""

import http.client
import json
import unittest

from stack import Stack, token, until

QUESTION = {"query": "hello", "model": "slow"}
SLOW = {"slow": [[{"delay_ms": 60000}, {"text": "Late."}]], "quick": [[{"text": "At once."}]]}


class Overload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Stack(workers=1, jobs=0, feeds=False, models={"slow": ["mock/slow"], "main": ["mock/quick"]},
                      environment={"COGENT_TEST_LOAD_MARK": "2"}, start=False)
        cls.s.use_script(SLOW)
        cls.s.write_config({"slow": ["mock/slow"], "main": ["mock/quick"]}, 1, 0)
        cls.s.start()

    @classmethod
    def tearDownClass(cls):
        cls.s.stop()

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=30)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, body=None, bearer=None, path="/v1/assistant/chat/stream"):
        connection.request("POST", path, json.dumps(body or QUESTION), {"Authorization": "Bearer " + (bearer or token())})
        return connection.getresponse()

    def test_the_third_is_turned_away(self):
        first, second, third = self.connect(), self.connect(), self.connect()
        streams = [self.ask(first), self.ask(second)]
        self.assertEqual([r.status for r in streams], [200, 200])
        reply = self.ask(third)
        body = json.loads(reply.read())
        self.assertEqual((reply.status, body["error"]["code"]), (503, "overloaded"))
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        # Its connection is kept, and what is no question is answered on it.
        self.assertEqual(reply.headers["Connection"], "keep-alive")
        third.request("GET", "/v1/me", headers={"Authorization": "Bearer " + token()})
        reply = third.getresponse()
        reply.read()
        self.assertEqual(reply.status, 200)
        # Nothing of it is looked at, not even who asks; a body that is long is not read.
        reply = self.ask(third, bearer="nobody")
        reply.read()
        self.assertEqual(reply.status, 503)
        reply = self.ask(third, {"query": "x" * 100000})
        reply.read()
        self.assertEqual((reply.status, reply.headers["Connection"]), (503, "close"))
        for path in ("/v1/chat/completions", "/v1/assistant/chat", "/v1/embeddings"):
            reply = self.ask(self.connect(), path=path)
            reply.read()
            self.assertEqual((path, reply.status), (path, 503))
        # One of the two leaves: there is room again.
        streams[0].close()
        first.close()
        until("room for a question", lambda: self.s.ask("hello").get("content") == "At once.")
        self.assertEqual(self.s.metric('cogent_http_requests_total{route="/v1/embeddings",status="503"}'), 1)


if __name__ == "__main__":
    unittest.main()
