# SPDX-License-Identifier: Apache-2.0
"""A wrong command line is refused at once, before anything is installed or built, and says what would be right."""

import os
import subprocess
import unittest

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts")
REFUSED = [
    ("test", ["--suite", "nosuch"], "There is no suite nosuch; these are: e2e fuzz integ lint plugin policy security unit"),
    ("test", ["--suite"], "--suite wants a name: e2e "),
    ("test", ["--suite", "unit", "--suite", "--release"], "--suite wants a name: e2e "),
    ("test", ["--suit", "unit"], "unknown option --suit"),
    ("bench", ["--runs", "0"], "--runs must be a whole number from 1 to 9999, not 0"),
    ("bench", ["--runs=-1"], "not -1"),
    ("bench", ["--runs", "1.5"], "not 1.5"),
    ("bench", ["W9"], "there is no workload W9"),
    ("fuzz", ["http", "abc"], "abc is no target and no number of seconds; the targets are: config csv"),
    ("fuzz", ["http", "-1"], "SECONDS must be a whole number from 1 to 99999999, not -1"),
    ("fuzz", ["http", "1.5"], "not 1.5"),
    ("fuzz", ["http", "0"], "not 0"),
    ("fuzz", ["http", "3", "4"], "SECONDS stands once, not 3 and 4"),
    ("fuzz", ["http", "123456789012345678901"], "not 123456789012345678901"),
    ("fuzz", ["http", "--bogus"], "unknown option --bogus"),
]


class ScriptWords(unittest.TestCase):
    def test_what_is_wrong_is_refused_at_once(self):
        for script, words, said in REFUSED:
            with self.subTest(script=script, words=words):
                done = subprocess.run([os.path.join(SCRIPTS, script), *words], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, timeout=30, check=False)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(said, done.stderr)
                self.assertEqual("", done.stdout)


if __name__ == "__main__":
    unittest.main()
