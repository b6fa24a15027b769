#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a JSON file as C, without its white space: embed_json.py OUT NAME FILE."""
import json
import sys

out, name, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = json.dumps(json.load(file), ensure_ascii=False, separators=(",", ":")) + "\n"
data = text.encode()
with open(out, "w", encoding="utf-8") as c:
    c.write(f'/* Made from {path.rsplit("/", 1)[-1]}; not edited by hand. */\n#include "engine/api/openapi.h"\n\n')
    c.write(f"const unsigned char {name}[] = {{\n")
    for at in range(0, len(data), 24):
        c.write("    " + ",".join(map(str, data[at:at + 24])) + ",\n")
    c.write(f"}};\nconst size_t {name}_size = sizeof {name};\n")
