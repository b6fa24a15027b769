#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The official clients that tests/e2e/test_clients.py runs, as tests/clients/package-lock.json pins them. Without npm
# nothing is done: that test then says that it is skipped.
set -eu
cd "$(dirname "$0")/../../tests/clients"
if ! command -v npm >/dev/null 2>&1; then
    echo "clients: npm is not installed; the tests of clients will be skipped" >&2
    exit 0
fi
npm ci --ignore-scripts --no-audit --no-fund
