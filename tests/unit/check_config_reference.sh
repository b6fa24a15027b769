#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/config.md equals `cogentd --config-reference`. Arguments: cogentd, the page.
set -eu
if ! "$1" --config-reference | diff -u "$2" -; then
    echo "docs/config.md is not what cogentd --config-reference prints: write it anew" >&2
    exit 1
fi
