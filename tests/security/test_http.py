# SPDX-License-Identifier: Apache-2.0
"""Every case of tests/security/http against cogentd over TCP, and read by two parsers of others: Node's, and HAProxy in front of
cogentd. What those make of a case must be what the case says, or stand in http/differences.md with its reason."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import unittest

import cases
import node
from stack import WAIT, Stack, token, until

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = {"Node": "v20.", "HAProxy": "2.6."}  # of which the table is; others may have grown stricter
IDLE = 2  # seconds after which a proxy that says nothing is taken to wait for more
NODE, HAPROXY = node.find(), shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


def talk(address, sent, wanted=0):
    """Sends all, waits for as many answers as are wanted (for a proxy: who ends in the middle may be dropped), ends, and
    reads to the end."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as s:
        s.settimeout(WAIT)
        s.connect(address)
        got, part = b"", b"-"
        try:
            s.sendall(sent)
            s.settimeout(IDLE)
            while part and got.count(b"HTTP/1.1 ") < wanted:
                part = s.recv(65536)
                got += part
        except OSError:
            pass  # it had heard enough; or it waits for more
        try:
            s.settimeout(WAIT)
            s.shutdown(socket.SHUT_WR)
            while part := s.recv(65536):
                got += part
        except (ConnectionResetError, BrokenPipeError):
            pass
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
        return got


def answers(got, heads=()):
    """[(status, headers in lower case, body)] of what a connection brought. heads: the places of answers to HEAD."""
    found = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        lines = head.decode("latin1").split("\r\n")
        if not re.match(r"HTTP/1\.[01] \d{3} ", lines[0]):
            raise AssertionError(f"no answer: {got[:200]!r}")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = 0 if len(found) in heads or int(lines[0][9:12]) == 100 else int(fields.get("content-length", len(rest)))
        found.append((int(lines[0][9:12]), fields, rest[:length]))
        got = rest[length:]
    return found


def heads_of(case):
    return [i for i, (_, request) in enumerate(case.answers) if request and request.startswith(b"HEAD ")]


def asked(stack):
    """How many requests cogentd has answered or refused."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in stack.metrics().split("\n") if line.startswith("cogent_http_requests_total{"))


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = cases.all_cases(token())
        cls.differences = cases.differences()
        cls.stack = Stack(jobs=0, workers=1, feeds=False)

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def test_cogentd(self):
        for case in self.cases:
            with self.subTest(str(case)):
                before = asked(self.stack)
                found = answers(talk(("127.0.0.1", self.stack.port), case.bytes), heads_of(case))
                self.assertEqual(case.statuses(), [status for status, _, _ in found])
                if case.kind != "unfinished":  # nothing was read beyond what was answered
                    self.assertEqual(before + len([s for s in case.statuses() if s != 100]), asked(self.stack))
                if case.kind == "refused":
                    self.refused(case, *found[-1])

    def refused(self, case, status, fields, body):
        self.assertEqual(case.answers[-1], (status, None))
        self.assertEqual("close", fields["connection"])
        self.assertEqual("application/problem+json", fields["content-type"])
        problem = json.loads(body)
        self.assertEqual(status, problem["status"])
        self.assertIn(problem["error"]["code"], ("request_malformed", "body_too_large"))
        self.assertRegex(problem["detail"], r"^[A-Z].*\.$")

    def explained(self, parser, version, verdicts):
        """verdicts: {case: what the parser makes of it, or None when it agrees}."""
        rows = {case: row[0] for (what, case), row in self.differences.items() if what == parser}
        wrong = [f"{case}: it {found or 'agrees'}, and the table says {rows.get(case, 'nothing')}"
                 for case, found in verdicts.items() if rows.get(case) not in (found, "either")]
        wrong += [f"{case}: there is no such case" for case in rows if case not in verdicts]
        words = f"{parser} {version}, by http/differences.md:\n" + "\n".join(wrong)
        if wrong and not version.startswith(VERSIONS[parser]):
            self.skipTest(f"the table is that of {VERSIONS[parser]}; " + words)
        self.assertEqual([], wrong, words)

    @unittest.skipUnless(NODE, "node 20 or later is not installed")
    def test_node(self):
        lines = "".join(json.dumps({"name": str(c), "bytes": base64.b64encode(c.bytes).decode()}) + "\n" for c in self.cases)
        environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
        done = subprocess.run([NODE, os.path.join(HERE, "node_reader.mjs")], input=lines, stdout=subprocess.PIPE, text=True,
                              timeout=4 * WAIT, env=environment, check=True)
        found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
        version = subprocess.run([NODE, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.explained("Node", version, {str(c): self.node_verdict(c, found[str(c)]) for c in self.cases})

    def node_verdict(self, case, row):
        plain = lambda request: re.sub(r"^(\S+) ([hH]\w+://[^/? ]*)?([^? ]*)(\?\S*)?", lambda m: f"{m[1]} {m[3] or '/'}", request)
        requests = [plain(request) for request in row["requests"]]
        # The last two are no refusals: it was told to close, or the client ended in the middle.
        refuses = row["refused"] not in (None, "HPE_CLOSED_CONNECTION", "HPE_INVALID_EOF_STATE")
        return self.verdict(case, [r.decode("latin1") for r in case.requests()] == requests, refuses)

    def verdict(self, case, same, refuses):
        if (case.kind == "refused") == refuses or case.kind == "unfinished":  # of those, an answer to the half is nobody's loss
            return None if same else "differs"
        return "refuses" if refuses else "takes"

    @unittest.skipUnless(HAPROXY, "haproxy is not installed")
    def test_haproxy(self):
        path = os.path.join(self.stack.folder, "haproxy.sock")
        config = os.path.join(self.stack.folder, "haproxy.cfg")
        self.stack.write(config, f"""
defaults
    mode http
    timeout connect {WAIT}s
    timeout client {WAIT}s
    timeout server {WAIT}s
listen cogent
    bind unix@{path}
    server cogent unix@{os.path.join(self.stack.state, "cogent.sock")}
""")
        proxy = subprocess.Popen([HAPROXY, "-db", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until("haproxy to listen", lambda: os.path.exists(path) and talk(path, b"x\r\n\r\n"))
            words = subprocess.run([HAPROXY, "-v"], stdout=subprocess.PIPE, text=True, check=True).stdout
            self.explained("HAProxy", re.search(r"version (\S+)", words)[1], {str(c): self.haproxy_verdict(c, path) for c in self.cases})
        finally:
            proxy.terminate()
            proxy.wait()

    def haproxy_verdict(self, case, path):
        before = asked(self.stack)
        got = talk(path, case.bytes, len(case.answers))
        if got and not got.startswith(b"HTTP/1."):
            return "takes"  # it speaks HTTP/2 as well
        found = answers(got, heads_of(case))
        # cogentd's own have an id; the rest are the proxy's.
        passed = [status for status, fields, _ in found if status == 100 or "x-request-id" in fields]
        # However it read the case: no request reached cogentd that the proxy did not know of.
        if found and case.kind != "unfinished":
            self.assertEqual(before + len([s for s in passed if s != 100]), asked(self.stack), str(case))
        wanted = [status for status, request in case.answers if request or status == 100]
        return self.verdict(case, passed == wanted, len(passed) < len(found))


if __name__ == "__main__":
    unittest.main(verbosity=2)
