# SPDX-License-Identifier: Apache-2.0
"""Bad input at every door: the right status, a clear body, and the server goes on."""

import json
import socket
import time
import unittest

from stack import SECRET, Stack, erp, token


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(tenants=("demo", "other"), jobs=0)

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def refused(self, status, code, reply):
        self.assertEqual(status, reply.status, reply.body)
        body = reply.json
        self.assertEqual(code, body["error"]["code"], body)
        self.assertEqual(status, body["status"])
        self.assertTrue(body["detail"].endswith((".", ")", "?")), body["detail"])
        self.assertEqual(body["detail"], body["error"]["message"])
        self.assertTrue(body["type"].endswith(code))
        self.assertTrue(reply.headers["X-Request-Id"].startswith("req_"))
        return body

    def test_tokens(self):
        chat = lambda bearer: self.stack.post("/v1/assistant/chat", {"query": "hello"}, bearer=bearer)
        rows = [
            (401, "token_missing", None),
            (401, "token_invalid", "nonsense"),
            (401, "token_expired", token(exp=time.time() - 3600)),
            (401, "token_invalid", token(exp=None)),
            (401, "token_invalid", token(nbf=time.time() + 3600)),
            (401, "token_invalid", token(header={"alg": "none", "typ": "JWT"})),
            (401, "token_invalid", token(header={"alg": "HS384", "typ": "JWT"})),
            (401, "token_invalid", token(header={"alg": "RS256", "typ": "JWT"})),
            (401, "token_invalid", erp.token("demo", ["*"], b"x" * 40)),
            (401, "token_invalid", token()[:-2] + "AA"),
            (401, "token_invalid", token(sub=None)),
            (401, "token_invalid", token(tenant_id=None)),
            (403, "tenant_unknown", token(tenant="nosuch")),
        ]
        for status, code, bearer in rows:
            with self.subTest(code=code, bearer=bearer and bearer[:20]):
                self.refused(status, code, chat(bearer))
        self.assertEqual("Bearer", chat(None).headers["WWW-Authenticate"])
        self.assertIn(b"data", chat(token()).body)
        self.assertTrue(SECRET not in chat("nonsense").body)

    def test_another_tenants_id_changes_nothing(self):
        approval = self.stack.ask("Create an invoice for customer 17850: 6 of 85123A at 2.55")["approvals"][0]
        for headers in ({"X-Tenant-Id": "demo"}, {"tenant_id": "demo"}):
            reply = self.stack.get("/v1/approvals/" + approval["id"] + "?tenant_id=demo", bearer=token(tenant="other"), headers=headers)
            self.assertEqual(404, reply.status)
        self.assertEqual("other", self.stack.get("/v1/me?tenant=demo", bearer=token(tenant="other")).data["tenant"])

    def test_bodies(self):
        post = lambda body, path="/v1/assistant/chat": self.stack.post(path, body)
        rows = [
            (400, "body_invalid", b""),
            (400, "body_invalid", b"{"),
            (400, "body_invalid", b"[]"),
            (400, "body_invalid", b'{"query":"a","query":"b"}'),
            (400, "body_invalid", b'{"query":"\xff\xfe"}'),
            (400, "body_invalid", b'{"query":' + b"[" * 70 + b"]" * 70 + b"}"),
            (400, "body_invalid", b'{"query":"a","tools":[' + b"{}," * 33000 + b"{}]}"),
            (400, "body_invalid", b'{"query":5}'),
            (400, "body_invalid", b'{"query":"a","history":{}}'),
            (400, "body_invalid", b'{"query":"a","tools":"yes"}'),
            (400, "session_invalid", b'{"query":"a","session":"../x"}'),
            (400, "invalid_request", b'{}'),
            (400, "invalid_request", b'{"query":""}'),
            (400, "invalid_request", json.dumps({"query": "x" * 40000}).encode()),
            (400, "invalid_request", b'{"query":"a","history":[{"role":"system","content":"x"}]}'),
            (404, "model_not_found", b'{"query":"a","model":"nosuch"}'),
        ]
        for status, code, body in rows:
            with self.subTest(body=body[:40]):
                self.refused(status, code, post(body))
        self.assertEqual("The body is empty; a JSON object is wanted.", post(b"").json["detail"])
        self.assertEqual("The body is nested deeper than 64 levels.",
                         post(b'{"query":' + b"[" * 70 + b"]" * 70 + b"}").json["detail"])
        self.refused(400, "messages_invalid", post(b'{"messages":[]}', "/v1/chat/completions"))
        wrong = self.stack.call("DELETE", "/v1/sessions")
        self.refused(405, "method_not_allowed", wrong)
        self.assertEqual("GET", wrong.headers["Allow"])
        self.refused(400, "query_in_url", post(b'{"query":"a"}', "/v1/assistant/chat?query=secret"))
        self.refused(400, "body_invalid", post(b'{"decision":"maybe"}', "/v1/approvals/ap_1"))
        self.refused(400, "body_invalid", post(b'{"decision":"deny","arguments":{}}', "/v1/approvals/ap_1"))
        self.refused(404, "not_found", post(b'{"decision":"approve"}', "/v1/approvals/ap_1"))

    def test_ten_mebibytes_are_not_read(self):
        with socket.create_connection(("127.0.0.1", self.stack.port), 10) as s:
            s.sendall(b"POST /v1/assistant/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token().encode() +
                      b"\r\nContent-Length: 10485760\r\n\r\n")
            self.assertIn(b" 413 ", s.recv(4096).split(b"\r\n")[0])
        self.refused(413, "body_too_large", self.stack.post("/v1/search", b'{"query":"' + b"x" * 20000 + b'"}'))

    def test_routes_and_methods(self):
        self.refused(404, "route_unknown", self.stack.get("/v1/nosuch"))
        self.refused(404, "route_unknown", self.stack.get("/v1/runs/"))
        self.refused(404, "route_unknown", self.stack.get("/v1/runs/%00"))
        self.refused(405, "method_not_allowed", self.stack.call("PUT", "/v1/models", {}))
        self.refused(404, "type_unknown", self.stack.call("PUT", "/v1/documents/nosuch/1", {"record": {}}))
        self.refused(403, "permission_denied", self.stack.get("/v1/documents/invoice/1", bearer=token(permissions=["finance.read"])))
        self.assertEqual(200, self.stack.call("HEAD", "/v1/models").status)

    def test_raw_requests(self):
        rows = [
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
            (b"GET /\r\n\r\n", 400),
            (b"GET / HTTP/1.1\nHost: x\n\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431),
        ]
        for raw, status in rows:
            with self.subTest(raw=raw[:50]), socket.create_connection(("127.0.0.1", self.stack.port), 10) as s:
                s.sendall(raw)
                data = b""
                while chunk := s.recv(65536):
                    data += chunk
                self.assertEqual(str(status).encode(), data.split(b" ", 2)[1])
                body = json.loads(data.split(b"\r\n\r\n", 1)[1])
                self.assertEqual(status, body["status"])
                self.assertIn(b"Connection: close", data)

    def test_documents_go_in_and_out(self):
        door = token(permissions=["cogent.documents", "customer.read"], sub="svc:erp")
        record = {"id": "C9", "name": "Canary & Sons", "country": "Norway", "credit_limit": "10.00", "currency": "GBP",
                  "since": "2025-01-01", "invoices": 0, "invoiced_total": "0.00", "modified": "2026-01-01T00:00:00.000002Z"}
        put = lambda r: self.stack.call("PUT", "/v1/documents/customer/C9", {"record": r}, bearer=door)
        get = lambda: self.stack.get("/v1/documents/customer/C9", bearer=door)
        self.assertEqual(200, put(record).status)
        self.assertIn("Canary & Sons", get().data["chunks"][0]["text"])
        self.assertEqual("C9", self.stack.post("/v1/search", {"query": "canary sons"}, bearer=door).data[0]["id"])
        # An older version never overwrites a newer one.
        self.assertEqual(200, put(dict(record, name="Older", modified="2025-01-01T00:00:00.000001Z")).status)
        self.assertIn("Canary", get().data["title"])
        self.assertEqual(200, put(dict(record, name="Newer Ltd", modified="2026-02-01T00:00:00.000001Z")).status)
        self.assertIn("Newer Ltd", get().data["title"])
        self.assertEqual([], [f for f in self.stack.post("/v1/search", {"query": "canary sons"}, bearer=door).data if f["id"] == "C9"])
        # Nobody else's.
        self.assertEqual(404, self.stack.get("/v1/documents/customer/C9", bearer=token(tenant="other")).status)
        # A record that its entity file cannot read says which file.
        reply = put({"id": "C9"})
        self.assertEqual(400, reply.status)
        self.assertRegex(reply.json["detail"], r"^(since|currency) is missing \(entities/customer.lua: (date|currency)\)$")
        self.assertEqual(200, self.stack.call("DELETE", "/v1/documents/customer/C9", bearer=door).status)
        self.assertEqual(404, get().status)

    def test_nothing_secret_is_logged(self):
        canary = "canary-9f3a77c1"
        self.stack.ask(f"What is {canary}-question?")
        door = token(permissions=["cogent.documents", "customer.read"], sub="svc:erp")
        self.stack.call("PUT", "/v1/documents/customer/C7", {"record": {"id": "C7", "name": canary + "-record"}}, bearer=door)
        self.stack.post("/v1/search", {"query": canary + "-search"})
        self.stack.get("/v1/nosuch/" + canary + "-path")
        self.stack.post("/v1/assistant/chat", b'{"query": "' + canary.encode() + b'-broken')
        for line in self.stack.logged().split("\n"):
            self.assertNotIn(canary, line)
            self.assertNotIn("sk-canary-key", line)
            self.assertNotIn(token()[:30], line)
        self.assertNotIn(canary, self.stack.metrics())
        for line in self.stack.logged().strip().split("\n"):
            json.loads(line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
