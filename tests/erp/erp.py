# SPDX-License-Identifier: Apache-2.0
"""Starts the erp-demo named by ERP_DEMO and talks to it: for every test that needs an ERP."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import time
from urllib.parse import urlencode

SECRET = b"a secret of the tests"


def token(tenant="acme", permissions=("*",), secret=SECRET, **claims):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    header = claims.pop("header", {"alg": "HS256", "typ": "JWT"})
    body = {"sub": "ann", "tenant_id": tenant, "exp": time.time() + 600}
    if permissions is not None:
        body["permissions"] = list(permissions)
    body.update(claims)
    body = {k: v for k, v in body.items() if v is not None}
    signed = part(json.dumps(header).encode()) + b"." + part(json.dumps(body).encode())
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()


class Erp:
    """A running erp-demo."""

    def __init__(self, directory, *arguments):
        self.directory = directory
        secret = os.path.join(directory, "secret")
        with open(secret, "wb") as file:
            file.write(SECRET + b"\n")
        self.errors = open(os.path.join(directory, "stderr"), "ab")
        self.process = subprocess.Popen(
            [os.environ["ERP_DEMO"], "--listen", "127.0.0.1:0", "--ledger", os.path.join(directory, "ledger"),
             "--jwt-secret-file", secret, *arguments], stdout=subprocess.PIPE, stderr=self.errors)
        self.line = self.process.stdout.readline().decode()
        if not self.line.startswith("listening on 127.0.0.1:"):
            self.stop()
            raise RuntimeError("erp-demo did not start: " + self.stderr())
        self.port = int(self.line.rsplit(":", 1)[1])

    def stderr(self):
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8") as file:
            return file.read()

    def call(self, method, path, body=None, bearer=None, headers=None, **query):
        """(status, JSON, headers); a text or bytes body goes as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        fields = {"Authorization": "Bearer " + (bearer or token())}
        fields.update(headers or {})
        if query:
            path += "?" + urlencode(query)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        try:
            whole = path.startswith(("/api/", "/_", "/health"))
            connection.request(method, path if whole else "/api/v1" + path, body,
                               {k: v for k, v in fields.items() if v is not None})
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read()), reply.headers
        finally:
            connection.close()

    def get(self, path, **query):
        status, body, _ = self.call("GET", path, **query)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body}")
        return body

    def counts(self, tenant="acme"):
        return self.get("/_ledger", tenant=tenant)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process.stdout.close()
        self.errors.close()
        return status
