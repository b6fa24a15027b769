# SPDX-License-Identifier: Apache-2.0
"""erp-demo through its front door: the binary named by ERP_DEMO, a ledger of its own, plain HTTP."""

import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
from decimal import Decimal
from urllib.parse import quote

from erp import Erp, token

# Seven documents: quotes, a comma, a line break and a doubled quote inside a field, an anonymous sale, a
# cancellation, a free item, an item without any name; and six lines that cannot be read.
CSV = "\r\n".join([
    "invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country",
    '700001,10A,"Lantern, ""Vega""",6,2024-03-04T09:15,2.55,10001,United Kingdom',
    "700001,20B,Plain bowl,3,2024-03-04T09:15,0.335,10001,United Kingdom",
    '700002,10A,"Lantern, ""Vega""",10,2024-03-05T10:00,2.50,10002,France',
    "this line has no fields at all",
    '700003,10A,"Lantern, ""Vega""",4,2024-03-06T10:00,2.55,,United Kingdom',
    '700003,30C,"Two\nlines",1,2024-03-06T10:00,19.99,,United Kingdom',
    "700004,20B,Plain bowl,many,2024-03-07T10:00,1.00,10002,France",
    'C700005,10A,"Lantern, ""Vega""",-2,2024-03-08T10:00,2.50,10002,France',
    "700006,40D,,5,2024-04-01T10:00,0,10001,United Kingdom",
    "700007,20B,Plain bowl,2,2024-04-31T10:00,1.00,10001,United Kingdom",
    "700007,20B,Plain bowl,2,2024-04-30T10:00,1.00,10001,United Kingdom",
    "700007,20B,Plain bowl,2,2024-04-30T1x:00,1.00,10001,United Kingdom",
    '700008,20B,"Plain bowl,2,2024-04-30T10:00,1.00,10001,United Kingdom',
    "700009,20B,Plain bowl,1,2024-04-30T10:05,1.00,10001,United Kingdom",
    "700009,20B,Plain bowl,1,2024-04-30T10:05,1.00,10001,United Kingdom",
    "700010,20B,Plain bowl,1,2024-04-30T10:05,cheap,10001,United Kingdom",
    ""])
BAD_LINES = {5: "fields", 9: "quantity", 12: "date", 14: "date and time", 15: "quote", 18: "unit_price"}


class ErpCase(unittest.TestCase):
    arguments = ()
    directory = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.erp = Erp(cls.directory, *cls.arguments)

    @classmethod
    def tearDownClass(cls):
        status = cls.erp.stop()
        errors = cls.erp.stderr()
        shutil.rmtree(cls.directory)
        if status != 0:
            raise AssertionError(f"erp-demo ended with {status}: {errors}")

    def refused(self, status, words, answer):
        self.assertEqual((answer[0], list(answer[1])), (status, ["detail"]), answer[1])
        self.assertIn(words, answer[1]["detail"])


class Generated(ErpCase):
    arguments = ("--tenant", "acme", "--faults")

    def test_well_known_documents(self):
        invoice = self.erp.get("/invoices/536365")["data"]
        self.assertEqual(invoice["total_amount"], "139.12")
        self.assertEqual(invoice["customer"], {"id": "17850", "name": "Harbour & Finch Ltd"})
        self.assertEqual(invoice["date"], "2024-07-01")
        self.assertEqual([line["amount"] for line in invoice["items"]],
                         ["15.30", "20.34", "22.00", "20.34", "20.34", "15.30", "25.50"])
        self.assertEqual(self.erp.get("/customers/17850")["data"]["since"], "2024-07-01")
        item = self.erp.get("/inventory/items/85123A")["data"]
        self.assertEqual((item["description"], item["unit_price"]), ("White hanging heart T-light holder", "2.55"))
        self.assertEqual(item["available"], item["on_hand"] - item["reserved"])

    def test_the_figures_that_the_readme_quotes(self):
        def sales(since, until, **query):
            return self.erp.get("/reports/sales-summary", **{"from": since, "to": until}, **query)["data"]
        customer = self.erp.get("/customers/17850")["data"]
        self.assertEqual((customer["credit_limit"], customer["invoices"], customer["invoiced_total"]),
                         ("20000.00", 228, "34826.91"))
        unpaid = self.erp.get("/invoices", customer_id="17850", status="open")
        self.assertEqual((unpaid["total"], unpaid["sum"]), (9, "1427.51"))
        for sku, stock in (("85123A", (905, 84, 821, 492)), ("22423", (129, 24, 105, 139))):
            item = self.erp.get("/inventory/items/" + sku)["data"]
            self.assertEqual((item["on_hand"], item["reserved"], item["available"], item["reorder_point"]), stock)
        low = self.erp.get("/inventory/low-stock")
        self.assertEqual((low["total"], low["items"][0]["sku"], low["items"][0]["on_hand"]), (15, "22383", 3))
        november = sales("2025-11-01", "2025-11-30", item_id="85123A")
        self.assertEqual((november["units"], november["amount"]), (1377, "3283.35"))
        self.assertEqual(sales("2025-11-01", "2025-11-30")["amount"], "48106.05")
        best = sales("2025-01-01", "2025-12-31", item_id="22423", group_by="customer", order="units", limit=1)
        self.assertEqual([(g["key"], g["units"]) for g in best["groups"]], [("15311", 327)])
        best = sales("2025-01-01", "2025-12-31", group_by="item", order="units", limit=1)
        self.assertEqual([(g["key"], g["units"]) for g in best["groups"]], [("85123A", 6267)])
        self.assertEqual([self.erp.get("/sales-orders", status=s)["total"] for s in ("draft", "confirmed", "done")],
                         [7, 42, 11])
        order = self.erp.get("/sales-orders/SO7001")["data"]
        self.assertEqual((order["status"], order["customer"]["id"], order["total_amount"]), ("draft", "18102", "193.23"))
        self.assertEqual(self.erp.get("/invoices", status="credit")["total"], 89)

    def test_size_and_period(self):
        counts = self.erp.counts()
        self.assertEqual((counts["invoices"], counts["customers"], counts["items"], counts["sales_orders"]),
                         (3927, 40, 62, 60))
        summary = self.erp.get("/reports/sales-summary", group_by="month")["data"]
        self.assertEqual([g["key"] for g in summary["groups"]][::17], ["2024-07", "2025-12"])
        self.assertEqual(summary["amount"], "622368.33")

    def test_seasons(self):
        def units(sku, month):
            return self.erp.get("/reports/sales-summary", item_id=sku, **{"from": month + "-01", "to": month + "-28"}
                                )["data"]["units"]
        self.assertGreater(units("22993", "2025-06"), 2 * units("22993", "2025-12"))
        self.assertGreater(units("22633", "2025-12"), 2 * units("22633", "2025-06"))
        sunday = self.erp.get("/reports/sales-summary", **{"from": "2025-03-02", "to": "2025-03-02"})["data"]
        self.assertEqual((sunday["units"], sunday["amount"], sunday["invoices"]), (0, "0.00", 0))

    def test_headers_lines_and_groups_agree(self):
        listed = self.erp.get("/invoices", limit=1)
        whole = self.erp.get("/reports/sales-summary", group_by="item", limit=1000)["data"]
        self.assertEqual(whole["amount"], listed["sum"])
        self.assertEqual(whole["invoices"], listed["total"])
        self.assertEqual(sum(Decimal(g["amount"]) for g in whole["groups"]), Decimal(whole["amount"]))
        self.assertEqual(sum(g["units"] for g in whole["groups"]), whole["units"])
        months = self.erp.get("/reports/sales-summary", group_by="month")["data"]["groups"]
        self.assertEqual(sum(Decimal(g["amount"]) for g in months), Decimal(whole["amount"]))
        customers = self.erp.get("/reports/sales-summary", group_by="customer", limit=1000)["data"]["groups"]
        self.assertEqual(len(customers), 40)
        self.assertLess(sum(g["units"] for g in customers), whole["units"])
        of_one = self.erp.get("/reports/sales-summary", customer_id="17850")["data"]
        self.assertEqual(of_one["amount"], self.erp.get("/customers/17850")["data"]["invoiced_total"])

    def test_low_stock_is_low_and_worst_first(self):
        low = self.erp.get("/inventory/low-stock", limit=500)
        self.assertTrue(0 < low["total"] < 40)
        self.assertEqual(len(low["items"]), low["total"])
        parts = [row["on_hand"] / row["reorder_point"] for row in low["items"]]
        self.assertEqual(parts, sorted(parts))
        self.assertLessEqual(max(parts), 1)
        rows = self.erp.get("/inventory/items", limit=500)["items"]
        self.assertEqual(sum(r["on_hand"] <= r["reorder_point"] for r in rows), low["total"])

    def test_reserved_is_what_confirmed_orders_want(self):
        wanted = {}
        for order in self.erp.get("/sales-orders", status="confirmed", limit=500)["items"]:
            for line in order["items"]:
                wanted[line["item_id"]] = wanted.get(line["item_id"], 0) + line["quantity"]
        rows = self.erp.get("/inventory/items", limit=500)["items"]
        self.assertTrue(wanted)
        self.assertEqual({r["sku"]: r["reserved"] for r in rows if r["reserved"]}, wanted)

    def test_sales_orders(self):
        listed = self.erp.get("/sales-orders", limit=500)
        self.assertEqual((len(listed["items"]), listed["total"]), (60, 60))
        self.assertEqual(sum(Decimal(o["total_amount"]) for o in listed["items"]), Decimal(listed["sum"]))
        order = self.erp.get("/sales-orders/SO7001")["data"]
        self.assertEqual(sum(Decimal(i["amount"]) for i in order["items"]), Decimal(order["total_amount"]))
        self.refused(404, "SO1", self.erp.call("GET", "/sales-orders/SO1"))

    def test_lists_page_without_gap_or_repeat(self):
        pages = [self.erp.get("/invoices", customer_id="17850", limit=50, offset=o) for o in range(0, 250, 50)]
        numbers = [row["number"] for page in pages for row in page["items"]]
        self.assertEqual((len(numbers), len(set(numbers))), (pages[0]["total"], pages[0]["total"]))
        dates = [row["date"] for page in pages for row in page["items"]]
        self.assertEqual(dates, sorted(dates, reverse=True))
        places = [(row["date"], int(row["number"].lstrip("C"))) for page in pages for row in page["items"]]
        self.assertEqual(places, sorted(places, reverse=True))
        self.assertTrue(all(page["sum"] == "34826.91" for page in pages))

    def test_filters(self):
        rows = self.erp.get("/invoices", status="credit", date_from="2025-01-01", date_to="2025-06-30", limit=500)
        self.assertTrue(rows["items"])
        for row in rows["items"]:
            self.assertEqual(row["status"], "credit")
            self.assertTrue("2025-01-01" <= row["date"] <= "2025-06-30")
            self.assertTrue(row["total_amount"].startswith("-"))
        self.assertEqual(self.erp.get("/invoices", customer_id="99999")["total"], 0)
        day = self.erp.get("/invoices", date_from="2024-07-01", date_to="2024-07-01")
        self.assertIn("536365", [row["number"] for row in day["items"]])
        self.assertEqual({row["date"] for row in day["items"]}, {"2024-07-01"})
        self.assertEqual([c["id"] for c in self.erp.get("/customers", q="harbour & f")["items"]], ["17850"])
        self.assertEqual(self.erp.get("/inventory/items", q="85123a")["total"], 1)
        self.assertEqual(self.erp.get("/customers", q="%")["total"], 0)
        for query, words in (({"limit": "501"}, "limit"), ({"limit": "x"}, "limit"), ({"offset": "-1"}, "offset"),
                             ({"status": "gone"}, "gone"), ({"date_from": "2025-02-30"}, "2025-02-30")):
            self.refused(422, words, self.erp.call("GET", "/invoices", **query))
        self.refused(422, "week", self.erp.call("GET", "/reports/sales-summary", group_by="week"))
        self.refused(404, "NONE", self.erp.call("GET", "/reports/sales-summary", item_id="NONE"))

    def test_changed_pages_through_all_of_every_kind(self):
        counts = self.erp.counts()
        for path, name in (("/invoices", "invoices"), ("/customers", "customers"), ("/inventory/items", "items"),
                           ("/sales-orders", "sales_orders")):
            for parameter in ("after", "modified_after"):
                seen, stamps, since = [], [], None
                while True:
                    page = self.erp.get(path + "/changed", limit=500, **({parameter: since} if since else {}))
                    seen += [row["id"] for row in page["items"]]
                    stamps += [row["modified"] for row in page["items"]]
                    since = page["next"]
                    if since is None:
                        break
                self.assertEqual((len(seen), len(set(seen))), (counts[name], counts[name]), path)
                self.assertEqual(stamps, sorted(set(stamps)))
            ids, after = [], None
            while True:
                page = self.erp.get(path + "/ids", limit=700, **({"after": after} if after else {}))
                ids += page["items"]
                after = page["next"]
                if after is None:
                    break
            self.assertEqual(sorted(ids), sorted(seen))
        self.refused(422, "yesterday", self.erp.call("GET", "/invoices/changed", modified_after="yesterday"))
        late = self.erp.get("/invoices/changed", modified_after="2024-07-01T10:26:00.000001+02:00", limit=1)["items"]
        self.assertEqual(late, self.erp.get("/invoices/changed", limit=2)["items"][1:])
        offset = self.erp.get("/invoices/changed", limit=2, offset=1)["items"]
        self.assertEqual(offset[0], self.erp.get("/invoices/changed", limit=2)["items"][1])

    def test_two_fresh_ledgers_are_the_same(self):
        with tempfile.TemporaryDirectory() as directory:
            other = Erp(directory, "--tenant", "acme", "--faults")
            try:
                for path, query in (("/reports/sales-summary", {"group_by": "day"}), ("/invoices/ids", {"limit": 5000}),
                                    ("/inventory/items", {"limit": 500}), ("/customers", {"limit": 500}),
                                    ("/sales-orders", {"limit": 500}), ("/invoices/changed", {"limit": 500})):
                    self.assertEqual(self.erp.get(path, **query), other.get(path, **query), path)
            finally:
                self.assertEqual(other.stop(), 0)

    def test_health_needs_nobody(self):
        for path in ("/health", "/api/v1/health"):
            status, body, _ = self.erp.call("GET", path, headers={"Authorization": None})
            self.assertEqual((status, body["status"]), (200, "ok"))


class Doors(ErpCase):
    """Who may come in, and what a bad request meets."""
    arguments = ("--tenant", "acme", "--tenant", "beta")

    def may(self, permissions, path="/invoices/536365", method="GET", **claims):
        return self.erp.call(method, path, bearer=token(permissions=permissions, **claims))[0]

    def test_bad_tokens(self):
        good = token()
        bad = {
            "none": {"Authorization": None},
            "another scheme": {"Authorization": "Basic " + good},
            "no JWT": {"Authorization": "Bearer abc"},
            "another secret": {"Authorization": "Bearer " + token(secret=b"other")},
            "no signature": {"Authorization": "Bearer " + good.rsplit(".", 1)[0] + "."},
            "a bit of the signature": {"Authorization": "Bearer " + good[:-5] + ("A" if good[-5] != "A" else "B") + good[-4:]},
            "alg none": {"Authorization": "Bearer " + token(header={"alg": "none"})},
            "alg HS512": {"Authorization": "Bearer " + token(header={"alg": "HS512"})},
            "expired": {"Authorization": "Bearer " + token(exp=time.time() - 90)},
            "no exp": {"Authorization": "Bearer " + token(exp=None)},
            "no sub": {"Authorization": "Bearer " + token(sub=None)},
            "no tenant": {"Authorization": "Bearer " + token(tenant=None)},
        }
        for name, headers in bad.items():
            status, body, fields = self.erp.call("GET", "/invoices/536365", headers=headers)
            self.assertEqual((status, list(body), fields["WWW-Authenticate"]), (401, ["detail"], "Bearer"), name)
        self.assertEqual(self.erp.call("GET", "/invoices/536365", bearer=token(exp=time.time() - 30))[0], 200)
        self.assertEqual(self.erp.call("GET", "/no/such/route", headers={"Authorization": None})[0], 401)

    def test_permissions(self):
        for permissions, status in ((["finance.read"], 200), (["finance.*"], 200), (["*"], 200), (["*.read"], 200),
                                    ([], 403), (["finance.rea"], 403), (["finance.reading"], 403),
                                    (["customer.*"], 403), (["*.create"], 403), (["*", "-finance.read"], 403),
                                    (["-finance.*", "*"], 403), (["finance.read", "-sales.*"], 200), ([7, None], 403)):
            self.assertEqual(self.may(permissions), status, permissions)
        self.assertEqual(self.may(None, scope="sales.read finance.read"), 200)
        self.assertEqual(self.may(None, scope="sales.read -finance.* *"), 403)
        self.assertEqual(self.may([], scope="finance.read"), 403)
        self.assertEqual(self.may(None), 403)

    def test_each_route_names_its_permission(self):
        for method, path, permission in (
                ("GET", "/invoices", "finance.read"), ("GET", "/invoices/1", "finance.read"),
                ("GET", "/invoices/changed", "finance.read"), ("GET", "/invoices/ids", "finance.read"),
                ("POST", "/invoices", "finance.create"), ("PATCH", "/invoices/1", "finance.update"),
                ("DELETE", "/invoices/1", "finance.delete"),
                ("GET", "/customers", "customer.read"), ("GET", "/customers/1", "customer.read"),
                ("GET", "/customers/changed", "customer.read"), ("GET", "/customers/ids", "customer.read"),
                ("POST", "/customers", "customer.create"),
                ("GET", "/inventory/items", "inventory.read"), ("GET", "/inventory/items/1", "inventory.read"),
                ("GET", "/inventory/items/changed", "inventory.read"), ("GET", "/inventory/items/ids", "inventory.read"),
                ("GET", "/inventory/low-stock", "inventory.read"),
                ("PUT", "/inventory/items/1/stock", "inventory.update"),
                ("GET", "/sales-orders", "sales.read"), ("GET", "/sales-orders/1", "sales.read"),
                ("GET", "/sales-orders/changed", "sales.read"), ("GET", "/sales-orders/ids", "sales.read"),
                ("GET", "/reports/sales-summary", "sales.read")):
            answer = self.erp.call(method, path, body="{}" if method in ("POST", "PUT", "PATCH") else None,
                                   bearer=token(permissions=["*", "-" + permission]))
            self.refused(403, permission, answer)

    def test_tenants_are_apart(self):
        self.refused(403, "gamma", self.erp.call("GET", "/invoices/536365", bearer=token("gamma")))
        created = self.erp.call("POST", "/customers", {"name": "Only in beta"}, bearer=token("beta"))
        self.assertEqual(created[0], 201)
        path = "/customers/" + created[1]["data"]["id"]
        self.assertEqual(self.erp.call("GET", path, bearer=token("beta"))[1]["data"]["name"], "Only in beta")
        self.assertEqual(self.erp.call("GET", path, bearer=token("acme"))[0], 404)

    def test_faults_are_off(self):
        self.assertEqual(self.erp.call("GET", "/_ledger")[0], 404)
        self.assertEqual(self.erp.call("GET", "/customers/17850", headers={"X-Fault": "status=503"})[0], 200)

    def test_wrong_requests(self):
        self.refused(404, "/api/v1/nothing", self.erp.call("GET", "/nothing"))
        self.refused(404, "999999", self.erp.call("GET", "/invoices/999999"))
        self.refused(404, "???", self.erp.call("GET", "/invoices/%FF%FE%FD"))
        self.refused(400, "path", self.erp.call("GET", "/invoices/a%00b"))
        status, _, headers = self.erp.call("PUT", "/invoices/536365")
        self.assertEqual((status, headers["Allow"]), (405, "GET, PATCH, DELETE"))
        self.refused(400, "JSON", self.erp.call("POST", "/invoices", "{"))
        self.refused(422, "object", self.erp.call("POST", "/invoices", "[]"))
        self.refused(400, "JSON", self.erp.call("POST", "/invoices", '{"a": 1, "a": 2}'))
        self.refused(413, "2097152", self.erp.call("POST", "/invoices", '{"a":"' + "x" * (2 << 20) + '"}'))
        self.refused(400, "JSON", self.erp.call("POST", "/invoices", "[" * 100000))

    def test_garbage_does_not_end_it(self):
        for garbage in (b"\x00\xff" * 50 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n",
                        b"POST /api/v1/invoices HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                        b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n", b"FOO / HTTP/1.1\r\n\r\n",
                        b"GET /api/v1/invoices?%zz=%&==& HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.erp.port), timeout=10) as raw:
                try:
                    raw.sendall(garbage)
                    raw.shutdown(socket.SHUT_WR)
                    raw.recv(4096)
                except OSError:
                    pass  # it may hang up before all was said
        self.assertEqual(self.erp.call("GET", "/health")[0], 200)


class Writing(ErpCase):
    arguments = ("--tenant", "acme", "--faults", "--today", "2026-01-05")

    def order(self, **change):
        body = {"customer_id": "17850", "payment_terms": "Net 14",
                "line_items": [{"item_id": "85123A", "quantity": 6, "unit_price": "2.55"}]}
        body.update(change)
        return body

    def post(self, body=None, key=None, **headers):
        fields = {k.replace("_", "-"): v for k, v in headers.items()}
        if key is not None:
            fields["Idempotency-Key"] = key
        return self.erp.call("POST", "/invoices", body or self.order(), headers=fields)

    def test_an_invoice_is_made(self):
        item = self.erp.get("/inventory/items/85123A")["data"]
        customer = self.erp.get("/customers/17850")["data"]
        lines = [{"item_id": "85123A", "quantity": 6, "unit_price": "2.55"},
                 {"item_id": "71053", "quantity": 3.0, "unit_price": "0.335"}]
        status, body, _ = self.post(self.order(line_items=lines))
        made = body["data"]
        self.assertEqual(status, 201)
        self.assertRegex(made["number"], r"^INV/\d{4}$")
        self.assertEqual(made["id"], made["number"].replace("/", "-"))
        self.assertEqual((made["date"], made["status"], made["currency"], made["payment_terms"], made["total_amount"]),
                         ("2026-01-05", "open", "GBP", "Net 14", "16.31"))
        self.assertEqual([(i["unit_price"], i["amount"], i["quantity"]) for i in made["items"]],
                         [("2.55", "15.30", 6), ("0.335", "1.01", 3)])
        self.assertEqual(self.erp.get("/invoices/" + quote(made["number"], safe=""))["data"], made)
        self.assertEqual(self.erp.get("/invoices/" + made["id"])["data"], made)
        self.assertEqual(self.erp.get("/invoices", limit=1)["items"][0]["number"], made["number"])
        after = self.erp.get("/inventory/items/85123A")["data"]
        self.assertEqual(after["on_hand"], item["on_hand"] - 6)
        self.assertGreater(after["modified"], item["modified"])
        told = self.erp.get("/customers/17850")["data"]
        self.assertEqual(told["invoices"], customer["invoices"] + 1)
        self.assertEqual(Decimal(told["invoiced_total"]), Decimal(customer["invoiced_total"]) + Decimal("16.31"))
        self.assertGreater(told["modified"], customer["modified"])
        self.assertEqual(self.erp.get("/invoices/changed", modified_after="2026-01-01T00:00:00Z")["items"][-1], made)

    def test_what_is_refused_leaves_no_trace(self):
        before = self.erp.counts()

        def line(**change):
            value = {"item_id": "85123A", "quantity": 1, "unit_price": "1.00"}
            value.update(change)
            return self.order(line_items=[{"item_id": "71053", "quantity": 1, "unit_price": "1.00"}, value])
        for body, words in (
                (self.order(customer_id="00000"), "00000"), (self.order(customer_id=None), "customer_id"),
                (self.order(customer_id=17850), "customer_id"), (self.order(line_items=[]), "line_items"),
                (self.order(line_items="x"), "line_items"), (self.order(line_items=[1]), "item_id"),
                (self.order(payment_terms="x" * 300), "payment_terms"),
                (line(item_id="NOPE"), "NOPE"), (line(item_id=None), "item_id"), (line(quantity=0), "quantity"),
                (line(quantity=-1), "quantity"), (line(quantity=1.5), "quantity"), (line(quantity="1"), "quantity"),
                (line(quantity=1e300), "quantity"), (line(quantity=None), "quantity"),
                (line(unit_price=2.55), "unit_price"), (line(unit_price="2,55"), "unit_price"),
                (line(unit_price="-1"), "unit_price"), (line(unit_price="1.23456"), "unit_price"),
                (line(unit_price="1e3"), "unit_price"), (line(unit_price=""), "unit_price"),
                (line(unit_price="9999999999", quantity=1000000), "large")):
            self.refused(422, words, self.post(body, key="refused-" + words))
        self.assertEqual(self.erp.counts(), before)

    def test_once_under_a_key(self):
        before = self.erp.counts()
        first = self.post(key="k-1")
        again = self.post(key="k-1")
        self.assertEqual((first[0], again[0]), (201, 201))
        self.assertEqual(again[1], first[1])
        self.assertEqual((first[2]["Idempotent-Replayed"], again[2]["Idempotent-Replayed"]), (None, "true"))
        spaced = json.dumps(dict(reversed(self.order().items())), indent=3)
        self.assertEqual(self.post(spaced, key="k-1")[1], first[1])
        self.refused(422, "Idempotency-Key", self.post(self.order(payment_terms="Net 60"), key="k-1"))
        self.refused(422, "Idempotency-Key", self.erp.call(
            "POST", "/invoices", self.order(), bearer=token(sub="bob"), headers={"Idempotency-Key": "k-1"}))
        after = self.erp.counts()
        self.assertEqual((after["invoices"] - before["invoices"], after["keys"] - before["keys"]), (1, 1))
        self.assertEqual(self.post()[0], 201)
        self.assertNotEqual(self.post(key="k-2")[1]["data"]["number"], first[1]["data"]["number"])

    def test_two_at_a_time_under_one_key(self):
        before = self.erp.counts()["invoices"]
        answers = []
        ready = threading.Barrier(8)

        def go():
            ready.wait()
            answers.append(self.post(key="race", X_Fault="delay=50"))
        threads = [threading.Thread(target=go) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([a[0] for a in answers], [201] * 8)
        self.assertEqual(len({a[1]["data"]["number"] for a in answers}), 1)
        self.assertEqual(self.erp.counts()["invoices"], before + 1)

    def test_a_connection_lost_before_and_after_the_commit(self):
        before = self.erp.counts()
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.post(key="lost", X_Fault="close-before-commit")
        self.assertEqual(self.erp.counts(), before)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.post(key="lost", X_Fault="close-after-commit")
        self.assertEqual(self.erp.counts()["invoices"], before["invoices"] + 1)
        status, _, headers = self.post(key="lost")
        self.assertEqual((status, headers["Idempotent-Replayed"]), (201, "true"))
        self.assertEqual(self.erp.counts()["invoices"], before["invoices"] + 1)

    def test_the_other_faults(self):
        before = self.erp.counts()
        self.refused(503, "X-Fault", self.post(X_Fault="status=503"))
        for fault in ("explode", "delay=-1", "status=200"):
            self.refused(400, "X-Fault", self.post(X_Fault=fault))
        self.assertEqual(self.erp.counts(), before)
        began = time.monotonic()
        slow = threading.Thread(target=lambda: self.erp.call("GET", "/customers/17850", headers={"X-Fault": "delay=700"}))
        slow.start()
        self.erp.get("/customers/17850")
        self.assertLess(time.monotonic() - began, 0.6)
        slow.join()
        self.assertGreaterEqual(time.monotonic() - began, 0.65)

    def test_stock_is_set(self):
        def put(body, key=None, sku="22423"):
            return self.erp.call("PUT", f"/inventory/items/{sku}/stock", body,
                                 headers={"Idempotency-Key": key} if key else None)
        item = self.erp.get("/inventory/items/22423")["data"]
        before = self.erp.counts()["movements"]
        status, body, _ = put({"on_hand": 77, "reason": "Stocktake"}, "s-1")
        self.assertEqual((status, body["data"]["on_hand"]), (200, 77))
        self.assertEqual(body["data"]["available"], 77 - item["reserved"])
        self.assertEqual(self.erp.get("/inventory/items/22423")["data"], body["data"])
        self.assertEqual(put({"on_hand": 77, "reason": "Stocktake"}, "s-1")[1], body)
        self.refused(422, "Idempotency-Key", put({"on_hand": 78, "reason": "Stocktake"}, "s-1"))
        self.assertEqual(self.erp.counts()["movements"], before + 1)
        ledger = sqlite3.connect(os.path.join(self.directory, "ledger", "acme.db"))
        row = ledger.execute("SELECT sku, change, on_hand, reason, by FROM movements ORDER BY key DESC").fetchone()
        ledger.close()
        self.assertEqual(row, ("22423", 77 - item["on_hand"], 77, "Stocktake", "ann"))
        self.assertEqual(self.erp.get("/inventory/items/changed", modified_after=item["modified"], limit=500)
                         ["items"][-1], body["data"])
        for bad in ({"on_hand": -1}, {"on_hand": 1.5}, {"on_hand": "7"}, {}, {"on_hand": 10 ** 12},
                    {"on_hand": 1, "reason": 5}):
            self.assertEqual(put(bad)[0], 422, bad)
        self.refused(404, "NOPE", put({"on_hand": 1}, sku="NOPE"))
        self.assertEqual(self.erp.get("/inventory/items/22423")["data"], body["data"])
        self.assertEqual(put({"on_hand": 0})[1]["data"]["on_hand"], 0)

    def test_change_and_deletion(self):
        made = self.post()[1]["data"]
        path = "/invoices/" + quote(made["number"], safe="")
        total = Decimal(self.erp.get("/reports/sales-summary", customer_id="17850")["data"]["amount"])
        customer = self.erp.get("/customers/17850")["data"]
        status, body, _ = self.erp.call("PATCH", path, {"status": "paid"})
        self.assertGreater(self.erp.get("/customers/17850")["data"]["modified"], customer["modified"])
        self.assertEqual((status, body["data"]["status"], body["data"]["payment_terms"]), (200, "paid", "Net 14"))
        self.assertGreater(body["data"]["modified"], made["modified"])
        self.assertEqual(self.erp.get("/invoices/changed", modified_after=made["modified"])["items"][-1], body["data"])
        self.assertEqual(self.erp.call("PATCH", path, {"payment_terms": "Net 7"})[1]["data"]["payment_terms"], "Net 7")
        self.refused(422, "lost", self.erp.call("PATCH", path, {"status": "lost"}))
        self.refused(422, "status", self.erp.call("PATCH", path, {}))
        self.refused(404, "12", self.erp.call("PATCH", "/invoices/12", {"status": "paid"}))
        self.assertEqual(self.erp.call("PATCH", path, {"status": "draft"})[0], 200)
        self.assertEqual(Decimal(self.erp.get("/reports/sales-summary", customer_id="17850")["data"]["amount"]),
                         total - Decimal("15.30"))
        self.assertEqual(Decimal(self.erp.get("/customers/17850")["data"]["invoiced_total"]),
                         Decimal(customer["invoiced_total"]) - Decimal("15.30"))
        self.assertIn(made["id"], self.erp.get("/invoices/ids", limit=5000)["items"])
        self.assertEqual(self.erp.call("DELETE", path)[1], {"data": {"id": made["id"], "deleted": True}})
        self.assertNotIn(made["id"], self.erp.get("/invoices/ids", limit=5000)["items"])
        self.refused(404, made["number"], self.erp.call("DELETE", path))
        self.refused(404, made["number"], self.erp.call("GET", path))


class Imported(unittest.TestCase):
    """A file of sales becomes a company, plain or gzipped, and stays one over a restart."""

    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.plain = os.path.join(self.directory, "sales.csv")
        with open(self.plain, "w", encoding="utf-8", newline="") as file:
            file.write(CSV)

    def start(self, *arguments):
        erp = Erp(self.directory, "--faults", *arguments)
        self.addCleanup(lambda: self.assertIn(erp.stop(), (0, -signal.SIGKILL)))
        return erp

    def test_import(self):
        erp = self.start("--tenant", "acme=" + self.plain)
        counts = erp.counts()
        self.assertEqual((counts["invoices"], counts["customers"], counts["items"], counts["lines"]), (7, 2, 4, 10))
        invoice = erp.get("/invoices/700001")["data"]
        self.assertEqual([(i["description"], i["amount"]) for i in invoice["items"]],
                         [('Lantern, "Vega"', "15.30"), ("Plain bowl", "1.01")])
        self.assertEqual((invoice["total_amount"], invoice["customer"]["name"]), ("16.31", "Customer 10001"))
        anonymous = erp.get("/invoices/700003")["data"]
        self.assertIsNone(anonymous["customer"])
        self.assertEqual(anonymous["items"][1]["description"], "Two\nlines")
        credit = erp.get("/invoices/C700005")["data"]
        self.assertEqual((credit["status"], credit["total_amount"], credit["items"][0]["quantity"]),
                         ("credit", "-5.00", -2))
        self.assertEqual(erp.get("/invoices/700006")["data"]["items"][0]["description"], "Item 40D")
        self.assertEqual(erp.get("/inventory/items/10A")["data"]["unit_price"], "2.55")
        self.assertEqual(erp.get("/customers/10002")["data"]["country"], "France")
        self.assertEqual(erp.get("/invoices", customer_id="10002")["sum"], "20.00")

    def test_summaries(self):
        erp = self.start("--data", self.plain, "--tenant", "acme")
        march = {"from": "2024-03-01", "to": "2024-03-31"}
        data = erp.get("/reports/sales-summary", item_id="10A", group_by="customer", order="units", **march)["data"]
        self.assertEqual((data["units"], data["amount"], data["invoices"]), (18, "45.50", 4))
        self.assertEqual([(g["key"], g["units"], g["amount"]) for g in data["groups"]],
                         [("10002", 8, "20.00"), ("10001", 6, "15.30")])
        self.assertEqual((data["from"], data["to"], data["item_id"], data["customer_id"]),
                         ("2024-03-01", "2024-03-31", "10A", None))
        self.assertEqual(erp.get("/reports/sales-summary", item_id="20B")["data"]["invoices"], 3)
        # The anonymous sales are the largest, and take nobody's place in the list.
        best = erp.get("/reports/sales-summary", group_by="customer", limit=1)["data"]["groups"]
        self.assertEqual([(g["key"], g["amount"]) for g in best], [("10001", "20.31")])
        top = erp.get("/reports/sales-summary", group_by="item", order="amount", limit=1)["data"]
        self.assertEqual([(g["key"], g["name"]) for g in top["groups"]], [("10A", 'Lantern, "Vega"')])
        self.assertEqual((top["amount"], top["units"]), ("70.50", 31))
        months = erp.get("/reports/sales-summary", group_by="month")["data"]["groups"]
        self.assertEqual([(g["key"], g["amount"]) for g in months], [("2024-03", "66.50"), ("2024-04", "4.00")])
        days = erp.get("/reports/sales-summary", group_by="day", order="amount", limit=2)["data"]["groups"]
        self.assertEqual([g["key"] for g in days], ["2024-03-06", "2024-03-05"])

    def test_bad_lines_are_reported_by_number(self):
        erp = self.start("--tenant", "acme=" + self.plain)
        reports = [line for line in erp.stderr().splitlines() if self.plain + ":" in line]
        told = {int(line.split(self.plain + ":")[1].split(":")[0]): line for line in reports if " taken" not in line}
        self.assertEqual(sorted(told), sorted(BAD_LINES))
        for number, word in BAD_LINES.items():
            self.assertIn(word, told[number])
        self.assertIn("10 lines taken, 6 left out", reports[-1])

    def test_a_file_of_which_nothing_can_be_taken_is_refused(self):
        path = os.path.join(self.directory, "bad.csv")
        head = CSV.split("\n")[0] + "\n"
        for rows, said in ((head + "1,10A,Lantern,6,01/03/2024 9:10,2.55,10001,France\n", "the lines above say why"),
                           (head, "it holds none behind its header")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(rows)
            for _ in range(2):  # what was founded of it is not kept either
                with self.assertRaisesRegex(RuntimeError, "no line could be taken, so there is nothing to sell; " + said):
                    self.start("--tenant", "acme=" + path)

    def test_gzip_is_told_by_its_first_bytes(self):
        packed = os.path.join(self.directory, "sales.data")
        with gzip.open(packed, "wb") as file:
            file.write(CSV.encode())
        erp = self.start("--tenant", "acme=" + packed, "--tenant", "plain=" + self.plain)
        self.assertEqual(erp.counts("acme"), erp.counts("plain"))
        self.assertEqual(erp.get("/invoices/700001")["data"]["total_amount"], "16.31")

    def test_a_ledger_is_kept(self):
        erp = self.start("--tenant", "acme=" + self.plain)
        body = {"customer_id": "10001", "line_items": [{"item_id": "10A", "quantity": 1, "unit_price": "2.55"}]}
        first = erp.call("POST", "/invoices", body, headers={"Idempotency-Key": "kept"})[1]
        self.assertEqual(erp.stop(), 0)
        os.unlink(self.plain)
        erp = self.start("--tenant", "acme=" + self.plain)
        self.assertEqual(erp.counts()["invoices"], 8)
        self.assertEqual(erp.call("POST", "/invoices", body, headers={"Idempotency-Key": "kept"})[1], first)
        second = erp.call("POST", "/invoices", body)[1]["data"]
        self.assertEqual((first["data"]["number"], second["number"]), ("INV/0001", "INV/0002"))
        self.assertGreater(second["modified"], first["data"]["modified"])

    def test_a_kill_keeps_what_was_answered(self):
        erp = self.start("--tenant", "acme=" + self.plain)
        body = {"customer_id": "10001", "line_items": [{"item_id": "10A", "quantity": 1, "unit_price": "2.55"}]}
        self.assertEqual(erp.call("POST", "/invoices", body)[0], 201)
        erp.process.kill()
        erp.stop()
        erp = self.start("--tenant", "acme=" + self.plain)
        self.assertEqual(erp.counts()["invoices"], 8)

    def test_a_file_that_is_none(self):
        for name, content, words in (("empty.csv", "", "header"), ("other.csv", "a,b\n1,2\n", "invoice_no"),
                                     ("missing.csv", None, "missing.csv")):
            path = os.path.join(self.directory, name)
            if content is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
            with self.assertRaisesRegex(RuntimeError, words):
                Erp(self.directory, "--tenant", "bad=" + path)


class CommandLine(unittest.TestCase):
    def run_demo(self, *arguments):
        return subprocess.run([os.environ["ERP_DEMO"], *arguments], capture_output=True, text=True, timeout=30,
                              check=False)

    def test_help_and_mistakes(self):
        done = self.run_demo("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--listen", "--ledger", "--tenant", "--data", "--jwt-secret-file", "--port-file", "--delay-ms",
                       "--faults"):
            self.assertIn(option, done.stdout)
        for arguments in ((), ("--ledger", "x"), ("--what",), ("--listen", "nowhere"), ("--tenant", "../x"),
                          ("--tenant", "a", "--tenant", "a"), ("--delay-ms", "soon"), ("word",)):
            done = self.run_demo(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertEqual(done.stdout, "")

    def test_port_file_delay_and_interrupt(self):
        with tempfile.TemporaryDirectory() as directory:
            port_file = os.path.join(directory, "port")
            erp = Erp(directory, "--port-file", port_file, "--delay-ms", "200", "--tenant", "acme")
            with open(port_file, encoding="utf-8") as file:
                self.assertEqual(int(file.read()), erp.port)
            began = time.monotonic()
            erp.get("/customers/17850")
            self.assertGreaterEqual(time.monotonic() - began, 0.18)
            # An answer that is still held back must not keep it from ending.
            waiting = socket.create_connection(("127.0.0.1", erp.port))
            waiting.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            time.sleep(0.05)
            erp.process.send_signal(signal.SIGINT)
            self.assertEqual(erp.process.wait(10), 0)
            waiting.close()
            self.assertEqual(erp.process.stdout.read(), b"")
            erp.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
