# SPDX-License-Identifier: Apache-2.0
"""Proves that scripts/test cannot end with "0 failed" when something did."""

import os
import subprocess
import sys
import tempfile
import unittest

TALLY = sys.argv.pop()


class Tally(unittest.TestCase):
    def tally(self, results, status="0"):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "testlog.json")
            if results is not None:
                with open(log, "w", encoding="utf-8") as file:
                    file.writelines('{"name": "x", "result": "%s"}\n' % r for r in results)
            done = subprocess.run([sys.executable, TALLY, log, status], capture_output=True, text=True, check=False)
            return done.stdout, done.returncode

    def test_lines(self):
        for results, status, line, code in (
                (["OK", "OK"], "0", "2 passed, 0 failed\n", 0),
                (["OK", "SKIP"], "0", "1 passed, 0 failed, 1 skipped\n", 0),
                (["OK", "FAIL", "TIMEOUT", "ERROR", "UNEXPECTEDPASS", "INTERRUPT"], "1", "1 passed, 5 failed\n", 1),
                (["OK"], "1", "1 passed, 1 failed\n", 1), ([], "0", "0 passed, 1 failed\n", 1),
                (None, "0", "0 passed, 1 failed\n", 1)):
            self.assertEqual((line, code), self.tally(results, status), results)


if __name__ == "__main__":
    unittest.main()
