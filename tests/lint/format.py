# SPDX-License-Identifier: Apache-2.0
"""Sources stand as clang-format 14 writes them. Another version writes otherwise: then this is skipped, visibly."""

import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
WANTED = "14"


def tool():
    for name in ("clang-format-" + WANTED, "clang-format"):
        path = shutil.which(name)
        if path:
            words = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            found = re.search(r"version (\d+)", words)
            if found and found.group(1) == WANTED:
                return path
    return None


def differs(path, style, text, name):
    done = subprocess.run([path, f"--style=file:{style}", f"--assume-filename={name}"], input=text,
                          capture_output=True, text=True, check=True)
    return done.stdout != text


def main():
    root = os.path.abspath(sys.argv[1])
    path, style = tool(), os.path.join(root, ".clang-format")
    if not path:
        print(f"skipped: clang-format {WANTED} is not installed")
        return SKIPPED
    if not differs(path, style, "int  x ;\n", "x.c") or differs(path, style, "int x;\n", "x.c"):
        sys.exit("self-test: cannot tell right from wrong")
    count, failed = 0, 0
    for top in ("include", "engine", "plugins", "tests"):
        for base, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [d for d in folders if d != "node_modules"]
            for name in sorted(n for n in names if n.endswith((".c", ".h"))):
                file_name = os.path.join(base, name)
                with open(file_name, encoding="utf-8") as file:
                    text = file.read()
                count += 1
                if differs(path, style, text, file_name):
                    failed += 1
                    print(f"{os.path.relpath(file_name, root)}: run clang-format-{WANTED} -i on it")
    print(f"{count} files, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
