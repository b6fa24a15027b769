# SPDX-License-Identifier: Apache-2.0
"""A new integrator's path: docs/tutorial-tool.md to the letter. Its commands run in one shell, in an empty folder outside
the tree; what it says to put into a file is put there; what it says is printed must be printed, in that order."""

import os
import shutil
import subprocess
import tempfile
import unittest

import page
from stack import WAIT


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent-tutorial-")
        self.blocks = page.read("tutorial-tool.md")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def test_every_block_is_understood(self):
        self.assertEqual({"sh", "c", "lua", "text"}, {language for language, _, _ in self.blocks})
        for language, _, name in self.blocks:
            self.assertEqual(language in ("c", "lua"), bool(name), "code without a file, or a command in one")

    def test_to_the_letter(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("COGENT", "PKG_CONFIG", "CPATH"))}
        env.update(COGENT_TREE=page.ROOT, COGENT_BUILD=os.environ["COGENT_BUILD"], HOME=self.folder, TERM="dumb",
                   COGENT_STALL_MS="0")
        done = subprocess.run(["bash", "-c", page.script(self.blocks)], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=8 * WAIT)
        self.assertEqual(0, done.returncode, done.stdout + self.log())
        self.assertIsNone(page.missing_lines(self.blocks, done.stdout), done.stdout)

    def log(self):
        try:
            with open(os.path.join(self.folder, "cogentd.log"), encoding="utf-8", errors="replace") as file:
                return file.read()[-4000:]
        except FileNotFoundError:
            return "cogentd was not started"


if __name__ == "__main__":
    unittest.main(verbosity=2)
