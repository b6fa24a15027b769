# SPDX-License-Identifier: Apache-2.0
"""Tokens signed by an issuer's keys, on a running server: kinds, kids, a hangup that changes the keys, doctor's words."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import unittest

from stack import Stack, token, until

KINDS = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
         "point": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
         "ed": ["-algorithm", "ED25519"]}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(start=False, jobs=0, workers=2)
        try:
            for name, options in KINDS.items():
                cls.make_key(name, options)
            cls.make_key("new", KINDS["rsa"])
            cls.set_auth('keys = { "rsa.pem", "point.pem", "ed.pem" }, issuer = "https://login.example", audience = "cogent"')
            cls.stack.start()
        except BaseException:
            cls.stack.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.stack.folder, name)

    @classmethod
    def make_key(cls, name, options):
        subprocess.run(["openssl", "genpkey", "-quiet", *options, "-out", cls.path(name + ".key")], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", cls.path(name + ".key"), "-pubout", "-out", cls.path(name + ".pem")], check=True)

    @classmethod
    def set_auth(cls, auth):
        with open(cls.stack.config, encoding="utf-8") as file:
            text = file.read()
        before, _, after = text.partition("auth = {")
        cls.stack.write(cls.stack.config, before + "auth = { " + auth + " },\n" + after.partition("\n")[2])

    def cogent(self, *arguments, status=0):
        done = subprocess.run([os.environ["COGENT"], *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(status, done.returncode, done.stderr)
        return done.stdout.strip() if status == 0 else done.stderr

    def signed(self, key, *more):
        return self.cogent("token", "--sub", "ann", "--tenant", "demo", "--key", self.path(key + ".key"), "--permission", "finance.read",
                           "--issuer", "https://login.example", "--audience", "cogent", *more)

    def me(self, bearer):
        return self.stack.get("/v1/me", bearer=bearer)

    def test_each_kind_of_key(self):
        for name, alg in (("rsa", "RS256"), ("point", "ES256"), ("ed", "EdDSA")):
            text = self.signed(name)
            head = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
            self.assertEqual(alg, head["alg"])
            reply = self.me(text)
            self.assertEqual((200, "ann", ["finance.read"]), (reply.status, reply.data["user"], reply.data["permissions"]))

    def test_others_are_refused(self):
        with open(self.path("rsa.pem"), "rb") as file:
            pem = file.read()
        head, claims, _ = self.signed("rsa").split(".")
        forged = b64(b'{"alg":"HS256"}') + b"." + claims.encode()
        rows = [
            token(),  # HS256, with the secret that lies in the folder
            self.signed("new"),
            head + "." + claims + ".",
            b64(b'{"alg":"none"}').decode() + "." + claims + ".",
            (forged + b"." + b64(hmac.new(pem, forged, hashlib.sha256).digest())).decode(),
        ]
        for bearer in rows:
            reply = self.me(bearer)
            self.assertEqual((401, "token_invalid"), (reply.status, reply.json["error"]["code"]), bearer[:40])
            self.assertNotIn("login.example", reply.json["detail"])
        for issuer, audience in (("https://other.example", "cogent"), ("https://login.example", "other")):
            bearer = self.cogent("token", "--sub", "ann", "--tenant", "demo", "--key", self.path("rsa.key"), "--issuer", issuer,
                                 "--audience", audience)
            self.assertEqual(401, self.me(bearer).status)

    def test_a_hangup_changes_the_keys(self):
        with Stack(start=False, jobs=0, workers=1) as other:
            mine = Tokens.stack
            try:
                Tokens.stack = other
                self.make_key("first", KINDS["point"])
                self.make_key("second", KINDS["ed"])
                self.set_auth('keys = { "first.pem" }')
                other.start()
                first, second = self.signed("first"), self.signed("second")
                self.assertEqual((200, 401), (self.me(first).status, self.me(second).status))
                self.set_auth('keys = { "second.pem", "nosuch.pem" }')
                other.server.send_signal(signal.SIGHUP)
                until("the reload to be refused", lambda: "reload.refused" in other.logged())
                self.assertIn("nosuch.pem", other.logged())
                self.assertEqual((200, 401), (self.me(first).status, self.me(second).status))
                self.set_auth('keys = { "second.pem" }')
                other.server.send_signal(signal.SIGHUP)
                until("the new key alone to count", lambda: (self.me(first).status, self.me(second).status) == (401, 200))
            finally:
                Tokens.stack = mine

    def test_what_the_configuration_may_say(self):
        with Stack(start=False, jobs=0) as other:
            mine = Tokens.stack
            try:
                Tokens.stack = other
                self.make_key("good", KINDS["ed"])
                self.make_key("curve", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"])
                self.make_key("short", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"])
                rows = [('keys = { "good.pem" }, secret = file "secret"', "side by side"), ('keys = {}', "list of files"),
                        ('keys = "good.pem"', "list of files"), ('keys = { "good.key" }', "private key"),
                        ('keys = { "curve.pem" }', "P-256"), ('keys = { "short.pem" }', "1024 bits"),
                        ('keys = { "secret" }', "no public key"), ('issuer = "x"', "secret must be")]
                for auth, words in rows:
                    self.set_auth(auth)
                    done = subprocess.run([os.environ["COGENTD"], "-c", other.config, "--check-config"], stderr=subprocess.PIPE, text=True)
                    self.assertNotEqual(0, done.returncode, auth)
                    self.assertIn(words, done.stderr, auth)
                self.set_auth('keys = { "good.pem" }')
                subprocess.run([os.environ["COGENTD"], "-c", other.config, "--check-config"], check=True)
            finally:
                Tokens.stack = mine

    def test_doctor_says_which_keys(self):
        done = subprocess.run([os.environ["COGENT"], "doctor", "--json", "-c", self.stack.config], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, COGENT_URL=self.stack.url, COGENT_TOKEN=self.signed("rsa")))
        says = next(row["says"] for row in json.loads(done.stdout) if row["check"] == "auth")
        for words in ("rsa.pem (RS256, ", "point.pem (ES256, ", "ed.pem (EdDSA, "):
            self.assertIn(words, says)

    def test_how_a_token_cannot_be_made(self):
        rest = ("--sub", "a", "--tenant", "demo")
        self.cogent("token", *rest, status=2)
        self.cogent("token", *rest, "--key", self.path("rsa.key"), "--secret", self.path("secret"), status=2)
        self.assertIn("no private key", self.cogent("token", *rest, "--key", self.path("rsa.pem"), status=1))
        self.assertIn("cannot be read", self.cogent("token", *rest, "--key", self.path("nosuch"), status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
