#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the files that `cogent plugin new` begins a plugin with as one C table: embed.py OUT FILE..."""
import os
import sys

out, files = sys.argv[1], sys.argv[2:]
with open(out, "w", encoding="utf-8") as c:
    c.write("/* Made from scripts/skeleton; not edited by hand. */\n#include \"engine/cli/plugin.h\"\n\n")
    c.write("const struct cg_skeleton cg_skeletons[] = {\n")
    for path in files:
        name = os.path.basename(path).removesuffix(".in")
        c.write('    { "%s",\n' % name.replace("tool.", "@NAME@."))
        with open(path, encoding="utf-8") as file:
            for line in file:
                text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
                c.write(f'      "{text}\\n"\n')
        c.write("    },\n")
    c.write("    { 0 },\n};\n")
