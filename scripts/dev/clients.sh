#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The clients that tests/e2e/test_clients.py runs and the linter of test_openapi.py, as tests/clients/package-lock.json
# pins them; and, where the machine's own Node is older than they need (20), one of npm's for them alone. Does nothing
# when all is there. Without npm nothing is done: the tests then say that they are skipped.
set -eu
cd "$(dirname "$0")/../../tests/clients"
if ! command -v npm >/dev/null 2>&1; then
    echo "clients: npm is not installed; the tests of clients will be skipped" >&2
    exit 0
fi

# npm ci in a folder, once for each lock file. What could not be had whole is not there at all.
get() {
    [ -d "$1/node_modules" ] && [ ! "$1/package-lock.json" -nt "$1/node_modules" ] && return 0
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || { rm -rf "$1/node_modules"; return 1; }
    touch "$1/node_modules"
}

get .
major=$(node --version 2>/dev/null | sed 's/^v//; s/\..*//')
if [ "${major:-0}" -lt 20 ] && [ "$(uname -m)" = x86_64 ]; then
    get node
fi
