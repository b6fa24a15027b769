# SPDX-License-Identifier: Apache-2.0
"""The backend's side: the small programs of tests/backends, which docs/connect-your-erp.md shows, between a browser and a
whole installation. What is optional and not installed is skipped, with a word; scripts/dev/packages.sh names it."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import page
from stack import SECRET, WAIT, Stack, erp, events, token, until

BACKENDS = os.path.join(page.ROOT, "tests", "backends")
SOCKET, ERP = "/run/cogent/cogent.sock", "http://127.0.0.1:8000"  # as the page has them
ROUTE = "/api/v1/cognitive/assistant/chat/stream"
# Other people's programs are no subject of the sanitizers.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")}


def runs(*command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def python_with(*modules):
    """A Python that has them all: this one, else Debian's own."""
    code = "import " + ", ".join(modules)
    return next((python for python in (sys.executable, "/usr/bin/python3") if runs(python, "-c", code)), None)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Browser:
    """A socket that asks, reads what comes, and may leave at any time."""

    def __init__(self, port, body, bearer):
        self.got = b""
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT)
        body = json.dumps(body).encode()
        self.socket.sendall(b"POST %s HTTP/1.1\r\nHost: erp\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                            b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                            % (ROUTE.encode(), bearer.encode(), len(body), body))

    def read_until(self, word):
        while word not in self.got:
            more = self.socket.recv(4096)
            if not more:
                raise AssertionError(f"the answer ended before {word!r}: {self.got!r}")
            self.got += more

    def read_all(self):
        """(status, headers, body)"""
        while True:
            more = self.socket.recv(65536)
            if not more:
                break
            self.got += more
        self.socket.close()
        head, _, body = self.got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
        if headers.get("transfer-encoding") == "chunked":
            whole, rest = b"", body
            while rest:
                size, _, rest = rest.partition(b"\r\n")
                whole, rest = whole + rest[:int(size, 16)], rest[int(size, 16) + 2:]
            body = whole
        return int(lines[0].split(" ")[1]), headers, body

    def leave(self):
        self.socket.close()


class Backends(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {name: ["mock/" + name] for name in ("plain", "one-tool", "endless")}
        cls.stack = Stack(models={"main": ["rules"], **models})

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent-backend-")
        self.process = None

    def tearDown(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(WAIT)
        shutil.rmtree(self.folder)

    def start(self, name, command, **environment):
        """A copy of the program that looks for this installation's socket."""
        text = read(os.path.join(BACKENDS, name))
        self.assertIn(SOCKET, text)
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text.replace(SOCKET, os.path.join(self.stack.state, "cogent.sock")))
        port = free_port()
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([word.replace("PORT", str(port)) for word in command], cwd=self.folder, stdout=log,
                                            stderr=log, env=dict(ENVIRONMENT, **environment, PORT=str(port)))

        def listens():
            self.assertIsNone(self.process.poll(), "it ended")
            with socket.socket() as one:
                return one.connect_ex(("127.0.0.1", port)) == 0

        until(name + " to listen", listens)
        return port

    def check(self, port):
        # The whole stream comes through as it is.
        status, headers, body = Browser(port, {"query": "What is the total of invoice 536365?", "model": "one-tool"},
                                        token()).read_all()
        self.assertEqual((200, "no"), (status, headers["x-accel-buffering"]))
        self.assertRegex(headers["content-type"], "^text/event-stream")
        found = events(body)
        self.assertEqual("start", found[0]["event"])
        self.assertIn("tool_result", [e["event"] for e in found])
        self.assertEqual("I look it up.\n\nInvoice 536365 comes to 139.12 GBP [1].", found[-1]["data"]["content"])

        # So do errors: status, type and words.
        for bearer, more, expected, code in (("nonsense", {}, 401, "token_invalid"),
                                             (token(), {"model": "nosuch"}, 404, "model_not_found")):
            status, headers, body = Browser(port, {"query": "Hello", **more}, bearer).read_all()
            self.assertEqual((expected, code), (status, json.loads(body)["error"]["code"]), body)
            self.assertRegex(headers["content-type"], "^application/problem\\+json")

        # The browser leaves in the middle: the model's connection closes, and the run is cancelled.
        before = self.stats()
        browser = Browser(port, {"query": "Go on", "model": "endless"}, token())
        browser.read_until(b"event: message")
        run = re.search(rb'"run":"(run_[^"]+)"', browser.got).group(1).decode()
        self.assertEqual(before["open"] + 1, self.stats()["open"])
        browser.leave()
        until("the model's connection to close", lambda: self.stats()["closed_early"] == before["closed_early"] + 1)
        self.assertEqual(before["open"], self.stats()["open"])
        # Its rows are written with the next commit: for a moment nobody knows the run.
        until("the run to be cancelled", lambda: b'"status":"cancelled"' in self.stack.get("/v1/runs/" + run).body)

    def stats(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.mock_port, timeout=WAIT)
        try:
            connection.request("GET", "/_stats")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def test_fastapi(self):
        python = python_with("fastapi", "httpx", "uvicorn", "anyio")
        if not python:
            self.skipTest("python3-fastapi, python3-httpx, python3-uvicorn or python3-anyio is not installed")
        self.check(self.start("fastapi_app.py", [python, "-m", "uvicorn", "fastapi_app:app", "--port", "PORT"]))

    def test_node(self):
        if not runs("node", "--version"):
            self.skipTest("node is not installed")
        self.check(self.start("node_app.mjs", ["node", "node_app.mjs"]))

    def test_php(self):
        if not runs("php", "--version"):
            self.skipTest("php-cli is not installed")
        self.check(self.start("php_app.php", ["php", "-S", "127.0.0.1:PORT", "php_app.php"], PHP_CLI_SERVER_WORKERS="4"))

    def test_curl(self):
        if not runs("curl", "--version"):
            self.skipTest("curl is not installed")
        before = self.stats()
        self.process = subprocess.Popen(
            ["curl", "-sN", "--unix-socket", os.path.join(self.stack.state, "cogent.sock"), "http://cogent/v1/assistant/chat/stream",
             "-H", "Authorization: Bearer " + token(), "-d", '{"query": "Go on", "model": "endless"}'], stdout=subprocess.PIPE,
            env=ENVIRONMENT)
        for line in self.process.stdout:
            if line.startswith(b"event: message"):
                break
        self.process.send_signal(signal.SIGTERM)
        until("the model's connection to close", lambda: self.stats()["closed_early"] == before["closed_early"] + 1)
        self.process.stdout.close()

    # Tokens.

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def recipe(self, command, key):
        done = subprocess.run([*command, key, "ann", "demo", "finance.read", "sales.read"], stdout=subprocess.PIPE,
                              env=ENVIRONMENT, cwd=self.folder, check=True, text=True)
        return done.stdout.strip()

    def recipes(self):
        """Those of which the language is here."""
        there = lambda name: os.path.join(BACKENDS, name)
        pyjwt = python_with("jwt")
        return {"make_token.py": [sys.executable, there("make_token.py")],
                **({"make_token_pyjwt.py": [pyjwt, there("make_token_pyjwt.py")]} if pyjwt else {}),
                **({"make_token.mjs": ["node", there("make_token.mjs")]} if runs("node", "--version") else {}),
                **({"make_token.php": ["php", there("make_token.php")]} if runs("php", "--version") else {})}

    def test_tokens(self):
        secret = self.write("secret", SECRET + b"\n")
        for name, command in self.recipes().items():
            with self.subTest(name):
                me = self.stack.get("/v1/me", bearer=self.recipe(command, secret))
                self.assertEqual(200, me.status, me.body)
                self.assertEqual(("demo", "ann"), (me.data["tenant"], me.data["user"]))
                self.assertEqual({"finance.read", "sales.read"}, set(me.data["permissions"]))
        # With another secret it is nobody's.
        wrong = self.write("wrong", b"another secret, as long as it must be for HS256\n")
        self.assertEqual(401, self.stack.get("/v1/me", bearer=self.recipe(self.recipes()["make_token.py"], wrong)).status)

    def test_tokens_with_a_key_pair(self):
        if not runs("openssl", "version"):
            self.skipTest("openssl is not installed")
        private, public = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "public.pem")
        subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, stderr=subprocess.DEVNULL)
        with Stack(jobs=0, feeds=False, start=False) as stack:
            with open(public, encoding="utf-8") as file:
                stack.write(os.path.join(stack.folder, "issuer.pem"), file.read())
            text = read(stack.config)
            self.assertIn('auth = { secret = file "secret" }', text)
            stack.write(stack.config, text.replace('auth = { secret = file "secret" }', 'auth = { keys = { "issuer.pem" } }'))
            stack.start()
            for name, command in self.recipes().items():
                if name not in ("make_token.mjs", "make_token.php"):
                    continue
                with self.subTest(name):
                    me = stack.get("/v1/me", bearer=self.recipe(command, private))
                    self.assertEqual((200, "demo", "ann"), (me.status, me.data["tenant"], me.data["user"]))
            # A secret is no key: not even one that both know.
            shared = self.write("shared", public.encode())
            self.assertEqual(401, stack.get("/v1/me", bearer=self.recipe(self.recipes()["make_token.py"], public)).status)
            self.assertEqual(401, stack.get("/v1/me", bearer=self.recipe(self.recipes()["make_token.py"], shared)).status)


class Page(unittest.TestCase):
    """docs/connect-your-erp.md to the letter, but for the places of socket, ERP and ports."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent-connect-")
        self.blocks = page.read("connect-your-erp.md")
        self.erp = erp.Erp(self.folder, "--tenant", "acme")  # its folder is the one with the secret

    def tearDown(self):
        self.erp.stop()
        shutil.rmtree(self.folder)

    def test_it_shows_these_programs(self):
        shown = {name: text for _, text, name in self.blocks if name}
        for name in os.listdir(BACKENDS):
            lines = read(os.path.join(BACKENDS, name)).split("\n")
            self.assertEqual([line for line in lines if "SPDX-License-Identifier" not in line], shown[name].split("\n"), name)

    def test_every_block_is_understood(self):
        for language, _, name in self.blocks:
            self.assertIn(language, ("python", "js", "php", "lua") if name else ("sh", "text"))

    def here(self, text):
        text = text.replace(SOCKET, os.path.join(self.folder, "cogent.sock")).replace(ERP, f"http://127.0.0.1:{self.erp.port}")
        return re.sub(r"\b808[012]\b", lambda port: self.ports.setdefault(port.group(), str(free_port())), text)

    def test_to_the_letter(self):
        missing = [name for name, there in (("node", runs("node", "--version")), ("php", runs("php", "--version")),
                                            ("python3-fastapi", python_with("fastapi", "httpx", "uvicorn"))) if not there]
        if missing:
            self.skipTest("not installed: " + ", ".join(missing))
        self.ports = {}
        blocks = [(language, self.here(text), name) for language, text, name in self.blocks]
        first = os.path.join(self.folder, "bin")
        os.makedirs(first)
        os.symlink(python_with("fastapi", "httpx", "uvicorn"), os.path.join(first, "python3"))
        env = dict(ENVIRONMENT, PATH=os.pathsep.join([first, os.path.join(os.environ["COGENT_BUILD"], "engine"), os.environ["PATH"]]),
                   COGENT_STALL_MS="0")
        done = subprocess.run(["bash", "-c", page.script(blocks)], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=8 * WAIT)
        log = os.path.join(self.folder, "cogentd.log")
        self.assertEqual(0, done.returncode, done.stdout + (read(log)[-4000:] if os.path.exists(log) else ""))
        self.assertIsNone(page.missing_lines(blocks, done.stdout), done.stdout)
        self.assertEqual(5, done.stdout.count("event: done"), done.stdout)  # curl, three backends, the approval
        self.assertEqual(4, done.stdout.count('"content":"Invoice 536365 comes to 139.12 GBP."'), done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
