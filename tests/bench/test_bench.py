#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bench's own programs: what is right counts as right, and what is wrong as wrong."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import tempfile

LOAD, UPSTREAMS, REF_LOOP = sys.argv[1:4]
SECRET = "a secret of this test, and long enough"


def token():
    text = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")
    body = text({"alg": "HS256"}) + b"." + text({"sub": "ada", "exp": 4000000000})
    return (body + b"." + base64.urlsafe_b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).rstrip(b"=")).decode()


def started(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def load(port, model, *options):
    done = subprocess.run([LOAD, "127.0.0.1:" + port, "--tokens", tokens.name, "--model", model, "--requests", "40", "--clients", "4", *options],
                          stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


with tempfile.NamedTemporaryFile("w") as tokens:
    tokens.write(token() + "\n")
    tokens.flush()
    upstreams, model_port = started(UPSTREAMS, "127.0.0.1:0")
    ref, ref_port = started(REF_LOOP, "127.0.0.1:0", "127.0.0.1:" + model_port, SECRET)
    try:
        status, counted = load(ref_port, "w2")
        equal((status, counted["right"], counted["first_ms"]["n"]), (0, 40, 40), "the agent loop")
        upstreams.send_signal(signal.SIGUSR1)
        equal(json.loads(upstreams.stdout.readline()), {"model": 80, "erp": 40}, "two turns and a tool for each answer")
        status, counted = load(ref_port, "w1", "--no-tools", "--plain")
        equal((status, counted["right"]), (0, 40), "in one piece")
        status, counted = load(ref_port, "w1", "--no-tools")
        equal((status, counted["right"]), (0, 40), "streamed")
        # The model alone knows no total: what skips the tool is not right.
        status, counted = load(model_port, "w2")
        equal((status, counted["right"], counted["wrong"]), (1, 0, 40), "an answer without the tool's figure")
        tokens.seek(0)
        tokens.write("x" + token())
        tokens.flush()
        status, counted = load(ref_port, "w2")
        equal((status, counted["broken"], counted["statuses"]), (1, 40, {"401": 40}), "a token that is not signed")
    finally:
        for process in (ref, upstreams):
            process.terminate()
            process.wait()
