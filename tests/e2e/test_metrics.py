# SPDX-License-Identifier: Apache-2.0
"""What /metrics says after some questions: the series that a dashboard stands on, summed over workers, kept through
the death of one, bounded whatever callers send."""

import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from stack import Stack, token, until

MODELS = {"main": ["rules"], "usage": ["mock/usage"], "one-tool": ["mock/one-tool"], "down": ["mock/down"]}
PRICES = 'prices = { ["mock/usage"] = { input = 2.0, cached = 0.5, output = 8.0 } },'
INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
SERIES = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def parse(text):
    """{(name, labels as text): value}"""
    found = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            name, labels, value = SERIES.fullmatch(line).groups()
            key = (name, labels or "")
            assert key not in found, line
            found[key] = float(value)
    return found


def total(found, name, *labels):
    return sum(v for (n, text), v in found.items() if n == name and all(label in text for label in labels))


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(models=MODELS, workers=2, jobs=1, config=PRICES)
        cls.stack.wait_for_feeds()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def scrape(self):
        return parse(self.stack.metrics())

    def added(self, before, name, *labels):
        return total(self.scrape(), name, *labels) - total(before, name, *labels)

    def test_promtool_finds_nothing(self):
        self.stack.ask("What is the total of invoice 536365?")
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.stack.metrics(), text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual((0, ""), (checked.returncode, checked.stdout))

    def test_the_series_that_a_dashboard_needs(self):
        before = self.scrape()
        for _ in range(3):
            self.assertEqual("complete", self.stack.ask("hello", model="usage")["status"])
        self.stack.ask("total?", model="one-tool")
        self.assertEqual("provider_failed", self.stack.ask("hello", model="down")["error"]["code"])
        waiting = self.stack.ask(INVOICE)
        self.assertEqual("waiting", waiting["status"])
        self.stack.decide(waiting["approvals"][0]["id"], "deny")
        until("the denied run to end", lambda: self.added(before, "cogent_approvals_total", 'state="denied"') == 1)
        link = 'provider="mock",model="mock/usage"'
        for want, name, *labels in [
                (3, "llm_requests_total", link, 'outcome="ok"'),
                (1, "llm_requests_total", 'model="mock/down"', 'outcome="unavailable"'),
                (3, "llm_latency_seconds_count", link),
                (3, "llm_latency_seconds_bucket", link, 'le="+Inf"'),
                (3 * 1840, "llm_tokens_total", link, 'kind="input"'),
                (3 * 212, "llm_tokens_total", link, 'kind="output"'),
                (1, "cogent_runs_total", 'status="failed"'),
                (1, "cogent_runs_total", 'status="waiting"'),
                (6, "cogent_run_states_total", 'state="retrieve"'),
                (1, "cogent_tool_calls_total", 'tool="get_invoice"', 'status="done"'),
                (1, "cogent_tool_seconds_count", 'tool="get_invoice"'),
                (1, "cogent_policy_verdicts_total", 'point="tool_call"', 'verdict="allow"'),
                (1, "cogent_policy_verdicts_total", 'point="tool_call"', 'verdict="ask"'),
                (1, "cogent_approvals_total", 'state="waiting"'),
                (6, "cogent_http_requests_total", 'route="/v1/assistant/chat"')]:
            with self.subTest(f"{name} {labels}"):
                self.assertEqual(want, self.added(before, name, *labels))
        # 816 fresh and 1,024 cached tokens in, 212 out, at 2, 0.5 and 8 dollars a million.
        each = (816 * 2.0 + 1024 * 0.5 + 212 * 8.0) / 1e6
        self.assertAlmostEqual(3 * each, self.added(before, "llm_cost_dollars_total", link), places=6)
        text = self.stack.metrics()
        for name, kind in (("cogent_loop_stall_seconds", "gauge"), ("llm_latency_seconds", "histogram"), ("llm_requests_total", "counter")):
            self.assertIn(f"# TYPE {name} {kind}\n", text)

    def test_histograms_are_cumulative(self):
        found = self.scrape()
        rows = {}
        for (name, labels), value in found.items():
            if name.endswith("_bucket"):
                rest, bound = re.fullmatch(r'(.*),le="(.*)"', labels).groups()
                rows.setdefault((name[:-7], rest), []).append((float(bound.replace("+Inf", "inf")), value))
        self.assertTrue(rows)
        for (name, labels), buckets in rows.items():
            counts = [value for _, value in sorted(buckets)]
            self.assertEqual(sorted(counts), counts, name)
            self.assertEqual(counts[-1], found[(name + "_count", labels)])

    def test_questions_over_two_workers_are_summed(self):
        before = self.scrape()
        for _ in range(20):
            self.assertEqual("complete", self.stack.ask("hello", model="usage")["status"])
        self.assertEqual(20, self.added(before, "llm_requests_total", 'model="mock/usage"'))
        self.assertEqual(20, self.added(before, "cogent_runs_total", 'status="complete"'))
        answered = {line["who"] for line in self.stack.log_lines() if line["event"] == "provider.turn"}
        self.assertGreaterEqual(len(answered), 2, "one worker answered all: nothing was summed")
        # Whichever worker answers the scrape, it says the same.
        one = lambda: {k: v for k, v in self.scrape().items() if k[0] == "llm_requests_total"}
        self.assertEqual([one()] * 6, [one() for _ in range(6)])

    def test_a_dead_worker_keeps_its_counts(self):
        for _ in range(6):
            self.stack.ask("hello", model="usage")
        before = self.scrape()
        workers = self.stack.workers()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        until("new workers", lambda: len(set(self.stack.workers()) - set(workers)) == 2)
        until("the metrics", self.answers)
        for name in ("llm_requests_total", "llm_cost_dollars_total", "llm_latency_seconds_count"):
            self.assertAlmostEqual(0, self.added(before, name, "mock/usage"), places=6)
        until("both to have started", lambda: self.answers() and self.added(before, "cogent_worker_starts_total", 'role="serve"') == 2)
        # Gauges are of the living: after a reload the new workers have slots of their own.
        workers = set(self.stack.workers())
        self.stack.server.send_signal(signal.SIGHUP)
        until("the old workers to go", lambda: len(self.stack.workers()) == 2 and not workers & set(self.stack.workers()))
        slots = lambda: {labels for name, labels in self.scrape() if name == "cogent_connections"}
        until("the metrics", self.answers)
        time.sleep(1.5)  # gauges are set once a second
        self.assertEqual(2, len(slots()))
        self.assertAlmostEqual(0, self.added(before, "llm_requests_total", "mock/usage"))

    def answers(self):
        try:
            return "cogent_worker_starts_total" in self.stack.metrics()
        except OSError:
            return False

    def test_labels_are_bounded(self):
        before = set(self.scrape())
        for i in range(40):
            self.stack.get(f"/nothing/{i}")
            self.stack.get(f"/v1/runs/run_{i}")
            self.stack.ask("hello", model=f"nosuch-{i}")
            self.stack.call("PUT", f"/v1/documents/kind{i}/1", {"id": "1"}, bearer=token())
            self.stack.call(f"VERB{i}", "/v1/me")
            self.stack.get("/v1/me", bearer=token(tenant=f"nosuch{i}"))
        more = set(self.scrape()) - before
        self.assertLess(len(more), 20, sorted(more)[:40])
        for name, labels in self.scrape():
            for canary in ("demo", "nosuch", "kind3", "run_", "nothing", "536365"):
                self.assertNotIn(canary, labels, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
