#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Configurations that cannot work: --check-config, the start and a reload refuse them alike, and say which file and which key."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from stack import WAIT, Stack, until

# What stands in the file, and what is said of it.
WRONG = [
    ('log = "verbose"', 'log: "verbose" is no level'),
    ('listen = { "foo" }', 'listen: "foo": write unix:PATH or ADDRESS:PORT'),
    ('listen = { "127.0.0.1:99999" }', 'listen: "127.0.0.1:99999": a port is a number up to 65535'),
    ('listen = { "127.0.0.1:-1" }', "write unix:PATH or ADDRESS:PORT"),
    ('listen = { "unix:" }', "write unix:PATH or ADDRESS:PORT"),
    ('listen = { "unix:' + 120 * "x" + '" }', "107 bytes"),
    ("listen = { 8420 }", "listen: "),
    ("listen = {}", "listen: names no address"),
    ("listen = { " + 9 * '"127.0.0.1:0", ' + "}", "listen: names too many addresses"),
    ('metrics = "foo"', 'metrics: "foo": write unix:PATH or ADDRESS:PORT'),
    ('socket = { group = "no-such-group" }', 'socket: group: there is no group "no-such-group"'),
    ('keys = "secret"', "not a key line"),
    ('rules = "nosuch"', "rules: "),
    ('entities = "nosuch"', "nosuch: No such file"),
    ('entities = "secret"', "is no folder"),
    ('policies = "nosuch"', "policies: "),
    ('ca = "nosuch.pem"', "ca: "),
    ('ca = "."', "is a folder"),
    ('auth = { secret = file "secret", tenant = "tenant_id" }', 'auth: tenant: "tenant_id" is no JSON pointer'),
    ('auth = { secret = file "secret", user = "" }', "auth: user: "),
    ('auth = { secret = file "secret", roles = "/a~2" }', "auth: roles: "),
    ('auth = { secret = file "secret", permissions = "scope" }', "auth: permissions: "),
    ("models = {}", "models: must be a table of chains"),
    ("tenants = {}", "tenants: names none"),
    ('tenants = { acme = { erp_url = "foo" } }', "tenants: acme: erp_url must be an address"),
    ('tenants = { acme = { erp_url = "http://" } }', "tenants: acme: erp_url must be an address"),
    ('tenants = { acme = { books_url = 5 } }', "tenants: acme: books_url must be an address"),
    ('prices = { ["openai/x"] = { input = 1, ouput = 2 } }', "prices: openai/x: ouput is not known; did you mean output?"),
    ('prices = { ["openai/x"] = { input = "1" } }', "prices: openai/x: input must be a number"),
    ('prices = { ["openai/x"] = { input = -1 } }', "prices: openai/x: a price is 0 or more"),
    ('http = { head = "10" }', "http: head must be a duration with its unit"),
    ('limits = { approval = "24" }', "limits: approval must be a duration with its unit"),
]
if os.path.isdir("/usr/share/zoneinfo"):
    WRONG += [('tenants = { acme = { time_zone = "Mars/Base" } }', 'tenants: acme: time_zone: there is no zone "Mars/Base"'),
              ('tenants = { acme = { time_zone = "../../../etc/passwd" } }', "there is no zone"),
              ("tenants = { acme = { time_zone = 1 } }", "there is no zone")]

RIGHT = ['listen = { "unix:a.sock", "[::1]:0", ":0" }, metrics = "off"', 'log = "warn"', 'entities = "own", rules = "own"',
         'http = { head = "1500ms", idle = "2m" }, limits = { approval = "7d" }',
         'prices = { ["openai/x"] = { input = 1, cached = 0, output = 2.5 } }', 'auth = { secret = file "secret", tenant = "/org/0/a~1b" }',
         'tenants = { acme = { erp_url = "HTTPS://erp.example:8443/api", time_zone = "Europe/London" }, other = {} }', 'ca = "ca.pem"']


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.config = os.path.join(self.folder, "cogent.lua")
        os.mkdir(os.path.join(self.folder, "own"))
        for name, text in (("secret", "a secret of the tests, long enough for HS256\n"), ("ca.pem", "")):
            self.write(name, text)

    def write(self, name, text):
        with open(os.open(os.path.join(self.folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def run_with(self, text, *words):
        """The later of two keys of a name counts."""
        self.write("cogent.lua", 'return { state = "state", listen = { "127.0.0.1:0" }, metrics = "off", auth = { secret = file "secret" },\n'
                   f'  tenants = {{ acme = {{}} }},\n  {text}\n}}\n')
        return subprocess.run([os.environ["COGENTD"], "-c", self.config, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=WAIT)

    def test_refused_before_and_at_the_start(self):
        for text, words in WRONG:
            for way in (["--check-config"], []):
                with self.subTest(text, way=way):
                    done = self.run_with(text, *way)
                    self.assertEqual(1, done.returncode, done.stdout)
                    self.assertIn(words, done.stdout)
                    self.assertTrue(done.stdout.startswith("cogentd: " + self.config), done.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "state")))

    def test_taken(self):
        for text in RIGHT:
            with self.subTest(text):
                done = self.run_with(text, "--check-config")
                self.assertEqual((0, "the configuration is in order\n"), (done.returncode, done.stdout))

    def test_the_file_is_named_whatever_finds_the_mistake(self):
        for text, words in (('models = { main = { "nosuch/x" } }', "there is no provider"), ("workers = 0", "workers must be"),
                            ("auth = {}", "auth: "), ('lisen = {}', "did you mean listen?")):
            with self.subTest(text):
                done = self.run_with(text, "--check-config")
                self.assertEqual(1, done.returncode)
                self.assertTrue(done.stdout.startswith(f"cogentd: {self.config}: "), done.stdout)
                self.assertEqual(1, done.stdout.count(self.config), done.stdout)
                self.assertIn(words, done.stdout)


class Reload(unittest.TestCase):
    def reload(self, s, extra):
        """What the log says from here on."""
        before = len(s.log_lines())
        s.write_config(workers=1, jobs=0, extra=extra)
        s.server.send_signal(signal.SIGHUP)
        ends = ("reload.done", "reload.refused")
        return until("the reload", lambda: next((lines for lines in [s.log_lines()[before:]] if any(line["event"] in ends for line in lines)), None))

    def test_refused(self):
        with Stack(feeds=False, workers=1, jobs=0) as s:
            for extra, words in (('log = "verbose",', "log: "), ('metrics = "foo",', "metrics: "), ("tenants = {},", "tenants: "),
                                 ('rules = "nosuch",', "rules: ")):
                with self.subTest(extra):
                    lines = self.reload(s, extra)
                    self.assertEqual(["reload.refused"], [line["event"] for line in lines])
                    self.assertIn(f"{s.config}: {words}", lines[0]["why"])
                    self.assertEqual(200, s.get("/v1/me").status)

    def test_what_needs_a_restart_is_said(self):
        with Stack(feeds=False, workers=1, jobs=0) as s:
            moved = 'listen = { "127.0.0.1:0" }, metrics = "off", socket = { mode = "0600" }, limits = { steps = 3 },'
            for extra, keys in ((moved, ["listen", "socket", "metrics"]), (moved, ["listen", "socket", "metrics"]),
                                (f'state = "{s.folder}/other", keys = "{s.state}/keys", database = "{s.state}/cogent.db",', ["state"]), ("", None)):
                with self.subTest(extra):
                    lines = self.reload(s, extra)
                    self.assertIn("reload.done", [line["event"] for line in lines])
                    told = [line for line in lines if line["event"] == "reload.needs_restart"]
                    self.assertEqual([", ".join(keys)] if keys else [], [line["keys"] for line in told])
                    self.assertEqual(200, s.get("/v1/me").status)  # the doors are those of the start

    def test_the_masters_level_follows(self):
        with Stack(feeds=False, workers=1, jobs=0, config='log = "error",') as s:
            self.assertEqual([], s.log_lines())
            lines = self.reload(s, 'log = "info",')
            self.assertIn("reload.done", [line["event"] for line in lines])


if __name__ == "__main__":
    unittest.main(verbosity=2)
