# SPDX-License-Identifier: Apache-2.0
"""A write whose answer was lost, of a tool that promises nothing: it is in doubt until a person says what became of it."""

import json
import os
import subprocess
import unittest

from proxy import Proxy
from stack import Stack, events, token, until

ASK = "Create an invoice for customer 17850: 6 of 85123A at 2.55"


class Effects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(jobs=0, start=False)
        cls.proxy = Proxy(stack.erp.port)
        with open(os.environ["COGENT_SHARE"] + "/tools/erp.lua", encoding="utf-8") as file:
            text = file.read()
        promise = 'once       = { header = "Idempotency-Key" },'
        assert promise in text
        stack.write(os.path.join(stack.folder, "erp.lua"), text.replace(promise, 'once = "never",'))
        stack.write_config(jobs=0, extra='tools = { "erp.lua" },')
        with open(stack.config, encoding="utf-8") as file:
            text = file.read().replace(f"127.0.0.1:{stack.erp.port}", f"127.0.0.1:{cls.proxy.port}")
        stack.write(stack.config, text)
        stack.start()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()
        cls.proxy.close()

    def lose(self):
        """An invoice that was made and whose answer never came: (approval, effect)."""
        before = self.stack.erp.counts("demo")["invoices"]
        self.stack.ask("What is the total of invoice 536365?")  # a connection that could be used again
        approval = self.stack.stream(ASK)[-1]["data"]["approvals"][0]
        self.proxy.plan("POST", cut_reply=0, times=99)
        found = events(self.stack.decide(approval, stream=True).body)
        result = next(e["data"] for e in found if e["event"] == "tool_result")
        self.assertEqual(("unknown", "unknown"), (result["status"], result["error"]["class"]))
        self.assertEqual("complete", found[-1]["data"]["status"])
        self.assertEqual(1, len(self.proxy.seen), "nothing below us sends a write twice")
        self.assertEqual(before + 1, self.stack.erp.counts("demo")["invoices"])
        return approval, self.stack.get("/v1/effects").data[0]["effect"]

    def test_a_person_says_what_became_of_it(self):
        approval, effect = self.lose()
        shown = self.stack.get("/v1/effects/" + effect).data
        self.assertEqual(("create_invoice", "unknown", "ann", 0), (shown["tool"], shown["state"], shown["user"], shown["looks"]))
        self.assertEqual("unknown", self.stack.get("/v1/approvals/" + approval).data["state"])
        plain = token(permissions=["finance.*"])
        self.assertEqual(403, self.stack.post("/v1/effects/" + effect, {"outcome": "done"}, bearer=plain).status)
        other = token(sub="bea", permissions=["finance.*"])
        self.assertEqual([], self.stack.get("/v1/effects", bearer=other).data)
        self.assertEqual(404, self.stack.get("/v1/effects/" + effect, bearer=other).status)
        clerk = token(sub="clerk", permissions=["cogent.effects"])
        self.assertEqual([effect], [e["effect"] for e in self.stack.get("/v1/effects", bearer=clerk).data])
        self.assertEqual(400, self.stack.post("/v1/effects/" + effect, {"outcome": "maybe"}, bearer=clerk).status)
        settled = self.stack.post("/v1/effects/" + effect, {"outcome": "done", "result": {"number": "INV/0001"}, "note": "I looked."}, bearer=clerk)
        self.assertEqual((200, "done", "clerk", "I looked."),
                         (settled.status, settled.data["state"], settled.data["decided_by"], settled.data["note"]))
        again = self.stack.post("/v1/effects/" + effect, {"outcome": "failed"}, bearer=clerk)
        self.assertEqual((409, "effect_settled"), (again.status, again.json["error"]["code"]))
        seen = until("the approval to say so", lambda: (lambda d: d if d["state"] == "done" else None)(self.stack.get("/v1/approvals/" + approval).data))
        self.assertEqual({"number": "INV/0001"}, seen["result"])
        self.assertEqual(404, self.stack.post("/v1/effects/ef_nothing", {"outcome": "done"}, bearer=clerk).status)

    def cogent(self, *words):
        env = dict(os.environ, COGENT_URL=f"http://127.0.0.1:{self.stack.port}",
                   COGENT_TOKEN=token(sub="clerk", permissions=["cogent.effects"]))
        done = subprocess.run([os.environ["COGENT"], "effects", *words], env=env, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_on_the_command_line(self):
        _, effect = self.lose()
        code, out, _ = self.cogent()
        self.assertEqual(0, code)
        self.assertIn(effect, out)
        self.assertEqual(2, self.cogent("resolve", effect)[0], "done or failed must be said")
        code, out, err = self.cogent("resolve", effect, "--failed", "--note", "not there")
        self.assertEqual((0, "create_invoice: failed, by your word\n"), (code, out), err)
        code, _, err = self.cogent("resolve", effect, "--done")
        self.assertEqual(1, code)
        self.assertIn("in no doubt", err)
        self.assertNotIn(effect, self.cogent("--json")[1])
        self.assertIn(effect, self.cogent("--state", "failed")[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
