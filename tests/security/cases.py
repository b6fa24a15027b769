# SPDX-License-Identifier: Apache-2.0
"""The cases of tests/security/http, whose format is in its README.md; and the table of explained differences."""

import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http")
BEHIND = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def closing(text, at):
    """Where the brace that opens at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
    raise ValueError("a brace does not close: " + text)


def unescape(text, token):
    out, i = b"", 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode()
            i += 1
        elif text[i + 1] in ESCAPES:
            out += ESCAPES[text[i + 1]]
            i += 2
        elif text[i + 1] == "x":
            out += bytes([int(text[i + 2:i + 4], 16)])
            i += 4
        elif text[i + 1] == "{":
            end = closing(text, i + 1)
            inner = text[i + 2:end]
            times, _, what = inner.partition("*")
            out += token.encode() if inner == "token" else int(times) * unescape(what, token)
            i = end + 1
        else:
            raise ValueError("no escape: " + text[i:i + 2])
    return out


class Case:
    """kind/name; bytes; answers: [(status, request as bytes or None)]."""

    def __init__(self, kind, name, token):
        with open(os.path.join(FOLDER, kind, name + ".http"), encoding="ascii") as file:
            lines = file.read().split("\n")
        self.kind, self.name, self.answers = kind, name, []
        while lines and lines[0][:1] in ("#", "="):
            line = lines.pop(0)
            if line[0] == "=" and line != "= closed":
                status, _, request = line[2:].partition(" ")
                self.answers.append((int(status), unescape(request, token) if request else None))
        self.bytes = unescape("".join(lines), token) + (BEHIND if kind == "refused" else b"")

    def __str__(self):
        return f"{self.kind}/{self.name}"

    def statuses(self):
        return [status for status, _ in self.answers]

    def requests(self):
        return [request for _, request in self.answers if request]


def all_cases(token):
    return [Case(kind, name[:-5], token) for kind in ("refused", "legal", "unfinished")
            for name in sorted(os.listdir(os.path.join(FOLDER, kind)))]


def differences():
    """{(parser, case): (what it makes of the case, why)}, of the rows of differences.md. A row may name several cases."""
    found = {}
    with open(os.path.join(FOLDER, "differences.md"), encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) != 4 or not re.match(r"`", cells[1]):
                continue
            for case in re.findall(r"`([^`]+)`", cells[1]):
                if (cells[0], case) in found:
                    raise ValueError(f"two rows for {cells[0]} and {case}")
                found[cells[0], case] = (cells[2], cells[3])
    return found
