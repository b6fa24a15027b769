# SPDX-License-Identifier: Apache-2.0
"""A whole installation for a test: the demo ERP, the model mock and cogentd on free ports in a folder of its own.

    with Stack() as s:
        print(s.ask("What is the total of invoice 536365?")["content"])

Python's standard library only. Binaries and folders come from the environment that meson sets: COGENTD, ERP_DEMO,
MOCK_OPENAI, COGENT, COGENT_PLUGINS, COGENT_SHARE.
"""

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
import time
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "erp"))
import erp  # noqa: E402

SECRET = b"a secret of the tests, long enough for HS256"
erp.SECRET = SECRET

ALL = ("*",)
WAIT = 60 if "address" in os.environ.get("ASAN_OPTIONS", "") or os.environ.get("COGENT_SLOW") else 30


def token(tenant="demo", permissions=ALL, **claims):
    return erp.token(tenant, permissions, SECRET, **claims)


def until(what, check, seconds=WAIT):
    """Waits for check() to give something true; says what it waited for when it does not come."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def patient(call):
    """A request that meets a dying worker is sent again."""
    for _ in range(50):
        try:
            return call()
        except (OSError, http.client.HTTPException):
            pass
    return call()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]


def events(body):
    """A body of server-sent events as [{"id", "event", "data"}]; comments are left out."""
    found = []
    for frame in body.decode().split("\n\n"):
        event = {}
        for line in frame.split("\n"):
            key, _, value = line.partition(": ")
            if key in ("id", "event"):
                event[key] = value
            elif key == "data":
                event["data"] = value if value == "[DONE]" else json.loads(value)
        if "data" in event:
            found.append(event)
    return found


class Stack:
    def __init__(self, tenants=("demo",), models=None, workers=2, jobs=1, config="", erp_arguments=(), feeds=True,
                 script=None, environment=None, start=True, fields=None, providers=""):
        self.folder = tempfile.mkdtemp(prefix="cogent-test-")
        self.state = os.path.join(self.folder, "state")
        self.tenants, self.feeds = tenants, feeds
        self.fields = fields or {}  # more of each tenant: the address of another service
        self.providers = providers  # more of them, in Lua
        self.environment = environment or {}
        self.erp = self.mock = self.server = None
        self.crashes = False  # a test that lets the server crash says so
        os.makedirs(os.path.join(self.state, "secrets"))
        arguments = [a for tenant in tenants for a in ("--tenant", tenant)]
        self.erp = erp.Erp(self.folder, "--faults", *arguments, *erp_arguments)
        self.start_mock(script)
        self.write_config(models, workers, jobs, config)
        if start:
            try:
                self.start()
            except BaseException:
                self.stop()  # nothing is left running when a test cannot begin
                raise

    # Starting and stopping.

    def start_mock(self, script):
        script = script or os.path.join(os.path.dirname(os.path.abspath(__file__)), "openai_script.json")
        if not os.environ.get("MOCK_OPENAI"):
            return
        self.mock = subprocess.Popen([os.environ["MOCK_OPENAI"], "--listen", "127.0.0.1:0", "--script", script],
                                     stdout=subprocess.PIPE)
        line = self.mock.stdout.readline().decode()
        self.mock_port = int(line.rsplit(":", 1)[1])

    def use_script(self, models):
        """The mock plays these turns instead, by model; before start."""
        self.mock.terminate()
        self.mock.wait()
        self.mock.stdout.close()
        script = os.path.join(self.folder, "script.json")
        self.write(script, json.dumps({"models": models}))
        self.start_mock(script)

    def write_config(self, models=None, workers=2, jobs=1, extra=""):
        for tenant in self.tenants:
            folder = os.path.join(self.state, "secrets", tenant)
            os.makedirs(folder, exist_ok=True)
            self.write(os.path.join(folder, "erp_service"), token(tenant, ["*.read"], sub="svc:cogent", exp=time.time() + 86400))
        self.write(os.path.join(self.folder, "secret"), SECRET.decode() + "\n")
        models = models or {"main": ["rules"]}
        lua = lambda v: json.dumps(v) if not isinstance(v, list) else "{" + ", ".join(map(lua, v)) + "}"
        chains = ", ".join(f'["{name}"] = {lua(chain)}' for name, chain in models.items())
        url = f'erp_url = "http://127.0.0.1:{self.erp.port}", ' if self.feeds else ""
        more = "".join(f"{name} = {lua(value)}, " for name, value in self.fields.items())
        rows = "\n".join(f'    ["{t}"] = {{ {url}{more}web_url = "https://erp.example", locale = "en-GB", currency = "GBP", '
                         f'time_zone = "Europe/London", company = "{t}" }},' for t in self.tenants)
        mock = f'mock = {{ plugin = "openai", base = "http://127.0.0.1:{self.mock_port}/v1", key = "sk-canary-key-0001" }},' if self.mock else ""
        self.config = os.path.join(self.folder, "cogent.lua")
        self.write(self.config, f"""return {{
  listen = {{ "unix:cogent.sock", "127.0.0.1:0" }}, metrics = "127.0.0.1:0", state = "{self.state}",
  workers = {workers}, jobs = {jobs}, log = "debug",
  auth = {{ secret = file "secret" }},
  providers = {{ {mock} {self.providers} }},
  models = {{ {chains} }},
  tenants = {{
{rows}
  }},
  {extra}
}}
""")

    def write(self, path, text):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, wait=True):
        addresses = os.path.join(self.state, "addresses")
        if os.path.exists(addresses):
            os.unlink(addresses)
        env = dict(os.environ, **self.environment)
        env.setdefault("COGENT_STALL_MS", "0" if "address" in env.get("ASAN_OPTIONS", "") else "10000")
        self.log_path = os.path.join(self.folder, "cogentd.log")
        self.log = open(self.log_path, "ab")
        self.server = subprocess.Popen([os.environ["COGENTD"], "-c", self.config], stdout=self.log, stderr=self.log, env=env)
        if not wait:
            return
        until("cogentd to be ready:\n" + self.tail(), lambda: os.path.exists(addresses) or self.server.poll() is not None)
        if self.server.poll() is not None:
            raise AssertionError("cogentd did not start:\n" + self.tail())
        with open(addresses, encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.url = lines[0]
        self.metrics_url = next(line.split(" ", 1)[1] for line in lines if line.startswith("metrics "))
        self.port = urlsplit(self.url).port

    def tail(self, n=20):
        try:
            with open(os.path.join(self.folder, "cogentd.log"), encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-n:])
        except FileNotFoundError:
            return ""

    def stop_server(self, expected=0):
        """SIGTERM; the exit status is asserted."""
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            status = self.server.wait(WAIT)
            if expected is not None and status != expected:
                raise AssertionError(f"cogentd ended with {status}:\n" + self.tail())
        self.server = None

    def stop(self):
        try:
            self.stop_server()
        finally:
            if self.server and self.server.poll() is None:
                self.server.kill()
            if self.mock:
                self.mock.terminate()
                self.mock.wait()
                self.mock.stdout.close()
            if self.erp:
                self.erp.stop()
            found = [] if self.crashes else self.complaints()
            if os.environ.get("COGENT_KEEP"):
                print("kept", self.folder)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
            if found:
                raise AssertionError("a sanitizer complained:\n" + "".join(found))

    def complaints(self):
        """What sanitizers wrote to the server's log, with some lines behind it. A worker's exit status is not looked at."""
        try:
            with open(os.path.join(self.folder, "cogentd.log"), encoding="utf-8", errors="replace") as file:
                lines = file.readlines()
        except FileNotFoundError:
            return []
        first = next((i for i, line in enumerate(lines) if re.search(r"ERROR: \w+Sanitizer|runtime error: ", line)), None)
        return [] if first is None else lines[first:first + 40]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            sys.stderr.write(self.tail(60))
        self.stop()

    # Talking.

    def call(self, method, path, body=None, bearer="", headers=None, timeout=WAIT, unix=False):
        if unix:
            connection = http.client.HTTPConnection("localhost", timeout=timeout)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(timeout)
            connection.sock.connect(os.path.join(self.state, "cogent.sock"))
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        fields = dict(headers or {})
        if bearer is not None:
            fields["Authorization"] = "Bearer " + (bearer or token())
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, fields)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)

    def ask(self, question, bearer="", unix=False, **more):
        """The answer of /v1/assistant/chat, or the error's body with its status."""
        reply = self.post("/v1/assistant/chat", {"query": question, **more}, bearer=bearer, unix=unix)
        return reply.data if reply.status == 200 else dict(reply.json, status=reply.status)

    def stream(self, question, bearer="", **more):
        reply = self.post("/v1/assistant/chat/stream", {"query": question, **more}, bearer=bearer)
        if reply.status != 200:
            raise AssertionError(f"{reply.status} {reply.body!r}")
        return events(reply.body)

    def decide(self, approval, decision="approve", bearer="", stream=False):
        headers = {"Accept": "text/event-stream"} if stream else {}
        return self.post("/v1/approvals/" + approval, {"decision": decision}, bearer=bearer, headers=headers)

    # Looking.

    def metrics(self):
        part = urlsplit(self.metrics_url)
        connection = http.client.HTTPConnection("127.0.0.1", part.port, timeout=WAIT)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metric(self, series):
        for line in self.metrics().split("\n"):
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def wait_for_feeds(self):
        """Until each tenant's feeds have been read to their end: the last record of each is found."""
        for kind in ("invoice", "sales_order", "inventory_item", "customer"):
            series = f'cogent_feed_polls_total{{type="{kind}",outcome="idle"}}'
            until("the feed of " + kind, lambda: self.metric(series) >= len(self.tenants), 4 * WAIT)
        for tenant in self.tenants:
            lists = {"invoice": ("/invoices?limit=1", "number"), "sales_order": ("/sales-orders?limit=1", "number"),
                     "inventory_item": ("/inventory/items?limit=1", "sku"), "customer": ("/customers?limit=1", "id")}
            for kind, (path, key) in lists.items():
                row = self.erp.call("GET", path, bearer=token(tenant))[1]["items"][0]
                found = lambda: any(f["type"] == kind and f["id"] == row["id"] for f in self.post(
                    "/v1/search", {"query": str(row[key]), "types": [kind]}, bearer=token(tenant)).data)
                until(f"{kind} {row[key]} of {tenant}", found, 4 * WAIT)

    def workers(self, role="serve"):
        """Process ids of the living workers of a role."""
        found = []
        for pid in subprocess.run(["pgrep", "-P", str(self.server.pid)], stdout=subprocess.PIPE, text=True).stdout.split():
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if re.search(rb"COGENT_WORKER=" + role.encode() + b" ", file.read()):
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def logged(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_lines(self):
        return [json.loads(line) for line in self.logged().split("\n") if line.startswith("{")]
