# SPDX-License-Identifier: Apache-2.0
"""scripts/quickstart itself, on a build that is there already: from nothing to three cited answers, and once more."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CSV = """invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01T08:26,2.55,17850,United Kingdom
536365,71053,WHITE METAL LANTERN,6,2010-12-01T08:26,3.39,17850,United Kingdom
C536379,71053,WHITE METAL LANTERN,-1,2010-12-02T09:41,3.39,17850,United Kingdom
536544,22041,"RECORD FRAME 7"" SINGLE SIZE",1,2010-12-01T14:32,0.85,,United Kingdom
"""


class Script(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cogent quickstart ")  # a blank in the path
        self.environment = dict(os.environ, COGENT_STALL_MS="0")
        for name in ("COGENT_SHARE", "COGENT_PLUGINS", "OPENAI_API_KEY"):
            self.environment.pop(name, None)

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments):
        return [os.path.join(TREE, "scripts", "quickstart"), "--state", os.path.join(self.folder, "state"), *arguments]

    def run_script(self, *arguments, status=0):
        done = subprocess.run(self.command(*arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=240)
        self.assertEqual(status, done.returncode, done.stdout)
        return done.stdout

    def left_running(self):
        return subprocess.run(["pgrep", "-af", self.folder], stdout=subprocess.PIPE, text=True).stdout

    def test_from_nothing_and_again(self):
        for _ in range(2):
            shown = self.run_script()
            self.assertIn("139.12 GBP [1]", shown)
            self.assertGreaterEqual(shown.count("complete in"), 3)
            self.assertIn("[1] Invoice 536365", shown)
            self.assertIn("How to go on", shown)
            self.assertEqual("", self.left_running())

    def test_a_file_of_sales(self):
        path = os.path.join(self.folder, "sales.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CSV)
        shown = self.run_script("--data", path)
        self.assertIn("35.64 GBP [1]", shown)
        self.assertEqual("", self.left_running())

    def test_a_file_of_which_nothing_can_be_taken(self):
        path = os.path.join(self.folder, "sales.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CSV.replace("2010-12-01T", "12/1/2010 ").replace("2010-12-02T", "12/2/2010 "))
        shown = self.run_script("--data", path, status=1)
        self.assertIn("0 lines taken, 4 left out", shown)
        self.assertIn("no line could be taken", shown)
        self.assertIn("invoice_date", shown)
        self.assertEqual("", self.left_running())

    def test_kept_servers_end_with_ctrl_c(self):
        with subprocess.Popen(self.command("--keep"), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, start_new_session=True) as script:
            for line in script.stdout:
                if "Ctrl-C" in line:
                    break
            self.assertNotEqual("", self.left_running())
            os.killpg(script.pid, signal.SIGINT)
            script.stdout.read()
            script.wait(60)
        end = time.monotonic() + 30
        while self.left_running() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual("", self.left_running())


if __name__ == "__main__":
    unittest.main(verbosity=2)
