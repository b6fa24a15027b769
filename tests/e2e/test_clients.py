# SPDX-License-Identifier: Apache-2.0
"""Official clients against a whole installation. Skipped, with a sentence, where node or the client is not installed:
scripts/dev/clients.sh gets it."""

import os
import subprocess
import sys

from stack import WAIT, Stack, token

SKIP = 77  # meson's word for it
CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients")
MODELS = ["one-tool", "plain", "cut", "endless", "length", "filtered"]


def missing():
    """Why the clients cannot run here, or None."""
    try:
        version = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "node is not installed"
    if int(version.lstrip("v").split(".")[0]) < 20:
        return f"node is {version.strip()}, the client needs 20"
    if not os.path.exists(os.path.join(CLIENTS, "node_modules", "openai", "package.json")):
        return "tests/clients/node_modules/openai is missing: run scripts/dev/clients.sh"
    return None


def main():
    why = missing()
    if why:
        print("skipped:", why)
        return SKIP
    models = {name: ["mock/" + name] for name in MODELS}
    with Stack(models={"main": ["mock/plain"], "rules": ["rules"], **models}) as stack:
        stack.wait_for_feeds()
        env = dict(os.environ, COGENT_URL=f"http://127.0.0.1:{stack.port}", COGENT_TOKEN=token(),
                   COGENT_STATS=f"http://127.0.0.1:{stack.mock_port}/_stats")
        # Node is no subject of the sanitizers.
        env = {k: v for k, v in env.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
        return subprocess.run(["node", "--test", "--test-reporter=spec", os.path.join(CLIENTS, "test_openai_client.mjs")],
                              env=env, timeout=8 * WAIT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
