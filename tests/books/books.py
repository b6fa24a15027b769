# SPDX-License-Identifier: Apache-2.0
"""A small ERP that speaks JSON-RPC over one address, POST /rpc, in the manner of those that grew up before REST: a
session to log in to, errors inside a 200, tagged decimals, positional arguments, and no key that would keep a write
from being done twice. README.md says what it knows. Python's standard library only.

    python3 books.py [--listen 127.0.0.1:0]        prints "listening on 127.0.0.1:PORT"
"""

import argparse
import base64
import json
import secrets
import threading
import time
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERS = {"cogent": "books-pass-1", "reader": "books-pass-2", "clerk": "books-pass-3"}
# What a user may not do, whatever else they may.
REFUSED = {"reader": {"order.create", "order.confirm"}, "clerk": {"party.search_read"}}
LISTED = {"party": "PARTIES", "product": "PRODUCTS", "order": "ORDERS"}


class Fault(Exception):
    """An error as the service tells it, inside a 200."""

    def __init__(self, name, message, code=100):
        super().__init__(message)
        self.name, self.code = name, code


def dec(value):
    return {"$dec": str(value)}


def undec(value):
    try:
        return Decimal(value["$dec"])
    except (TypeError, KeyError, InvalidOperation):
        raise Fault("ValidationError", "a decimal is written {\"$dec\": \"2.55\"}") from None


class Store:
    """One database: always the same records at first."""

    def __init__(self):
        self.rows = {
            "party": [{"id": i, "code": f"C{i:03}", "name": f"Customer {i}", "credit_limit": dec(Decimal(i) * 250),
                       "country": ("GB", "FR", "DE")[i % 3]} for i in range(1, 41)],
            "product": [{"id": i, "code": f"P{i:03}", "name": f"Product {i}", "list_price": dec(Decimal(i) * Decimal("1.35")),
                         "on_hand": i * 7 % 90} for i in range(1, 31)],
            "order": [],
        }
        for i in range(1, 261):
            self.add_order({"party": i % 40 + 1, "reference": f"PO-{i}", "lines": [
                {"product": i % 30 + 1, "quantity": i % 5 + 1, "unit_price": dec("2.55")}]},
                date(2026, 1, 1) + timedelta(i), ("draft", "confirmed", "done")[i % 3])

    def add_order(self, values, day, state):
        number = len(self.rows["order"]) + 1
        lines = [dict(line, amount=dec(undec(line["unit_price"]) * Decimal(str(line["quantity"])))) for line in values["lines"]]
        self.rows["order"].append({
            "id": number, "number": f"SO/{number:04}", "date": day.isoformat(), "state": state, "party": values["party"],
            "reference": values.get("reference", ""), "lines": lines, "total": dec(sum(undec(l["amount"]) for l in lines))})
        return number

    def find(self, kind, number):
        return next((row for row in self.rows[kind] if row["id"] == number), None)


OPERATORS = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "in": lambda a, b: a in b,
    "ilike": lambda a, b: str(b).lower() in str(a).lower(),
}


def matches(row, clause):
    if not (isinstance(clause, list) and len(clause) == 3 and clause[0] in row and clause[1] in OPERATORS):
        raise Fault("ValidationError", f"{json.dumps(clause)} is no clause: [field, operator, value]")
    try:
        return OPERATORS[clause[1]](row[clause[0]], clause[2])
    except TypeError:
        raise Fault("ValidationError", f"{clause[0]}: {json.dumps(clause[2])} is not of its type") from None


class Books:
    """What the service knows, and the faults that a test sets."""

    def __init__(self):
        self.lock = threading.Lock()
        self.stores, self.sessions = {}, {}
        self.called, self.logins = [], 0
        self.faults = {}

    def store(self, name):
        return self.stores.setdefault(name, Store())

    # The methods: positional arguments, as they come.

    def search_read(self, store, kind, domain, offset, limit, fields):
        if not (isinstance(domain, list) and isinstance(offset, int) and isinstance(limit, int) and isinstance(fields, list)):
            raise Fault("ValidationError", f"{kind}.search_read(domain, offset, limit, fields)")
        rows = [row for row in store.rows[kind] if all(matches(row, clause) for clause in domain)]
        if kind == "order":
            rows.sort(key=lambda row: (row["date"], row["id"]), reverse=True)
        try:
            return [{name: row[name] for name in ["id", *fields]} for row in rows[offset:offset + limit]]
        except KeyError as missing:
            raise Fault("ValidationError", f"{kind} has no field {missing}") from None

    def create(self, store, values):
        if not isinstance(values, dict) or not store.find("party", values.get("party")):
            raise Fault("ValidationError", "there is no such party")
        lines = values.get("lines")
        if not isinstance(lines, list) or not lines:
            raise Fault("ValidationError", "an order has lines")
        for line in lines:
            if not store.find("product", line.get("product")):
                raise Fault("ValidationError", f"there is no product {line.get('product')}")
            if not isinstance(line.get("quantity"), (int, float)) or line["quantity"] <= 0:
                raise Fault("ValidationError", "a quantity is more than 0")
            undec(line.get("unit_price"))
        return store.add_order(values, date(2026, 11, 25), "draft")

    def confirm(self, store, number):
        order = store.find("order", number)
        if not order:
            raise Fault("ValidationError", "there is no such order")
        order["state"] = "confirmed"
        return True

    def open(self, db, user, password):
        if not db or USERS.get(user) != password:
            raise Fault("AccessDenied", f"wrong login for {user} with {password}")
        token = secrets.token_hex(16)
        self.sessions[token] = {"db": db, "user": user, "left": self.faults.get("session_calls", 1 << 30)}
        self.logins += 1
        return {"token": token, "user": user, "company": "Books Ltd"}

    # One call.

    def session(self, header):
        scheme, _, value = (header or "").partition(" ")
        try:
            user, _, token = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            user = token = ""
        session = self.sessions.get(token)
        if scheme != "Session" or not session or session["user"] != user or session["left"] <= 0:
            self.sessions.pop(token, None)
            raise Fault("SessionExpired", f"session {token} is over")
        session["left"] -= 1
        return session

    def call(self, method, params, header):
        if method == "session.open":
            return self.open(*params)
        session = self.session(header)
        if method in REFUSED.get(session["user"], ()):
            raise Fault("AccessError", f"<b>{session['user']}</b> may not {method}")
        store = self.store(session["db"])
        kind, _, verb = method.partition(".")
        if verb == "search_read" and kind in store.rows:
            return self.search_read(store, kind, *params)
        if method == "order.create":
            return self.create(store, *params)
        if method == "order.confirm":
            return self.confirm(store, *params)
        raise Fault("MethodNotFound", f"there is no {method}", -32601)

    def answer(self, request, header):
        """(HTTP status, body) of one call."""
        number = request.get("id")
        try:
            with self.lock:
                self.called.append(request.get("method"))
                result = self.call(request["method"], request.get("params", []), header)
            return 200, {"jsonrpc": "2.0", "id": number, "result": result}
        except Fault as fault:
            error = {"code": fault.code, "message": str(fault), "data": {"name": fault.name}}
        except TypeError as wrong:
            error = {"code": -32602, "message": str(wrong), "data": {"name": "ValidationError"}}
        expired = error["data"]["name"] == "SessionExpired"
        status = self.faults.get("expired_status", 200) if expired else 200
        return status, {"jsonrpc": "2.0", "id": number, "error": error}

    # The control: what a test looks at and sets.

    def control(self, wanted):
        with self.lock:
            if wanted.pop("drop_sessions", False):
                self.sessions.clear()
            if wanted.pop("forget", False):
                self.called.clear()
                self.logins = 0
            self.faults.update(wanted)
            for name in [name for name, value in self.faults.items() if value is None]:
                del self.faults[name]

    def seen(self):
        with self.lock:
            return {"logins": self.logins, "called": list(self.called), "faults": dict(self.faults),
                    "orders": {name: len(store.rows["order"]) for name, store in self.stores.items()},
                    "references": [row["reference"] for store in self.stores.values() for row in store.rows["order"][260:]]}

    def fault(self, name, method):
        """The fault of this name that is set for this method; `times` is counted down."""
        with self.lock:
            fault = self.faults.get(name)
            if not isinstance(fault, dict) or fault.get("method", method) != method:
                return None
            fault["times"] = fault.get("times", 1 << 30) - 1
            if fault["times"] < 0:
                return None
            return dict(fault)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def reply(self, status, body, kind="application/json"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return (f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

    def do_GET(self):
        known = self.path == "/control"
        self.wfile.write(self.reply(200 if known else 404, self.server.books.seen() if known else {"error": "not found"}))

    def do_POST(self):
        books = self.server.books
        try:
            request = self.body()
        except ValueError:
            self.wfile.write(self.reply(400, {"error": {"message": "no JSON"}}))
            return
        if self.path == "/control":
            books.control(request)
            self.wfile.write(self.reply(200, books.seen()))
        elif self.path != "/rpc" or not isinstance(request, dict):
            self.wfile.write(self.reply(404, {"error": {"message": "the only address is POST /rpc"}}))
        else:
            self.rpc(books, request)

    def rpc(self, books, request):
        method = request.get("method")
        if drop := books.fault("drop", method):
            books.control({"drop_sessions": True})
        if delay := books.fault("delay", method):
            time.sleep(delay["seconds"])
        before = books.fault("cut_before", method)
        whole = b"" if before else self.reply(*books.answer(request, self.headers.get("Authorization")))
        if garbage := books.fault("garbage", method):
            whole = self.reply(garbage.get("status", 200), garbage.get("body", "<html>half a pa").encode(), "text/html")
        cut = before or books.fault("cut", method)
        self.wfile.write(whole[:cut.get("bytes", 0)] if cut else whole)
        if cut:
            self.wfile.flush()
            self.close_connection = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    host, _, port = parser.parse_args().listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    server.books = Books()
    print(f"listening on {host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
