# SPDX-License-Identifier: Apache-2.0
"""Pages of docs/ that a test follows to the letter: fenced blocks as commands, files and what is printed.

    Put this into `NAME`:      the block below it is that file
    ```sh                      commands, all in one shell
    ```text                    lines that are printed, in this order
"""

import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BLOCK = re.compile(r"```(\w+)\n(.*?)```\n", re.S)
INTO = re.compile(r"[Pp]ut this\s+into `([^`]+)`:\s*$")


def read(name):
    """[(language, text, name of the file or None)] of all fenced blocks of docs/NAME."""
    with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as file:
        page = file.read()
    found = []
    for match in BLOCK.finditer(page):
        into = INTO.search(page[:match.start()])
        found.append((match.group(1), match.group(2), into and into.group(1)))
    return found


def script(blocks):
    """The blocks as one program of the shell. The text of a file stands in it as it stands on the page."""
    lines = ["set -eu", "trap 'kill $(jobs -p) 2>>stopped.log || true; wait' EXIT"]
    for language, text, name in blocks:
        if name:
            lines.append(f'mkdir -p "$(dirname {name})"\ncat >{name} <<\'END_OF_FILE\'\n{text}END_OF_FILE')
        elif language == "sh":
            lines.append(text)
    return "\n".join(lines)


def missing_lines(blocks, printed):
    """The first line that should be printed and is not, or not in its place; None when all are."""
    at = 0
    for text in (text for language, text, _ in blocks if language == "text"):
        for line in text.strip("\n").split("\n"):
            found = printed.find(line, at)
            if found < 0:
                return line
            at = found + len(line)
    return None
