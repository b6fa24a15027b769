#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens of an issuer whose keys are read from its address: oauth2-mock-server, an issuer by somebody else, makes and signs
them. That part is skipped, with a sentence, where Node or the package is not installed: scripts/dev/clients.sh gets it."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import node
from stack import WAIT, Stack, until

NODE = node.find()
CLAIMS = {"sub": "ann", "aud": "cogent", "tenant_id": "demo", "permissions": ["*"]}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def set_auth(s, auth):
    with open(s.config, encoding="utf-8") as file:
        before, _, after = file.read().partition("auth = {")
    s.write(s.config, before + "auth = { " + auth + " },\n" + after.partition("\n")[2])


class Issuer:
    def __init__(self):
        self.process = subprocess.Popen([NODE, os.path.join(node.CLIENTS, "issuer.mjs")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=node.ENVIRONMENT)
        self.keys_url = self.process.stdout.readline().strip()
        self.name = self.keys_url.removesuffix("/jwks")

    def ask(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def make(self, alg):
        return self.ask(make=alg)["kid"]

    def token(self, kid, **claims):
        return self.ask(token=dict(CLAIMS, **claims), kid=kid)["token"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Keys(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        self.addCleanup(self.issuer.stop)

    def stack(self, url=None, start=True):
        s = Stack(start=False, jobs=0, workers=1, feeds=False)
        self.addCleanup(s.stop)
        set_auth(s, f'jwks = "{url or self.issuer.keys_url}", issuer = "{self.issuer.name}", audience = "cogent"')
        if start:
            s.start()
        return s

    def status(self, s, token):
        """And the error's code, if it is one."""
        reply = s.get("/v1/me", bearer=token)
        return (reply.status, None if reply.status == 200 else reply.json["error"]["code"])

    def test_kinds_and_claims(self):
        kids = {alg: self.issuer.make(alg) for alg in ("RS256", "ES256", "EdDSA")}
        s = self.stack()
        for alg, kid in kids.items():
            with self.subTest(alg):
                self.assertEqual(self.status(s, self.issuer.token(kid)), (200, None))
        rsa = kids["RS256"]
        now = int(time.time())
        for wrong, claims in [("audience", {"aud": "another"}), ("issuer", {"iss": "https://login.example"}),
                              ("tenant", {"tenant_id": None}), ("user", {"sub": ""}), ("not yet", {"nbf": now + 600})]:
            with self.subTest(wrong):
                self.assertEqual(self.status(s, self.issuer.token(rsa, **claims)), (401, "token_invalid"))
        self.assertEqual(self.status(s, self.issuer.token(rsa, exp=now - 600)), (401, "token_expired"))
        self.assertEqual(self.status(s, self.issuer.token(rsa, exp=now - 30)), (200, None))  # within the skew

    def test_the_algorithm_is_the_keys(self):
        kid = self.issuer.make("RS256")
        s = self.stack()
        head, body, mac = self.issuer.token(kid).split(".")
        jwk = json.loads(__import__("urllib.request").request.urlopen(self.issuer.keys_url).read())["keys"][0]
        for alg in ("HS256", "none", "RS384", "PS256", "rs256"):
            forged_head = b64(json.dumps({"alg": alg, "typ": "JWT", "kid": kid}).encode())
            for secret in (json.dumps(jwk).encode(), jwk["n"].encode(), base64.urlsafe_b64decode(jwk["n"] + "==")):
                signed = f"{forged_head}.{body}"
                forged = b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
                for token in (f"{signed}.{forged}", f"{signed}.", f"{signed}.{mac}"):
                    self.assertEqual(self.status(s, token)[0], 401, (alg, token[-20:]))
        # A key that the token brings along is not looked at.
        own = b64(json.dumps({"alg": "RS256", "kid": kid + "x", "jwk": jwk, "jku": self.issuer.keys_url}).encode())
        self.assertEqual(self.status(s, f"{own}.{body}.{mac}"), (401, "key_unknown"))
        self.assertEqual(self.status(s, f"{head}.{body}.{mac}"), (200, None))

    def test_rotation(self):
        old = self.issuer.make("RS256")
        s = self.stack()
        before = self.issuer.token(old)
        self.assertEqual(self.status(s, before), (200, None))
        # A new key is looked for when the first token names it, and that request is answered; a question with a body, too.
        new = self.issuer.make("ES256")
        self.assertEqual(s.ask("What can you do?", bearer=self.issuer.token(new)).get("status"), "complete")
        self.assertEqual(self.status(s, before), (200, None))
        # Not at the pleasure of whoever makes kids up: a second look within the minute is too early.
        newer = self.issuer.make("ES256")
        self.assertEqual(self.status(s, self.issuer.token(newer)), (401, "key_unknown"))
        # What the set no longer lists is not believed by whoever has read it since.
        self.issuer.ask(forget=True)
        newest = self.issuer.make("RS256")
        self.assertEqual(self.status(s, before), (200, None))
        s.server.send_signal(signal.SIGHUP)
        until("workers that have read the new set", lambda: self.status(s, self.issuer.token(newest)) == (200, None))
        until("the old workers to be gone", lambda: self.status(s, before) == (401, "key_unknown"))

    def test_an_issuer_that_comes_late(self):
        with socket.socket() as spare:
            spare.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{spare.getsockname()[1]}/jwks"
        s = self.stack(url)
        kid = self.issuer.make("RS256")
        reply = s.get("/v1/me", bearer=self.issuer.token(kid))
        self.assertEqual((reply.status, reply.json["error"]["code"]), (503, "keys_missing"))
        self.assertIn("Retry-After", reply.headers)
        self.assertIn('"jwks.failed"', s.logged())
        with subprocess.Popen([sys.executable, "-c", FORWARD, url.split(":")[2].split("/")[0], self.issuer.keys_url]) as forward:
            try:
                until("the next try", lambda: self.status(s, self.issuer.token(kid)) == (200, None))
            finally:
                forward.terminate()

    def test_configuration(self):
        s = self.stack(start=False)
        rest = f'issuer = "{self.issuer.name}", audience = "cogent"'
        for auth, words in [(f'jwks = "{self.issuer.keys_url}", secret = file "secret", {rest}', "take one away"),
                            (f'jwks = "http://login.example/jwks", {rest}', "https"),
                            (f'jwks = "http://localhost.example/jwks", {rest}', "https"),
                            (f'jwks = "http://127.0.0.1:1@login.example/jwks", {rest}', "user name"),
                            (f'jwks = "https://ann:secret@login.example/jwks", {rest}', "user name"),
                            (f'jwks = "https://ann@login.example", {rest}', "user name"),
                            (f'jwks = "{self.issuer.keys_url}", issuer = "x"', "issuer and audience")]:
            with self.subTest(auth):
                set_auth(s, auth)
                done = subprocess.run([os.environ["COGENTD"], "-c", s.config, "--check-config"], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stdout)
                self.assertNotIn("ann:", done.stdout)


class Door(ThreadingHTTPServer):
    """An issuer's door that answers as it is told, and not before it is open."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.server.knocks += 1
            self.server.open.wait(WAIT)
            status, body = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # longer than it is read

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.answer, self.knocks, self.open = (200, b""), 0, threading.Event()
        self.open.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/jwks"
        threading.Thread(target=self.serve_forever).start()

    def stop(self):
        self.open.set()
        self.shutdown()
        self.server_close()


class Doors(unittest.TestCase):
    """What an issuer can do wrong, and who waits for it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cogent-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.first, cls.second = cls.make_key("first"), cls.make_key("second")

    @classmethod
    def make_key(cls, name):
        """(its JSON Web Key, a token that it has signed)"""
        path = os.path.join(cls.folder, name)
        run = lambda *words: subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
        run("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
        modulus = run("openssl", "rsa", "-in", path, "-noout", "-modulus").strip().partition("=")[2]
        token = run(os.environ["COGENT"], "token", "--sub", "ann", "--tenant", "demo", "--key", path, "--issuer", "https://login.example",
                    "--audience", "cogent")
        return {"kty": "RSA", "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}, token.strip()

    def setUp(self):
        self.door = Door()
        self.addCleanup(self.door.stop)

    def start(self):
        s = Stack(start=False, jobs=0, workers=1, feeds=False)
        self.addCleanup(s.stop)
        set_auth(s, f'jwks = "{self.door.url}", issuer = "https://login.example", audience = "cogent"')
        s.start()
        return s

    def show(self, *keys):
        self.door.answer = (200, json.dumps({"keys": [jwk for jwk, _ in keys]}).encode())

    def test_what_is_no_key_set(self):
        for answer, why in (((500, b"{}"), "status 500"), ((200, b"<html>"), "not valid JSON"), ((200, b"{}"), "no JSON Web Key Set"),
                            ((200, b'{"keys": []}'), "no key that verifies"), ((200, b" " * 2000000), "too large"),
                            ((200, json.dumps({"keys": [dict(self.first[0], kid="a"), dict(self.second[0], kid="a")]}).encode()), "kid")):
            with self.subTest(why):
                self.door.answer = answer
                s = self.start()
                until("the look", lambda: "jwks.failed" in s.logged())
                self.assertIn(why, next(line for line in s.logged().split("\n") if "jwks.failed" in line))
                reply = s.get("/v1/me", bearer=self.first[1])
                self.assertEqual((503, "keys_missing"), (reply.status, reply.json["error"]["code"]))
                self.assertEqual(200, s.get("/readyz").status)  # it leaves the key set out
                row = self.doctor(s)
                self.assertFalse(row["ok"], row)
                self.assertIn(f"the key set at {self.door.url} cannot be read: ", row["says"])
                self.assertIn(why, row["says"])
                s.stop_server()

    def test_a_long_body_is_not_kept_for_a_key_that_nobody_knows(self):
        self.show(self.first)
        s = self.start()
        until("the set", lambda: s.get("/v1/me", bearer=self.first[1]).status == 200)
        self.show(self.first, self.second)
        for (_, bearer), length in ((self.second, "Content-Length: 8000000"), (self.make_key("never shown"), "Transfer-Encoding: chunked")):
            with socket.create_connection(("127.0.0.1", s.port), WAIT) as c:
                c.sendall(f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n{length}\r\n\r\n".encode())
                self.assertIn(b" 401 ", c.recv(4096).split(b"\r\n")[0], length)
        # But the key is looked for, and the next one is let in.
        until("a look", lambda: s.get("/v1/me", bearer=self.second[1]).status == 200)
        self.assertEqual(2, self.door.knocks)

    def doctor(self, s):
        done = subprocess.run([os.environ["COGENT"], "doctor", "--json", "-c", s.config], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, COGENT_URL=s.url, COGENT_TOKEN="x"), check=False)
        return next(row for row in json.loads(done.stdout) if row["check"] == "auth")

    def test_doctor_reads_the_set(self):
        self.show(self.first, self.second)
        s = self.start()
        self.assertEqual((True, f"tokens can be verified: 2 keys at {self.door.url}"), (lambda row: (row["ok"], row["says"]))(self.doctor(s)))
        self.door.stop()
        self.assertIn("cannot be read: ", self.doctor(s)["says"])

    def test_an_address_that_nobody_can_change_on_its_way(self):
        s = Stack(start=False, jobs=0, workers=1, feeds=False)
        self.addCleanup(s.stop)
        set_auth(s, 'jwks = "https://login.example/jwks", issuer = "https://login.example", audience = "cogent"')
        done = subprocess.run([os.environ["COGENTD"], "-c", s.config, "--check-config"], stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual((0, "the configuration is in order\n"), (done.returncode, done.stdout))

    def test_who_waits_for_a_look(self):
        self.show(self.first)
        s = self.start()
        until("the set", lambda: s.get("/v1/me", bearer=self.first[1]).status == 200)
        self.door.open.clear()
        self.show(self.first, self.second)
        got = []
        waiting = [threading.Thread(target=lambda: got.append(s.get("/v1/me", bearer=self.second[1]).status)) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", s.port)) as leaver:
            leaver.sendall(f"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.second[1]}\r\n\r\n".encode())
            until("a second knock", lambda: self.door.knocks == 2)
            for thread in waiting:
                thread.start()
            leaver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset: it is really gone
        self.assertEqual(200, s.get("/v1/me", bearer=self.first[1]).status)  # who is known need not wait
        self.door.open.set()
        for thread in waiting:
            thread.join()
        self.assertEqual(([200] * 3, 2), (got, self.door.knocks))


# A door at that port that answers with what is behind another address.
FORWARD = """
import http.server, sys, urllib.request
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = urllib.request.urlopen(sys.argv[2]).read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
"""

if __name__ == "__main__":
    why = node.missing(NODE, ["oauth2-mock-server"])
    if why:  # the other issuer is not to be had; what Doors asks needs no Node
        print("skipped: Keys,", why)
        del Keys
    unittest.main()
