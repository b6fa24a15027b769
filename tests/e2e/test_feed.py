# SPDX-License-Identifier: Apache-2.0
"""Records that change in the ERP change here: a new version replaces the old one, deletions show in the sweep."""

import json
import os
import shutil
import subprocess
import unittest

from stack import Stack, token, until


class Feed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(tenants=("demo", "other"), start=False)
        entities = os.path.join(stack.folder, "entities")
        shutil.copytree(os.environ["COGENT_SHARE"] + "/entities", entities)
        for name in os.listdir(entities):
            with open(os.path.join(entities, name), encoding="utf-8") as file:
                text = file.read()
            stack.write(os.path.join(entities, name), text.replace("every = 5", "every = 1").replace('sweep = "24h"', 'sweep = "1s"'))
        stack.write_config(extra='entities = "entities",')
        stack.start()
        stack.wait_for_feeds()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def document(self, id_, tenant="demo"):
        reply = self.stack.get("/v1/documents/invoice/" + id_, bearer=token(tenant))
        return reply.data if reply.status == 200 else None

    def erp(self, method, path, body=None):
        status, answer, _ = self.stack.erp.call(method, path, body, bearer=token())
        self.assertIn(status, (200, 201, 204), answer)
        return answer

    def test_a_change_a_new_one_and_a_deletion(self):
        self.assertIn("Net 30", self.document("536365")["chunks"][0]["text"])
        self.erp("PATCH", "/invoices/536365", {"payment_terms": "Prepaid canary"})
        until("the change", lambda: "Prepaid canary" in self.document("536365")["chunks"][0]["text"])
        self.assertNotIn("Prepaid canary", self.document("536365", "other")["chunks"][0]["text"])
        new = self.erp("POST", "/invoices", {"customer_id": "17850", "line_items": [
            {"item_id": "85123A", "quantity": 3, "unit_price": "2.55"}]})["data"]
        until("the new invoice", lambda: self.document(new["id"]))
        found = self.stack.post("/v1/search", {"query": new["number"]}).data
        self.assertEqual(new["id"], found[0]["id"], "a number finds its record first")
        self.erp("DELETE", "/invoices/" + new["id"])
        until("the deletion", lambda: self.document(new["id"]) is None)
        self.assertEqual([], [f for f in self.stack.post("/v1/search", {"query": new["number"]}).data if f["id"] == new["id"]])
        self.assertIsNotNone(self.document("536365"), "what is still there stays")

    def test_the_position_is_kept(self):
        series = 'cogent_records_total{type="inventory_item",outcome="put"}'
        self.stack.stop_server()
        self.stack.start()
        polled = 'cogent_feed_polls_total{type="inventory_item",outcome="idle"}'
        until("two polls", lambda: self.stack.metric(polled) >= 4)
        self.assertEqual(0, self.stack.metric(series), "nothing is read twice")


class Refused(unittest.TestCase):
    def test_records_that_cannot_be_read_cost_themselves_alone(self):
        with Stack(start=False) as stack:
            entities = os.path.join(stack.folder, "entities")
            shutil.copytree(os.environ["COGENT_SHARE"] + "/entities", entities)
            with open(os.path.join(entities, "customer.lua"), encoding="utf-8") as file:
                text = file.read()
            broken = text.replace("every = 5", "every = 1").replace("chunk  = function(r)", 'chunk  = function(r)\n    if r.id ~= "17850" then error "unreadable" end')
            self.assertNotEqual(text, broken)
            stack.write(os.path.join(entities, "customer.lua"), broken)
            stack.write_config(extra='entities = "entities",')
            stack.start()
            until("more polls", lambda: stack.metric('cogent_feed_polls_total{type="customer",outcome="idle"}') >= 3)
            self.assertEqual(1, stack.metric('cogent_records_total{type="customer",outcome="put"}'))
            refused = stack.metric('cogent_records_total{type="customer",outcome="refused"}')
            self.assertEqual(stack.erp.counts("demo")["customers"] - 1, refused)
            self.assertEqual(0, stack.metric('cogent_feed_polls_total{type="customer",outcome="failed"}'))
            self.assertNotIn("worker.died", stack.logged())


class Failed(unittest.TestCase):
    """A feed that cannot be read: the log says why, in words."""

    def why(self, stack, kind="invoice"):
        lines = until("feed.failed", lambda: [line for line in stack.log_lines() if line["event"] == "feed.failed" and line["kind"] == kind])
        return lines[0]["error"], lines[0]["why"]

    def doctor(self, stack, status=1):
        done = subprocess.run([os.environ["COGENT"], "doctor", "--json", "-c", stack.config], stdout=subprocess.PIPE, text=True, check=False,
                              env=dict(os.environ, COGENT_URL=stack.url, COGENT_TOKEN="x"))
        self.assertEqual(status, done.returncode, done.stdout)
        return {row["check"]: row for row in json.loads(done.stdout)}

    def test_of_a_tenant_without_an_erp(self):
        with Stack(feeds=False, fields={"books_url": "http://127.0.0.1:1"}) as stack:
            row = self.doctor(stack)["demo: invoice"]
            self.assertTrue(row["ok"], row)
            self.assertEqual("0 records; its feed is not read: the tenant has no erp_url", row["says"])

    def test_without_its_secret(self):
        with Stack(start=False) as stack:
            secret = os.path.join(stack.state, "secrets", "demo", "erp_service")
            os.unlink(secret)
            stack.start()
            error, why = self.why(stack)
            self.assertEqual("auth", error)
            self.assertIn("the secret erp_service of tenant demo is missing", why)
            self.assertIn(secret, why)
            row = self.doctor(stack)["demo: invoice"]
            self.assertFalse(row["ok"])
            self.assertIn(why, row["says"])
            stack.write(secret, token("demo", ["*.read"], sub="svc:cogent"))
            read = ('cogent_records_total{type="%s",outcome="put"}' % kind for kind in ("invoice", "customer"))
            until("records: the file is read anew", lambda s=list(read): any(stack.metric(series) for series in s))

    def test_with_a_secret_that_others_read_or_that_is_refused(self):
        for text, mode, words in (("x", 0o604, "is open to everybody"), ("x", 0o600, "refused the account")):
            with self.subTest(words), Stack(start=False) as stack:
                secret = os.path.join(stack.state, "secrets", "demo", "erp_service")
                stack.write(secret, text)
                os.chmod(secret, mode)
                stack.start()
                self.assertIn(words, self.why(stack)[1])

    def test_from_a_service_that_is_not_there(self):
        with Stack(start=False) as stack:
            stack.erp.stop()
            stack.erp = None
            stack.start()
            self.assertIn("cannot be reached", self.why(stack)[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
