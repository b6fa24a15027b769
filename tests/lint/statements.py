# SPDX-License-Identifier: Apache-2.0
"""Every statement of a tenant names the tenant: statements.py LISTER PLUGIN..."""

import re
import subprocess
import sys

NAMES_TENANT = re.compile(r"\b(\w+\.)?tenant_id = \$1\b")
INSERTS_TENANT = re.compile(r"\binsert into \w+\s*\(\s*tenant_id\b.*?(values\s*\(\s*\$1\b|select\s+(\$1\b|(\w+\.)?tenant_id\b))", re.S)
GIVES_TENANT = re.compile(r"\b(select|returning)\s+(distinct\s+)?((\w+\.)?tenant_id\b|\$1\b)")
PORTABLE = [(re.compile(r"\bnow\s*\("), "now()"), (re.compile(r"::"), "a cast"), (re.compile(r"\bserial\b"), "serial")]


def problems(kind, columns, text):
    low = re.sub(r"\s+", " ", text.lower())
    if not NAMES_TENANT.search(low) and not INSERTS_TENANT.search(low):
        yield "names no tenant: tenant_id = $1, or tenant_id first in an insert"
    if columns and not GIVES_TENANT.search(low):
        yield "gives rows whose first column is not tenant_id"
    for pattern, what in PORTABLE:
        if kind == "both" and pattern.search(low):
            yield f"{what} is not portable"


def self_test():
    good = [("t", "select tenant_id, a from x where tenant_id = $1"), ("", "insert into x(tenant_id, a) values ($1, $2)"),
            ("t", "update x set a = 1 where tenant_id = $1 returning tenant_id, a"),
            ("t", "select r.tenant_id, a from x r where r.tenant_id = $1"),
            ("", "insert into x(tenant_id, a) select $1, b from y")]
    bad = [("t", "select a from x where tenant_id = $1"), ("t", "select tenant_id, a from x"), ("", "delete from x"),
           ("", "insert into x(a, tenant_id) values ($2, $1)"), ("", "insert into x(tenant_id, a) values ($2, $1)"),
           ("", "update x set a = now() where tenant_id = $1"), ("", "delete from x where tenant_id = $10"),
           ("", "delete from x where tenant_id = $1 and a = $2::int")]
    for columns, text in good:
        if list(problems("both", columns, text)):
            sys.exit(f"self-test: refuses {text}")
    for columns, text in bad:
        if not list(problems("both", columns, text)):
            sys.exit(f"self-test: accepts {text}")


def main():
    self_test()
    listed = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True).stdout.splitlines()
    failed = 0
    for line in listed:
        name, kind, columns, text = line.split("\t", 3)
        for what in problems(kind, columns, text):
            failed += 1
            print(f"{name} ({kind}): {what}\n    {text}")
    print(f"{len(listed)} statements, {failed} problems")
    return 1 if failed or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
