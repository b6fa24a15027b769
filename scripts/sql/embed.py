#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the numbered SQL files as one C table: embed.py OUT FILE..."""
import sys

out, files = sys.argv[1], sys.argv[2:]
with open(out, "w", encoding="utf-8") as c:
    c.write("/* Made from scripts/sql; not edited by hand. */\n#include \"engine/svc/schema.h\"\n\n")
    c.write("const char *const cg_migrations[] = {\n")
    for name in files:
        with open(name, encoding="utf-8") as sql:
            for line in sql:
                text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
                c.write(f'    "{text}\\n"\n')
        c.write("    ,\n")
    c.write("    0,\n};\n")
