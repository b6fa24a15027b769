# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that text alone can show. A tree is {path: text}; a rule yields "path:line: what"."""

import os
import re
import sys

# What a room of the engine may see below it. Columns of one floor do not see each other.
FLOOR = {"base": 1, "io": 2, "svc": 3, "plugin": 4, "policy": 4, "run": 5, "work": 5, "api": 6, "": 7, "cli": 8}

# Third-party headers, and the rooms and plugins that may include them.
THIRD_PARTY = [
    (r"jansson\.h", {"base", "io", "svc", "plugin", "policy", "run", "work", "api", "", "cli", "plugins/*"}),
    (r"event2/.*", {"io"}),
    (r"curl/.*", {"io"}),
    (r"sqlite3\.h", {"io"}),
    (r"libpq-fe\.h", {"io"}),
    (r"hiredis/.*", {"io"}),
    (r"zlib\.h", {"io"}),
    (r"openssl/.*", {"base"}),
    (r"pcre2\.h", {"base"}),
    (r"lua.*\.h|lauxlib\.h", {"policy"}),
    (r"dlfcn\.h", {"plugin"}),
    (r"libstemmer\.h", {"plugins/retriever_records"}),
    (r"xgboost/.*", {"plugins/forecaster_xgboost"}),
]

LIBC = re.compile(
    r"(assert|ctype|errno|fcntl|float|inttypes|limits|locale|math|poll|pthread|pwd|grp|sched|setjmp|signal|spawn|"
    r"stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|time|unistd|"
    r"elf|getopt|glob|malloc|fnmatch|dirent|netdb|net/if|termios|wchar|ucontext|execinfo|endian|libgen|"
    r"immintrin|arm_neon|arpa/inet|netinet/\w+|sys/\w+|linux/\w+)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

MINT_USERS = {"engine/base/tenant.c", "engine/svc/auth.c", "engine/svc/due.c"}

BANNED = re.compile(r"(?<![\w.>])(atoi|atol|sprintf|vsprintf|strcpy|strcat|strtok|system|gets|popen|alloca)\s*\(")
BANNED_IN_TESTS = {"system", "gets", "strtok", "popen", "alloca"}
ASSERT = re.compile(r"(?<![\w.>])assert\s*\(")
PRINTF = re.compile(r"(?<![\w.>])(printf|puts|putchar)\s*\(")
MAY_PRINT = re.compile(r"engine/(main\.c|cli/.*)$")

SPDX_IN = re.compile(r"\.(c|h|py|lua|sql|sh)$|^scripts/(?!.*\.)|^\.ci/run$")
LITTER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE = re.compile(r"(?<![\w.])/(wo" + r"rk|ro" + r"ot|home/\w+|Users/\w+|tmp/bash_jobs[\w.]*)(/|\b(?!-))")
HOSTS = re.compile(r"registry\.npm" + r"js|registry\.yarn|py" + r"pi\.org|files\.python" + r"hosted|deb\.deb" + r"ian\.org|"
                   r"index-url\s*=|proxy\.gol" + r"ang")


def without_comments(text):
    """C with comments and the insides of strings blanked, line by line as before."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        kept = match.group(0)
        if kept[0] == '"':
            return '"' + " " * (len(kept) - 2) + '"'
        return re.sub(r"[^\n]", " ", kept)

    return token.sub(blank, text)


def lines(text):
    return enumerate(text.split("\n"), 1)


def room_of(path):
    parts = path.split("/")
    if parts[0] == "engine":
        return parts[1] if len(parts) > 2 else ""
    return None


def may_use(header, place):
    for pattern, places in THIRD_PARTY:
        if re.fullmatch(pattern, header):
            return place in places or (place.startswith("plugins/") and "plugins/*" in places)
    return bool(LIBC.fullmatch(header)) and not (header == "assert.h" and not place.startswith("tests"))


def wrong_engine_include(tree, path, kind, header):
    room = room_of(path)
    if room not in FLOOR:
        return f"engine/{room} is no room of the table in tests/lint/house.py"
    if kind == "<":
        if header.startswith("cogent/") or may_use(header, room):
            return None
        return f"<{header}> is not for this room"
    if not header.startswith("engine/"):
        if "/" not in header and f"{os.path.dirname(path)}/{header}" in tree:
            return None
        return f'"{header}" is not in this folder; other rooms are written engine/ROOM/{header}'
    target = room_of(header)
    if header not in tree:
        return f'"{header}" does not exist'
    if target == room:
        return f'"{header}" is in this folder: write its name alone'
    if FLOOR.get(target, 99) >= FLOOR[room]:
        return f'"{header}" is not below this room'
    return None


def wrong_abi_include(tree, path, kind, header):
    if kind == "<" and (header.startswith("cogent/") or (LIBC.fullmatch(header) and header != "assert.h")):
        return None
    return f"the public ABI includes libc and itself only, not {header}"


def wrong_plugin_include(tree, path, kind, header):
    folder = os.path.dirname(path)
    if kind == "<":
        return None if header.startswith("cogent/") or may_use(header, folder) else f"<{header}> is not for plugins"
    if f"{folder}/{header}" in tree and "/" not in header:
        return None
    if header.startswith("common/") and f"plugins/{header}" in tree and folder != "plugins/common":
        return None
    return f'"{header}" is neither in this plugin nor in plugins/common'


def wrong_test_include(tree, path, kind, header):
    apart = path.startswith(("tests/erp/", "tests/harness/", "tests/plugin/"))
    if apart and header.startswith("engine/"):
        return "this program knows nothing of the engine"
    return None


def floors(tree):
    """Who may include what."""
    judges = [("engine/", wrong_engine_include), ("include/", wrong_abi_include), ("plugins/", wrong_plugin_include),
              ("tests/", wrong_test_include)]
    for path, text in tree.items():
        judge = next((j for prefix, j in judges if path.startswith(prefix)), None)
        if not judge or not path.endswith((".c", ".h")):
            continue
        for number, line in lines(text):
            found = INCLUDE.match(line)
            why = found and judge(tree, path, found.group(1), found.group(2))
            if why:
                yield f"{path}:{number}: {why}"


def cycles(tree):
    """No header includes itself by way of others."""
    below = {}
    for path, text in tree.items():
        if path.endswith(".h"):
            names = [m.group(2) for m in map(INCLUDE.match, text.split("\n")) if m]
            near = [f"{os.path.dirname(path)}/{n}" for n in names] + names + [f"include/{n}" for n in names]
            below[path] = [n for n in near if n in tree]
    done = set()

    def walk(path, above):
        if path in above:
            yield f"{path}:1: includes itself: {' -> '.join(above[above.index(path):] + [path])}"
        elif path not in done:
            for name in below.get(path, []):
                yield from walk(name, above + [path])
            done.add(path)

    for path in sorted(below):
        yield from walk(path, [])


def mint(tree):
    """Tenant handles are made where the reason for one was proven."""
    for path, text in tree.items():
        if not path.endswith((".c", ".h")) or path.startswith("tests/") or path in MINT_USERS:
            continue
        for number, line in lines(text):
            found = INCLUDE.match(line)
            if found and os.path.basename(found.group(2)) == "tenant_mint.h":
                yield f"{path}:{number}: makes tenant handles and is not on the list in tests/lint/house.py"


def banned(tree):
    """Functions that are not used here."""
    for path, text in tree.items():
        if not path.endswith((".c", ".h")):
            continue
        test = path.startswith("tests/")
        for number, line in lines(without_comments(text)):
            for found in BANNED.finditer(line):
                if not test or found.group(1) in BANNED_IN_TESTS:
                    yield f"{path}:{number}: {found.group(1)} is not used in this house"
            if not test and ASSERT.search(line):
                yield f"{path}:{number}: assert vanishes in a release; CG_REQUIRE or an error stay"
            if path.startswith("engine/") and not MAY_PRINT.match(path) and PRINTF.search(line):
                yield f"{path}:{number}: the engine speaks through cg_log"


def licence(tree):
    """Every source says its licence in its first lines."""
    for path, text in tree.items():
        if SPDX_IN.search(path) and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:3]):
            yield f"{path}:1: the SPDX line is missing"


def litter(tree):
    """No notes to oneself, no paths of one machine, no package hosts."""
    for path, text in tree.items():
        for number, line in lines(text):
            if LITTER.search(line):
                yield f"{path}:{number}: a note to oneself; do it or file it"
            if MACHINE.search(line):
                yield f"{path}:{number}: a path of one machine"
            if HOSTS.search(line):
                yield f"{path}:{number}: a package host; whoever builds chooses theirs"


RULES = [floors, cycles, mint, banned, licence, litter]


def read_tree(root):
    tree = {}
    for base, folders, names in os.walk(root):
        folders[:] = [d for d in folders
                      if d not in (".git", "node_modules", "__pycache__") and not d.startswith("build")]
        for name in names:
            if name == ".git":  # of a linked work tree
                continue
            path = os.path.join(base, name)
            try:
                with open(path, encoding="utf-8") as file:
                    tree[os.path.relpath(path, root)] = file.read()
            except (UnicodeDecodeError, OSError):
                pass
    return tree


def main():
    tree = read_tree(sys.argv[1])
    problems = [(rule.__name__, p) for rule in RULES for p in rule(tree)]
    for rule, problem in problems:
        print(f"{problem}  [{rule}]")
    print(f"{len(tree)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
