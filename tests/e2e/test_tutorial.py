# SPDX-License-Identifier: Apache-2.0
"""A new integrator's path: docs/tutorial-tool.md to the letter. Its commands run in one shell, in an empty folder outside
the tree; what it says to put into a file is put there; what it says is printed must be printed, in that order."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from stack import WAIT

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BLOCK = re.compile(r"```(\w+)\n(.*?)```\n", re.S)
INTO = re.compile(r"[Pp]ut this\s+into `([^`]+)`:\s*$")


def steps(page):
    """[(language, text, name of the file or None)] of all fenced blocks."""
    found = []
    for match in BLOCK.finditer(page):
        into = INTO.search(page[:match.start()])
        found.append((match.group(1), match.group(2), into and into.group(1)))
    return found


def script(blocks):
    """The page as one program of the shell. The text of a file stands in it as it stands on the page."""
    lines = ["set -eu", "trap 'kill $! 2>>stopped.log || true' EXIT"]
    for language, text, name in blocks:
        if name:
            lines.append(f'mkdir -p "$(dirname {name})"\ncat >{name} <<\'END_OF_FILE\'\n{text}END_OF_FILE')
        elif language == "sh":
            lines.append(text)
    return "\n".join(lines)


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent-tutorial-")
        with open(os.path.join(ROOT, "docs", "tutorial-tool.md"), encoding="utf-8") as file:
            self.blocks = steps(file.read())

    def tearDown(self):
        shutil.rmtree(self.folder)

    def test_every_block_is_understood(self):
        self.assertEqual({"sh", "c", "lua", "text"}, {language for language, _, _ in self.blocks})
        for language, _, name in self.blocks:
            self.assertEqual(language in ("c", "lua"), bool(name), "code without a file, or a command in one")

    def test_to_the_letter(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("COGENT", "PKG_CONFIG", "CPATH"))}
        env.update(COGENT_TREE=ROOT, COGENT_BUILD=os.environ["COGENT_BUILD"], HOME=self.folder, TERM="dumb",
                   COGENT_STALL_MS="0")
        done = subprocess.run(["bash", "-c", script(self.blocks)], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=8 * WAIT)
        sys.stderr.write(done.stdout if done.returncode else "")
        self.assertEqual(0, done.returncode, self.log())
        at = 0
        for text in (text for language, text, _ in self.blocks if language == "text"):
            for line in text.strip("\n").split("\n"):
                found = done.stdout.find(line, at)
                self.assertGreaterEqual(found, 0, f"{line!r} does not come, or not in its place:\n{done.stdout}")
                at = found + len(line)

    def log(self):
        try:
            with open(os.path.join(self.folder, "cogentd.log"), encoding="utf-8", errors="replace") as file:
                return file.read()[-4000:]
        except FileNotFoundError:
            return "cogentd was not started"


if __name__ == "__main__":
    unittest.main(verbosity=2)
