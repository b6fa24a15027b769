# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone: headers.py ROOT CC FLAG..."""

import os
import subprocess
import sys
import tempfile


def lua_flags():
    """Where Lua's headers are: the one library whose folder is not on every compiler's list."""
    for name in ("lua5.4", "lua-5.4", "lua"):
        done = subprocess.run(["pkg-config", "--cflags", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split()
    return []


def headers(root):
    for top in ("include", "engine", "plugins", "tests"):
        for base, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [d for d in folders if d != "node_modules"]
            yield from (os.path.join(base, n) for n in sorted(names) if n.endswith(".h"))


def compiles(root, compiler, header):
    """The compiler's words when it does not. Twice in one file, so the guard is tried too."""
    command = compiler + ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
                          "-I", root, "-I", os.path.join(root, "include"), "-I", os.path.join(root, "plugins"), "-"]
    text = f'#include "{header}"\n#include "{header}"\nint nothing;\n'
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def self_test(root, compiler):
    with tempfile.TemporaryDirectory() as folder:
        for text, good in (("int x(size_t n);\n", False), ("struct a { int b; };\n", False),
                           ("#ifndef A\n#define A\n#include <stddef.h>\nstruct a { size_t b; };\n#endif\n", True)):
            path = os.path.join(folder, "x.h")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if (compiles(root, compiler, path) is None) != good:
                sys.exit(f"self-test: wrong about {text!r}")


def main():
    root, compiler = os.path.abspath(sys.argv[1]), sys.argv[2:] + lua_flags()
    self_test(root, compiler)
    count, failed = 0, 0
    for path in headers(root):
        count += 1
        words = compiles(root, compiler, path)
        if words:
            failed += 1
            print(f"{os.path.relpath(path, root)} does not compile alone:\n{words}")
    print(f"{count} headers, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
