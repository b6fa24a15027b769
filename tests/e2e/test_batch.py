# SPDX-License-Identifier: Apache-2.0
"""POST /v1/documents/batch: many records in bounded memory, and every way in which a body can be wrong."""

import gzip
import http.client
import json
import os
import socket
import threading
import unittest
import zlib

from stack import WAIT, Reply, Stack, token, until

DOOR = token(permissions=["cogent.documents", "customer.read"], sub="svc:erp")
MANY = 50000
GROWTH = 32 * 1024 * 1024  # a worker may grow by that much; the text of MANY records, with its padding, is three times that
PADDING = b" " * 2000 + b"\n"
PATH = "/v1/documents/batch"


def line(i, name="Canary", **more):
    record = {"id": f"C{i}", "name": f"{name} {i}", "country": "Norway", "credit_limit": "10.00", "currency": "GBP", "since": "2025-01-01",
              "invoices": 0, "invoiced_total": "0.00", "modified": "2026-01-01T00:00:00.000002Z"}
    return json.dumps({"type": "customer", "id": f"C{i}", "record": record, **more}).encode() + b"\n"


class Batch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The sanitizer keeps what is freed for a while: that is not the worker's memory.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=16"
        cls.stack = Stack(tenants=("demo", "other"), jobs=0, workers=1, feeds=False, environment={"ASAN_OPTIONS": asan.lstrip(":")})

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def send(self, body, bearer=DOOR, **headers):
        return self.stack.post(PATH, body, bearer=bearer, timeout=8 * WAIT, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def send_chunked(self, pieces):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=8 * WAIT)
        try:
            connection.request("POST", PATH, pieces, {"Authorization": "Bearer " + DOOR}, encode_chunked=True)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def counts(self, reply):
        self.assertEqual(200, reply.status, reply.body)
        return tuple(reply.data[k] for k in ("accepted", "unchanged", "rejected"))

    def resident(self):
        with open(f"/proc/{self.stack.workers()[0]}/status", encoding="ascii") as file:
            return 1024 * int(next(row.split()[1] for row in file if row.startswith("VmRSS")))

    def found(self, words, bearer=DOOR):
        return [f["id"] for f in self.stack.post("/v1/search", {"query": words}, bearer=bearer).data]

    def test_many_in_bounded_memory(self):
        self.counts(self.send(b"".join(line(i, "Warm") for i in range(2000))))  # caches of the database are full then
        before, most, over = self.resident(), [0], threading.Event()

        def watch():
            while not over.wait(0.05):
                most[0] = max(most[0], self.resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            # Those of the warming have another name: they are replaced, none is unchanged.
            self.assertEqual((MANY, 0, 0), self.counts(self.send_chunked(line(i, "Many")[:-1] + PADDING for i in range(MANY))))
            self.assertEqual((0, MANY, 0), self.counts(self.send(gzip.compress(b"".join(line(i, "Many") for i in range(MANY))), Content_Encoding="gzip")))
        finally:
            over.set()
            watcher.join()
        print(f"the worker grew by {(most[0] - before) / 1048576:.1f} MiB at most")
        self.assertLess(most[0] - before, GROWTH)
        self.assertIn(f"C{MANY - 1}", self.found(f"many {MANY - 1}"))

    def test_a_bad_line_costs_that_line(self):
        rows = [b"nonsense\n", b'{"type":"customer"}\n', b'{"type":"nosuch","id":"1","record":{}}\n', b'{"type":"customer","id":"","record":{}}\n',
                b'{"type":"customer","id":"B1","record":[]}\n', b'{"type":"customer","id":"B\xff","record":{}}\n', b"[]\n", b"7\n",
                b'{"type":"customer","id":"B2","id":"B3","record":{}}\n', b'{"type":"customer","id":"B4","record":{"id":"B4"}}\n',
                b'{"type":"customer","id":"' + b"B" * 300 + b'","record":{}}\n', b"\0\n", b"[" * 100 + b"\n"]
        body = b"\n" + line("g1", "Goodly") + b"".join(rows) + b" \r\n" + line("g2", "Goodly").rstrip(b"\n") + b"\r\n" + line("g3", "Goodly").rstrip(b"\n")
        reply = self.send(body)
        self.assertEqual((3, 0, len(rows)), self.counts(reply))
        self.assertEqual(list(range(3, 3 + len(rows))), [e["line"] for e in reply.data["errors"]])
        self.assertEqual({"line": 5, "id": "1", "message": "there is no kind of record of this type (entities/)"}, reply.data["errors"][2])
        self.assertRegex(reply.data["errors"][9]["message"], r"^(since|currency) is missing \(entities/customer.lua: ")
        self.assertEqual(["Cg1", "Cg2", "Cg3"], sorted(f for f in self.found("goodly") if f.startswith("Cg")))

    def test_only_the_first_errors_are_kept(self):
        reply = self.send(b"x\n" * 5000 + line("k1"))
        self.assertEqual((1, 0, 5000), self.counts(reply))
        self.assertEqual(list(range(1, 101)), [e["line"] for e in reply.data["errors"]])

    def test_a_line_over_the_limit(self):
        long = b'{"type":"customer","id":"L0","record":{"name":"' + b"x" * (1024 * 1024) + b'"}}\n'
        edge = line("l1", "Edge").rstrip(b"\n") + b" " * (1024 * 1024 - len(line("l1", "Edge")) + 1) + b"\n"
        self.assertEqual(1024 * 1024 + 1, len(edge))  # the limit, and the line's end
        reply = self.send(long + edge + long.rstrip(b"\n"))
        self.assertEqual((1, 0, 2), self.counts(reply))
        self.assertEqual([(1, "the line is longer than 1 MiB"), (3, "the line is longer than 1 MiB")],
                         [(e["line"], e["message"]) for e in reply.data["errors"]])

    def test_a_line_of_too_many_values(self):
        reply = self.send(line("v1") + line("v2", tags=[{}] * 33000) + line("v3"))
        self.assertEqual((2, 0, 1), self.counts(reply))
        self.assertIn("more than 32768 values", json.dumps(reply.data["errors"]))

    def test_a_line_without_end_that_is_gzip(self):
        before = self.resident()
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(line("z1", "Zip"))
        for _ in range(400):
            packed += packer.compress(b"a" * (1024 * 1024))
        packed += packer.compress(b"\n" + line("z2", "Zip")) + packer.flush()
        self.assertLess(len(packed), 1024 * 1024)  # and 400 MiB when inflated
        self.assertEqual((2, 0, 1), self.counts(self.send(packed, Content_Encoding="gzip")))
        self.assertLess(self.resident() - before, GROWTH)

    def test_gzip_that_is_none_or_breaks_off(self):
        whole = gzip.compress(b"".join(line(f"h{i}", "Half") for i in range(500)))
        for body in (whole[:-1], whole[:len(whole) // 2], whole[:5], b"", b"plain text\n", whole[:300] + b"\0" * 300, whole + b"rest"):
            reply = self.send(body, Content_Encoding="gzip")
            self.assertEqual((400, "body_invalid"), (reply.status, reply.json["error"]["code"]), body[:20])
            self.assertIn("gzip", reply.json["detail"])
        self.assertEqual((0, 500, 0), self.counts(self.send(whole, Content_Encoding="x-gzip")))  # what came before the break was stored
        self.assertEqual((1, 500, 0), self.counts(self.send(whole + gzip.compress(line("h-more")), Content_Encoding="gzip")))  # two members
        reply = self.send(b"", Content_Encoding="br")
        self.assertEqual((415, "encoding_unknown"), (reply.status, reply.json["error"]["code"]))

    def test_order_of_one_record(self):
        body = b"".join(line("o1", f"Version {i}", delete=i % 3 == 2) for i in range(20)) + line("o1", "Final")
        self.assertEqual((21, 0, 0), self.counts(self.send(body)))
        self.assertIn("Final", self.stack.get("/v1/documents/customer/Co1", bearer=DOOR).data["title"])
        self.assertEqual((1, 2, 0), self.counts(self.send(line("o1", "Final") + line("o1", delete=True) + line("o1", delete=True))))
        reply = self.stack.call("DELETE", "/v1/documents/customer/Co1", bearer=DOOR)
        self.assertEqual("unchanged", reply.data["state"])

    def test_what_is_there_is_known_to_every_worker(self):
        with Stack(jobs=0, workers=3, feeds=False) as other:
            body = b"".join(line(f"e{i}", "Everywhere") for i in range(20))
            told = []
            for _ in range(2):
                for _ in range(12):  # a connection each: some worker's
                    told.append(self.counts(other.post(PATH, body, bearer=DOOR)))
                other.stop_server()
                other.start()
            self.assertEqual([(20, 0, 0)] + [(0, 20, 0)] * 23, told)

    def test_numbers_are_ids(self):
        body = json.dumps({"type": "customer", "id": 4711, "record": json.loads(line(4711))["record"]}).encode()
        self.assertEqual((1, 0, 0), self.counts(self.send(body)))
        self.assertEqual(200, self.stack.get("/v1/documents/customer/4711", bearer=DOOR).status)

    def test_who_may(self):
        for bearer, status in ((token(permissions=["customer.read"]), 403), (None, 401), ("nonsense", 401)):
            self.assertEqual(status, self.send(line("w1"), bearer=bearer).status)
        self.assertEqual((1, 0, 0), self.counts(self.send(line("w1", "Whose"), bearer=token(tenant="other", permissions=["cogent.documents"]))))
        self.assertEqual([], [f for f in self.found("whose") if f == "Cw1"])

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.stack.port), WAIT)
        self.addCleanup(s.close)
        return s

    def head(self, more):
        return f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DOOR}\r\n{more}\r\n".encode()

    def test_a_request_behind_it(self):
        body = b"".join(line(f"p{i}", "Pipe") for i in range(3000))
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 777]), body[i:i + 777]) for i in range(0, len(body), 777)) + b"0\r\n\r\n"
        health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for more, sent in ((f"Content-Length: {len(body)}\r\n", body), ("Transfer-Encoding: chunked\r\n", chunks)):
            s = self.connect()
            s.sendall(self.head(more) + sent + health)
            replies = s.makefile("rb")
            for has in (b"accepted", b"ok"):
                self.assertEqual(b"HTTP/1.1 200 OK\r\n", replies.readline())
                length = 0
                while (row := replies.readline()) != b"\r\n":
                    length = int(row.split(b":")[1]) if row.lower().startswith(b"content-length") else length
                self.assertIn(has, replies.read(length))

    def test_a_half_closed_client_gets_its_answer(self):
        body = b"".join(line(f"q{i}", "Quit") for i in range(3000))
        s = self.connect()
        s.sendall(self.head(f"Content-Length: {len(body)}\r\n") + body)
        s.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: s.recv(65536), b""))
        self.assertIn(b'"accepted":3000', answer)

    def test_a_client_that_leaves(self):
        body = b"".join(line(f"v{i}", "Leaver") for i in range(1000))
        s = self.connect()
        s.sendall(self.head(f"Content-Length: {2 * len(body)}\r\n") + body)
        until("all that was sent to be stored", lambda: self.stack.get("/v1/documents/customer/Cv999", bearer=DOOR).status == 200)
        s.close()
        until("the server to see it", lambda: self.stack.metric('cogent_http_requests_total{route="/v1/documents/batch",status="499"}') >= 1)
        self.assertEqual((0, 1000, 0), self.counts(self.send(body)))

    def test_a_chunked_body_that_is_malformed(self):
        s = self.connect()
        s.sendall(self.head("Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\nzz\r\n")
        answer = b"".join(iter(lambda: s.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:100])
        self.assertIn(b"Connection: close", answer)

    def test_over_the_socket_too(self):
        reply = self.stack.call("POST", PATH, line("s1", "Socket"), bearer=DOOR, unix=True)
        self.assertEqual((1, 0, 0), self.counts(reply))


if __name__ == "__main__":
    unittest.main(verbosity=2)
