# SPDX-License-Identifier: Apache-2.0
"""Hostile policies at a real server: every call is denied with a reason, other tenants are answered meanwhile, and the
worker stays who it was. Run as a program it also says how long the loop stood still:

    COGENT_SHOW_STALL=1 meson test -C build-release e2e_scripts --verbose
"""

import json
import os
import shutil
import threading
import time
import unittest

from stack import Stack, token, until

HOSTILE = {
    "loop": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "text": "local s = 'x' while true do s = s .. s end",
    "keys": "while true do local t = {} for i = 1, 2040 do t[i * 4095] = i end end",
    "nul": "local a = ('\\0'):rep(65000) a = a .. a .. a .. a .. a .. a .. a local b = a .. 'b' a = a .. 'a' "
           "while true do local c = a < b end",
    "match": "while true do match(('a'):rep(30000), '[^bc]*+[bc]') end",
    "tables": "local l = {} for i = 1, 1e9 do l[i] = { i } end",
    "format": "while true do string.format('%99.99f', 1e308) end",
}
TENANTS = ["demo"] + [f"evil{i}" for i in range(6)]
CALLS = 8


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(tenants=TENANTS, models={"main": ["mock/many"], "plain": ["mock/plain"]}, workers=1, feeds=False,
                          start=False, config='policies = "bundle", limits = { calls_per_hour = 100000 },')
        cls.addClassCleanup(cls.stack.stop)
        calls = [{"id": f"call_{i}", "name": "get_invoice", "arguments": '{"number":"536365"}'} for i in range(CALLS)]
        cls.stack.use_script({"many": [[{"calls": calls}], [{"text": "No."}]], "plain": [[{"text": "Hello."}]]})
        cls.stack.write_config({"main": ["mock/many"], "plain": ["mock/plain"]}, workers=1,
                               extra='policies = "bundle", limits = { calls_per_hour = 100000 },')
        bundle = os.path.join(cls.stack.folder, "bundle")
        shutil.copytree(os.path.join(os.environ["COGENT_SHARE"], "bundles/default"), bundle)
        os.makedirs(os.path.join(bundle, "policies/evil"))
        for name, body in HOSTILE.items():
            cls.stack.write(os.path.join(bundle, f"policies/evil/{name}.lua"),
                            f"return {{ on = 'tool_call', decide = function(call, ctx) "
                            f"if ctx.user.id ~= '{name}' then return end {body}\nend }}")
        cls.stack.start()

    def ask(self, tenant, user):
        found = self.stack.stream("What is the total of invoice 536365?", bearer=token(tenant, sub=user))
        return [e["data"] for e in found if e["event"] == "tool_result"], found[-1]["data"]

    def torment(self, tenant, rounds):
        """One user a script: each is stopped until it is quarantined."""
        for _ in range(rounds):
            for name in HOSTILE:
                results, done = self.ask(tenant, name)
                self.results += [(name, r["status"], r.get("error", {}).get("message", "")) for r in results]
                self.ends.append(done.get("status"))

    def watch(self):
        while not self.over.wait(0.2):
            self.stalls += [float(line.rsplit(" ", 1)[1]) for line in self.stack.metrics().split("\n")
                            if line.startswith('cogent_loop_stall_seconds{')][:1]

    def test_every_call_is_denied_and_the_others_are_answered(self):
        self.results, self.ends, self.stalls, self.over = [], [], [], threading.Event()
        pids = set(self.stack.workers())
        watcher = threading.Thread(target=self.watch)
        evil = [threading.Thread(target=self.torment, args=(t, 4)) for t in TENANTS[1:]]
        watcher.start()
        until("a look at the loop", lambda: self.stalls)
        if os.environ.get("COGENT_SHOW_STALL"):  # what the machine itself does to a loop
            end = time.monotonic() + 5
            while time.monotonic() < end:
                self.stack.ask("Hello", model="plain")
        quiet = max(self.stalls)
        self.stalls.clear()
        for thread in evil:
            thread.start()
        answered = 0
        while any(thread.is_alive() for thread in evil):
            self.assertEqual("Hello.", self.stack.ask("Hello", model="plain")["content"])
            answered += 1
        for thread in evil:
            thread.join()
        time.sleep(1.2)
        self.over.set()
        watcher.join()
        wanted = 4 * len(HOSTILE) * len(TENANTS[1:]) * CALLS
        self.assertEqual(wanted, len(self.results))
        self.assertEqual({"complete"}, set(self.ends))
        for name, status, message in self.results:
            self.assertEqual("denied", status, name)
            self.assertRegex(message, "used up|names|quarantined|longer than 5 ms together")
        for name in HOSTILE:
            self.assertIn("quarantined", " ".join(m for n, _, m in self.results if n == name), name)
        # The operator sees it: a number that an alert can stand on, and each script's name once for each tenant.
        self.assertGreater(self.stack.metric('cogent_policy_stopped_total{point="tool_call",why="quarantined"}'), 0)
        lines = [line for line in self.stack.logged().split("\n") if "policy.quarantined" in line]
        self.assertEqual(len(HOSTILE) * len(TENANTS[1:]), len(lines))
        for name in HOSTILE:
            self.assertEqual(len(TENANTS[1:]), sum(f"evil/{name}" in line for line in lines), name)
        self.assertGreater(answered, 0)
        self.assertEqual(pids, set(self.stack.workers()), "the worker is the one it was")
        if os.environ.get("COGENT_SHOW_STALL"):
            print(f"{wanted} calls denied, {answered} others answered; the loop stood still for at most "
                  f"{max(self.stalls) * 1000:.1f} ms, without them {quiet * 1000:.1f} ms")


if __name__ == "__main__":
    unittest.main()
