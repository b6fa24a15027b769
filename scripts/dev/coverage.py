# SPDX-License-Identifier: Apache-2.0
"""How many lines of the readers the tests run: coverage.py BUILD. A table of the files below; fails when one of them is
under its floor, or is not there. Wants gcovr."""

import json
import subprocess
import sys

FLOOR = 90
# What reads bytes of others: of the net, of a model, of a service, of operators and tenants.
READERS = """
engine/base/decimal.c
engine/base/json.c
engine/base/lines.c
engine/base/options.c
engine/base/schema.c
engine/base/schema_check.c
engine/base/schema_equal.c
engine/base/schema_text.c
engine/base/signature.c
engine/base/utf8.c
engine/config.c
engine/io/gunzip.c
engine/io/http_body.c
engine/io/http_chunked.c
engine/io/http_exchange.c
engine/io/http_head.c
engine/io/http_server.c
engine/io/peers.c
engine/io/sse.c
engine/policy/amount.c
engine/policy/bundle.c
engine/policy/files.c
engine/policy/load.c
engine/policy/mentions.c
engine/policy/script.c
engine/policy/template.c
engine/policy/values.c
engine/policy/verdict.c
engine/svc/jwks.c
engine/svc/jwt.c
engine/svc/kinds.c
plugins/common/json.c
plugins/common/scan.c
plugins/provider_openai/calls.c
plugins/provider_openai/failure.c
plugins/provider_openai/stream.c
plugins/tool_http/declaration.c
plugins/tool_http/declare_answer.c
plugins/tool_http/declare_auth.c
plugins/tool_http/declare_wire.c
plugins/tool_http/template.c
tests/erp/csv.c
""".split()


def measure(build):
    """{path: (lines, covered)}"""
    words = ["gcovr", "--root", ".", "--json-summary", "--gcov-ignore-parse-errors"]
    for path in READERS:
        words += ["--filter", path.replace(".", r"\.") + "$"]
    done = subprocess.run(words + [build], capture_output=True, text=True)
    if done.returncode:
        sys.exit("coverage: gcovr failed:\n" + done.stderr[-2000:])
    return {f["filename"]: (f["line_total"], f["line_covered"]) for f in json.loads(done.stdout)["files"]}


def main():
    found = measure(sys.argv[1])
    under, all_lines, all_covered = 0, 0, 0
    print(f"{'READER':<40} {'LINES':>6} {'RUN':>6} {'':>7}")
    for path in READERS:
        lines, covered = found.get(path, (0, 0))
        share = 100 * covered / lines if lines else 0
        low = share < FLOOR
        under += low
        all_lines += lines
        all_covered += covered
        print(f"{path:<40} {lines:>6} {covered:>6} {share:>6.1f}%{'  under ' + str(FLOOR) if low else ''}")
    print(f"{'all of them':<40} {all_lines:>6} {all_covered:>6} {100 * all_covered / max(1, all_lines):>6.1f}%")
    return 1 if under else 0


if __name__ == "__main__":
    sys.exit(main())
