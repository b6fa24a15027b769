# SPDX-License-Identifier: Apache-2.0
"""The four shipped kinds of records as texts to be searched: golden, without lines, with a thousand, with members missing.
And what a user asks about them on the generated company, in several wordings each."""

import unittest

from stack import Stack, events, token, until

LINE = {"item_id": "85123A", "description": "White hanging heart T-light holder", "quantity": 6, "unit_price": "2.55", "amount": "15.30"}
INVOICE = {"id": "G1", "number": "G-1", "date": "2025-12-01", "status": "open", "currency": "GBP", "total_amount": "15.30",
           "payment_terms": "Net 30", "customer": {"id": "17850", "name": "Harbour & Finch Ltd"}, "items": [LINE]}
ORDER = {"id": "G1", "number": "SO-G1", "date": "2025-12-02", "status": "draft", "currency": "GBP", "total_amount": "15.30",
         "customer": {"id": "17850", "name": "Harbour & Finch Ltd"}, "items": [LINE]}
ITEM = {"id": "G1", "sku": "G1SKU", "description": "A golden item", "category": "gold", "unit_price": "1.25", "currency": "GBP",
        "on_hand": 10, "reserved": 3, "available": 7, "reorder_point": 5}
CUSTOMER = {"id": "G1", "name": "Golden & Sons", "country": "France", "since": "2024-02-29", "credit_limit": "500.00",
            "currency": "GBP", "invoices": 3, "invoiced_total": "45.90"}
HEAD = "Invoice G-1, customer 17850, date 2025-12-01, status open\n"
ORDER_HEAD = "Sales order SO-G1, customer 17850, date 2025-12-02, status draft\n"

GOLDEN = [
    ("invoice", INVOICE, [HEAD + "Harbour & Finch Ltd, Net 30, 1 lines, total 15.30 GBP",
                          HEAD + "6 x 85123A White hanging heart T-light holder at 2.55 = 15.30"]),
    ("invoice", dict(INVOICE, items=[]), [HEAD + "Harbour & Finch Ltd, Net 30, 0 lines, total 15.30 GBP"]),
    ("invoice", {k: INVOICE[k] for k in INVOICE if k not in ("payment_terms", "items")},
     [HEAD + "Harbour & Finch Ltd, no payment terms, 0 lines, total 15.30 GBP"]),
    ("invoice", dict(INVOICE, customer=None, items=[{"quantity": 2}]),
     ["Invoice G-1, date 2025-12-01, status open\nNo customer, Net 30, 1 lines, total 15.30 GBP",
      "Invoice G-1, date 2025-12-01, status open\n2 x ?  at ? = ?"]),
    ("sales_order", ORDER, [ORDER_HEAD + "Harbour & Finch Ltd, 1 lines, total 15.30 GBP",
                            ORDER_HEAD + "6 x 85123A White hanging heart T-light holder at 2.55 = 15.30"]),
    ("sales_order", dict(ORDER, items=[]), [ORDER_HEAD + "Harbour & Finch Ltd, 0 lines, total 15.30 GBP"]),
    ("sales_order", dict({k: ORDER[k] for k in ORDER if k != "items"}, customer=None, total_amount=None),
     ["Sales order SO-G1, date 2025-12-02, status draft\nNo customer, 0 lines, total ? GBP"]),
    ("inventory_item", ITEM, ["A golden item (G1SKU)\nA golden item, gold, 1.25 GBP\non hand 10, reserved 3, available 7, reorder point 5"]),
    ("inventory_item", {"id": "G1", "sku": "G1SKU", "unit_price": "1.25", "currency": None},
     [" (G1SKU)\nG1SKU, no category, 1.25 \non hand ?, reserved ?, available ?, reorder point ?"]),
    ("customer", CUSTOMER, ["Customer Golden & Sons, customer G1, date 2024-02-29\nGolden & Sons (G1), France, customer since 2024-02-29\n"
                            "credit limit 500.00 GBP, 3 invoices, 45.90 GBP invoiced"]),
    ("customer", {"id": "G1", "name": "Golden & Sons", "country": None, "since": None, "currency": "EUR"},
     ["Customer Golden & Sons, customer G1\nGolden & Sons (G1), country unknown, customer since no known day\n"
      "credit limit ? EUR, ? invoices, ? EUR invoiced"]),
]
# What a column is read from must be there, though it may be null.
MISSING = [("invoice", INVOICE, "total_amount", "amount"), ("invoice", INVOICE, "number", "number"),
           ("sales_order", ORDER, "status", "status"), ("inventory_item", ITEM, "sku", "number"),
           ("customer", CUSTOMER, "since", "date")]

STOCK = ("How much stock of 85123A do we have?", "what's the inventory level of 85123A", "Is 85123A available?",
         "how many 85123A are on hand", "stock level for sku 85123A please")
LOW = ("What is low?", "what is low on stock", "Which items are running low?", "what do we need to reorder",
       "are we short of anything")
WHO = ("Who is customer 17850?", "who's customer number 17850", "Tell me about customer no 17850", "which company is client 17850?")
SET = ("Set stock of 85123A to 40", "Please update the stock of item 85123A to 40", "Set the stock level of 85123A to 40.",
       "correct stock on hand for sku 85123A to 40")


class Chunks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(jobs=0)  # no feed: what is there was put there

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def put(self, kind, record):
        path = f"/v1/documents/{kind}/{record['id']}"
        self.stack.call("DELETE", path)
        reply = self.stack.call("PUT", path, {"record": record})
        self.assertEqual(200, reply.status, reply.body)
        return [c["text"] for c in self.stack.get(path).data["chunks"]]

    def test_golden(self):
        for kind, record, wanted in GOLDEN:
            with self.subTest(kind, members=sorted(record)):
                self.assertEqual(wanted, self.put(kind, record))

    def test_a_record_without_its_columns_is_refused(self):
        for kind, record, member, column in MISSING:
            with self.subTest(kind, member=member):
                less = {k: v for k, v in record.items() if k != member}
                reply = self.stack.call("PUT", f"/v1/documents/{kind}/G2", {"record": less})
                self.assertEqual((400, f"{member} is missing (entities/{kind}.lua: {column})"), (reply.status, reply.json["detail"]))

    def test_a_thousand_lines(self):
        lines = [dict(LINE, item_id=f"I{n:04}") for n in range(1000)]
        for kind, record, head in (("invoice", INVOICE, HEAD), ("sales_order", ORDER, ORDER_HEAD)):
            with self.subTest(kind):
                texts = self.put(kind, dict(record, items=lines))
                self.assertEqual(101, len(texts))
                self.assertIn("1000 lines", texts[0])
                self.assertTrue(all(t.startswith(head) for t in texts))
                self.assertEqual([f"I{n:04}" for n in range(1000)],
                                 [line.split()[2] for t in texts[1:] for line in t[len(head):].split("\n")])
        # The one line among a thousand is found, and its ten with it.
        found = self.stack.post("/v1/search", {"query": "I0777", "types": ["invoice"]}).data
        self.assertIn("I0777", found[0]["text"])

    def test_what_is_asked_about_stock_and_customers(self):
        for words in STOCK:
            with self.subTest(words):
                self.assertIn("905 on hand, 84 reserved, 821 available", self.stack.ask(words)["content"])
        for words in LOW:
            with self.subTest(words):
                answer = self.stack.ask(words)["content"]
                self.assertIn("22383", answer)
                self.assertIn("Lunch bag", answer)
        for words in WHO:
            with self.subTest(words):
                answer = self.stack.ask(words)
                self.assertIn("Harbour & Finch Ltd", answer["content"])
                self.assertEqual("customer", answer["citations"][0]["type"])

    def test_zz_setting_stock_asks(self):
        for words in SET:
            with self.subTest(words):
                found = self.stack.stream(words)
                self.assertEqual("waiting", found[-1]["data"]["status"])
                approval = next(e["data"] for e in found if e["event"] == "approval")
                self.assertEqual(("update_inventory", {"sku": "85123A", "on_hand": 40}), (approval["tool"], approval["arguments"]))
                self.assertIn("905 on hand", self.stack.ask(STOCK[0])["content"])
                self.stack.decide(approval["id"], "deny")
        approval = self.stack.stream(SET[0])[-1]["data"]["approvals"][0]
        done = events(self.stack.decide(approval, stream=True).body)[-1]["data"]
        self.assertIn("is now 40", done["content"])
        self.assertIn("40 on hand", self.stack.ask(STOCK[0])["content"])

    def test_and_in_april(self):
        first = self.stack.ask("What were our sales in March 2025?")
        second = self.stack.ask("and in April?", session=first["session"])
        alone = self.stack.ask("What were our sales in April 2025?")
        self.assertEqual(alone["content"], second["content"])
        self.assertNotEqual(first["content"], second["content"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
