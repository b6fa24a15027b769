# SPDX-License-Identifier: Apache-2.0
"""Clients that people already use, against a whole installation; and a model by somebody else behind it. Skipped, with a
sentence, where node or the packages are not installed: scripts/dev/clients.sh gets them."""

import glob
import os
import subprocess
import sys
import unittest

import node
from stack import WAIT, Stack, token

MODELS = ["one-tool", "plain", "cut", "endless", "length", "filtered", "slow", "bytewise"]
NODE = node.find()
PACKAGES = ["openai", "@langchain/openai", "ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "@copilotkit/aimock"]


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {name: ["mock/" + name] for name in MODELS}
        cls.stack = Stack(models={"main": ["mock/plain"], "rules": ["rules"], "embed": ["mock/embed"], **models},
                          environment={"COGENT_TEST_HEARTBEAT_MS": "100"})
        try:
            cls.stack.wait_for_feeds()
        except BaseException:
            cls.stack.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def run_client(self, name):
        env = dict(node.ENVIRONMENT, COGENT_URL=f"http://127.0.0.1:{self.stack.port}", COGENT_TOKEN=token(),
                   COGENT_STATS=f"http://127.0.0.1:{self.stack.mock_port}/_stats")
        done = subprocess.run([NODE, "--test", "--test-reporter=spec", os.path.join(node.CLIENTS, f"test_{name}_client.mjs")], env=env,
                              timeout=8 * WAIT, check=False)
        self.assertEqual(0, done.returncode)

    def test_openai(self):
        self.run_client("openai")

    def test_langchain(self):
        self.run_client("langchain")

    def test_ai_sdk(self):
        self.run_client("ai_sdk")

    def test_every_script_is_run(self):
        scripts = {os.path.basename(path) for path in glob.glob(os.path.join(node.CLIENTS, "test_*.mjs"))}
        self.assertEqual({f"test_{name}_client.mjs" for name in ("openai", "langchain", "ai_sdk")}, scripts)


class Aimock(unittest.TestCase):
    """A model that we did not write: what our own mock and our provider believe alike could be wrong in both."""

    @classmethod
    def setUpClass(cls):
        cls.mock = subprocess.Popen([NODE, os.path.join(node.CLIENTS, "aimock.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    env=node.ENVIRONMENT, text=True)
        url = cls.mock.stdout.readline().strip()
        names = ["text", "tool", "tools", "busy", "cut"]
        cls.stack = Stack(models={"main": ["rules"], **{n: ["aimock/" + n] for n in names}, "chain": ["aimock/busy", "rules"]},
                          providers=f'aimock = {{ plugin = "openai", base = "{url}/v1", key = "sk-any" }},')

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()
        cls.mock.stdin.close()
        cls.mock.wait(WAIT)
        cls.mock.stdout.close()

    def test_text(self):
        found = self.stack.stream("What is it?", model="text")
        self.assertEqual("Größe 5 µm, 漢字, 😀 done.", found[-1]["data"]["content"])
        self.assertGreater(len([e for e in found if e["event"] == "message"]), 1, "it came in one piece")
        self.assertEqual("complete", found[-1]["data"]["status"])

    def test_a_tool_call_and_its_result(self):
        found = self.stack.stream("What is the total of invoice 536365?", model="tool")
        calls = [e["data"] for e in found if e["event"] == "tool_call"]
        self.assertEqual([("get_invoice", {"number": "536365"})], [(c["tool"], c["arguments"]) for c in calls])
        self.assertEqual("It comes to 139.12 GBP [1].", found[-1]["data"]["content"])
        self.assertEqual([1], found[-1]["data"]["citations"])

    def test_several_calls_at_once(self):
        found = self.stack.stream("Both, please: 536365 and 536366", model="tools")
        numbers = [e["data"]["arguments"]["number"] for e in found if e["event"] == "tool_call"]
        self.assertEqual(["536365", "536366"], numbers)
        self.assertEqual("Both are known now.", found[-1]["data"]["content"])

    def test_errors(self):
        found = self.stack.stream("Hello", model="busy")
        self.assertEqual("error", found[-1]["event"])
        # The next of the chain answers.
        self.assertEqual("done", self.stack.stream("What is the total of invoice 536365?", model="chain")[-1]["event"])
        # A cut answer is none.
        self.assertEqual("error", self.stack.stream("Hello", model="cut")[-1]["event"])


if __name__ == "__main__":
    why = node.missing(NODE, PACKAGES)
    if why:
        print("skipped:", why)
        sys.exit(node.SKIP)
    unittest.main(verbosity=2)
