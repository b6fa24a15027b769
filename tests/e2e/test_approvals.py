# SPDX-License-Identifier: Apache-2.0
"""Approvals under whatever may happen to them: exactly one invoice or none, as the user is told."""

import http.client
import json
import os
import re
import threading
import time
import unittest

from proxy import Proxy
from stack import Stack, events, token, until

ASK = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
ARGUMENTS = {"customer_id": "17850", "line_items": [{"item_id": "85123A", "quantity": 6, "unit_price": "2.55"}]}
MANAGER = '''return { about = "A manager decides.", on = "tool_call", tool = "create_invoice",
  decide = function(call) return ask { role = "finance_manager", reason = "a manager decides" } end }'''
TWO = '''return { about = "Two decide.", on = "tool_call", tool = "create_invoice",
  decide = function(call)
    local total = money(0)
    for _, l in ipairs(call.args.line_items) do total = total + money(l.unit_price) * l.quantity end
    if total > money(1000) then return deny "nothing above 1000" end
    if total > money(100) then return ask { role = "director" } end
    return ask { role = "finance_manager" }
  end }'''
CFO = '''return { about = "The CFO decides about much.", on = "tool_call", tool = "create_invoice",
  decide = function(call)
    local total = money(0)
    for _, l in ipairs(call.args.line_items) do total = total + money(l.unit_price) * l.quantity end
    if total > money(100) then return ask { user = "cfo" } end
    return ask { reason = "this changes a record" }
  end }'''
LEGAL = '''return { about = "So does the lawyer.", on = "tool_call", tool = "create_invoice",
  decide = function() return ask { user = "lea" } end }'''


def manager(sub="boss", *roles, **claims):
    return token(sub=sub, roles=list(roles) or ["finance_manager"], permissions=["cogent.approve"], **claims)


class Room(unittest.TestCase):
    policies, extra, environment, workers = None, "", None, 2

    def setUp(self):
        self.stack = Stack(jobs=0, workers=self.workers, start=False, environment=self.environment)
        self.proxy = Proxy(self.stack.erp.port)
        self.addCleanup(self.proxy.close)
        self.addCleanup(self.stack.stop)
        extra = self.extra
        if self.policies:
            share = os.environ["COGENT_SHARE"]
            bundle = os.path.join(self.stack.folder, "bundle")
            os.makedirs(os.path.join(bundle, "templates"))
            os.makedirs(os.path.join(bundle, "policies", "sales"))
            with open(share + "/bundles/default/templates/assistant.lua", encoding="utf-8") as file:
                self.stack.write(bundle + "/templates/assistant.lua", file.read())
            for name, text in self.policies.items():
                self.stack.write(f"{bundle}/policies/sales/{name}.lua", text)
            extra = 'policies = "bundle", ' + extra
        self.stack.write_config(jobs=0, workers=self.workers, extra=extra)
        with open(self.stack.config, encoding="utf-8") as file:
            text = file.read().replace(f"127.0.0.1:{self.stack.erp.port}", f"127.0.0.1:{self.proxy.port}")
        self.stack.write(self.stack.config, text)
        self.stack.start()

    def invoices(self):
        return self.stack.erp.counts("demo")["invoices"]

    def wait_for_approval(self, bearer="", **more):
        found = self.stack.stream(ASK, bearer=bearer, **more)
        self.assertEqual("waiting", found[-1]["data"]["status"], found[-1])
        return found[0]["data"]["run"], found[-1]["data"]["approvals"][0]

    def ended(self, run, bearer=""):
        return until("the run to end", lambda: (lambda d: d if d["status"] not in ("running", "waiting") else None)(
            self.stack.get("/v1/runs/" + run, bearer=bearer).data))

    def outcome(self, shown):
        return next(r["body"] for r in shown["rows"] if r["kind"] == "outcome")


class Deciding(Room):
    policies = {"manager": MANAGER}

    def test_twice_at_once_on_both_workers(self):
        for _ in range(5):
            run, approval = self.wait_for_approval()
            before, replies = self.invoices(), []
            deciders = [threading.Thread(target=lambda n=n: replies.append(self.stack.decide(approval, bearer=manager(f"boss{n}"))))
                        for n in range(6)]
            for t in deciders:
                t.start()
            for t in deciders:
                t.join()
            self.assertEqual([200] + [409] * 5, sorted(r.status for r in replies))
            loser = next(r for r in replies if r.status == 409)
            self.assertIn(loser.json["approval"]["state"], ("approved", "done"))
            self.assertEqual("complete", self.ended(run)["status"])
            self.assertEqual(before + 1, self.invoices())

    def test_another_person_lends_no_right_and_is_shown_no_answer(self):
        # The asker may not create: not even offered, whoever would decide.
        asker = token(sub="ann", permissions=["finance.read"])
        before = self.invoices()
        found = self.stack.stream(ASK, bearer=asker)
        self.assertNotIn("done", [e["data"]["status"] for e in found if e["event"] == "tool_result"])
        self.assertEqual(before, self.invoices())
        # The asker may, the decider may not: it is done under the asker's name.
        run, approval = self.wait_for_approval()
        boss = manager()
        reply = self.stack.decide(approval, bearer=boss, stream=True)
        self.assertEqual("application/json", reply.headers["Content-Type"])
        self.assertNotIn("content", reply.data)
        self.assertEqual("complete", self.ended(run)["status"])
        self.assertEqual(before + 1, self.invoices())
        for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/events"):
            self.assertEqual(404, self.stack.get(path, bearer=boss).status)
        shown = self.stack.get("/v1/approvals/" + approval, bearer=boss).data
        self.assertEqual("done", shown["state"])
        self.assertIn("number", shown["result"])

    def test_a_no_is_told_and_nothing_is_done(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        self.assertEqual("denied", self.stack.decide(approval, "deny", bearer=manager()).data["state"])
        self.assertEqual("denied", self.outcome(self.ended(run))["status"])
        self.assertEqual(409, self.stack.decide(approval, bearer=manager()).status)
        self.assertEqual(before, self.invoices())


class Agreeing(Room):
    policies = {"two": TWO, "legal": LEGAL}

    def test_everybody_must_say_yes(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        boss, lea, other = manager(), token(sub="lea", permissions=[]), token(sub="max", permissions=["cogent.approve"])
        self.assertEqual([{"role": "finance_manager"}, {"user": "lea"}], self.stack.get("/v1/approvals/" + approval).data["decider"])
        self.assertEqual(404, self.stack.decide(approval, bearer=other).status)
        first = self.stack.decide(approval, bearer=lea)
        self.assertEqual((200, "waiting"), (first.status, first.data["state"]))
        self.assertEqual(["lea"], [v["by"] for v in first.data["votes"]])
        for shown in (first.data, self.stack.get("/v1/approvals/" + approval).data, self.stack.get("/v1/approvals", bearer=boss).data[0]):
            self.assertEqual([{"by", "at"}], [set(v) for v in shown["votes"]])
        again = self.stack.decide(approval, bearer=lea)
        self.assertEqual((200, "waiting"), (again.status, again.data["state"]))
        self.assertEqual([], self.stack.get("/v1/approvals", bearer=lea).data, "lea has spoken")
        self.assertEqual([approval], [a["id"] for a in self.stack.get("/v1/approvals", bearer=boss).data])
        self.assertEqual(before, self.invoices())
        self.assertEqual("approved", self.stack.decide(approval, bearer=boss).data["state"])
        self.assertEqual("complete", self.ended(run)["status"])
        self.assertEqual(before + 1, self.invoices())

    def test_one_no_ends_it(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        self.stack.decide(approval, bearer=manager())
        self.assertEqual("denied", self.stack.decide(approval, "deny", bearer=token(sub="lea", permissions=[])).data["state"])
        self.assertEqual("denied", self.outcome(self.ended(run))["status"])
        self.assertEqual(before, self.invoices())

    def test_all_at_once(self):
        for _ in range(5):
            before = self.invoices()
            run, approval = self.wait_for_approval()
            bearers = [manager(), token(sub="lea", permissions=[])] * 2
            threads = [threading.Thread(target=self.stack.decide, args=(approval,), kwargs={"bearer": b}) for b in bearers]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual("complete", self.ended(run)["status"])
            self.assertEqual(before + 1, self.invoices())

    def edit(self, approval, bearer, quantity):
        arguments = json.loads(json.dumps(ARGUMENTS))
        arguments["line_items"][0]["quantity"] = quantity
        return self.stack.post("/v1/approvals/" + approval, {"decision": "approve", "arguments": arguments, "note": "less"}, bearer=bearer)

    def test_changed_arguments_are_what_is_done(self):
        run, approval = self.wait_for_approval()
        lea = token(sub="lea", permissions=[])
        self.stack.decide(approval, bearer=lea)
        # A change makes the others' yes void: they see it, and say it again.
        changed = self.edit(approval, manager(), 2)
        self.assertEqual((200, "waiting", ["boss"]), (changed.status, changed.data["state"], [v["by"] for v in changed.data["votes"]]))
        shown = self.stack.get("/v1/approvals/" + approval, bearer=lea).data
        self.assertEqual(2, shown["arguments"]["line_items"][0]["quantity"])
        self.assertTrue(shown["edited"])
        self.assertEqual("approved", self.stack.decide(approval, bearer=lea).data["state"])
        shown = self.ended(run)
        self.assertEqual("done", self.outcome(shown)["status"])
        self.assertEqual("5.10", self.outcome(shown)["result"]["total"])
        # The same decision again is no other one; other arguments are.
        again = self.edit(approval, manager(), 2)
        self.assertEqual((200, "done"), (again.status, again.json.get("data", {}).get("state")))
        self.assertEqual(409, self.edit(approval, manager(), 3).status)

    def test_changed_arguments_pass_the_gate(self):
        before = self.invoices()
        lea = token(sub="lea", permissions=[])
        run, approval = self.wait_for_approval()
        wrong = self.stack.post("/v1/approvals/" + approval, {"decision": "approve", "arguments": {"customer_id": 5}}, bearer=manager())
        self.assertEqual((400, "arguments_invalid"), (wrong.status, wrong.json["error"]["code"]))
        self.assertEqual("waiting", self.stack.get("/v1/approvals/" + approval).data["state"])
        for quantity, words in ((1000, "nothing above 1000"), (60, "director")):
            with self.subTest(quantity):
                self.edit(approval, manager(), quantity)
                self.stack.decide(approval, bearer=lea)
                outcome = self.outcome(self.ended(run))
                self.assertEqual("denied", outcome["status"])
                self.assertIn(words, outcome["error"]["message"])
                run, approval = self.wait_for_approval()
        self.assertEqual(before, self.invoices())


class OneMore(Room):
    """A person whom the policies name for the changed arguments is asked as one with a role is."""
    policies = {"cfo": CFO}

    def test_changed_arguments_that_another_person_must_decide(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        arguments = json.loads(json.dumps(ARGUMENTS))
        arguments["line_items"][0]["quantity"] = 1000
        self.stack.post("/v1/approvals/" + approval, {"decision": "approve", "arguments": arguments})
        outcome = self.outcome(self.ended(run))
        self.assertEqual("denied", outcome["status"])
        self.assertIn("cfo", outcome["error"]["message"])
        self.assertEqual(before, self.invoices())


class Dead(Room):
    """The asker's token is dead when the call is to be made: the run waits for the asker, and is not done under anybody else's."""
    policies = {"manager": MANAGER}

    def nearly_dead(self):
        """The door allows a minute of skew: this one is good for some seconds more."""
        dies = time.time() + 2
        return dies, token(exp=dies - 60)

    def waits(self, run, approval, dies, decide=True):
        until("the token to be dead", lambda: time.time() > dies + 0.2)
        self.assertEqual("approved", self.stack.decide(approval, bearer=manager()).data["state"])
        rows = lambda: [r["body"] for r in self.rows(run) if r["kind"] == "wait"]
        return until("the run to wait for its user", lambda: rows()[-1:] if rows() and rows()[-1].get("reason") == "auth_required" else None)[0]

    def rows(self, run):
        import sqlite3
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            return [{"kind": k, "body": json.loads(b)} for k, b in
                    db.execute("select kind, body from run_row where run_id = ? order by row", (run,))]

    def status(self, run):
        import sqlite3
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            return db.execute("select status from run where run_id = ?", (run,)).fetchone()[0]


class SigningIn(Dead):
    extra = 'limits = { approval = "8s" },'

    def test_it_goes_on_with_the_askers_next_request(self):
        before = self.invoices()
        dies, bearer = self.nearly_dead()
        run, approval = self.wait_for_approval(bearer)
        wait = self.waits(run, approval, dies)
        self.assertIn("sign in", wait["content"])
        self.assertEqual(before, self.invoices())
        # Somebody else's request is not it.
        self.stack.get("/v1/me", bearer=token(sub="bea"))
        self.assertEqual("auth_required", self.status(run))
        self.assertEqual(200, self.stack.get("/v1/me").status)
        shown = self.ended(run)
        self.assertEqual(("complete", "done"), (shown["status"], self.outcome(shown)["status"]))
        self.assertEqual(before + 1, self.invoices())
        self.assertEqual("done", self.stack.get("/v1/approvals/" + approval).data["state"])

    def test_nobody_comes(self):
        before = self.invoices()
        dies, bearer = self.nearly_dead()
        run, approval = self.wait_for_approval(bearer)
        self.waits(run, approval, dies)
        until("the run to be ended", lambda: self.status(run) == "complete")
        outcome = self.outcome(self.stack.get("/v1/runs/" + run).data)
        self.assertEqual(("failed", "auth"), (outcome["status"], outcome["error"]["class"]))
        self.assertEqual(before, self.invoices())

    def test_a_token_that_the_service_refuses_is_dead(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        self.proxy.plan("POST", status=401, times=1)
        self.stack.decide(approval, bearer=manager())
        until("the run to wait for its user", lambda: self.status(run) == "auth_required")
        self.assertEqual(before, self.invoices())
        self.stack.get("/v1/me")
        self.assertEqual("done", self.outcome(self.ended(run))["status"])
        self.assertEqual(before + 1, self.invoices())

    def test_cancelled_while_it_waits(self):
        before = self.invoices()
        dies, bearer = self.nearly_dead()
        run, approval = self.wait_for_approval(bearer)
        self.waits(run, approval, dies)
        # The request that cancels is also one that the run could go on with: whichever is first, the user is told the truth.
        self.stack.post(f"/v1/runs/{run}/cancel", None)
        shown = self.ended(run)
        outcomes = [r["body"]["status"] for r in shown["rows"] if r["kind"] == "outcome"]
        self.assertEqual(self.invoices() - before, outcomes.count("done"))


class KeepsNobodyWaiting(Dead):
    """A run that waits for its user is looked at when that is due, and not in place of others."""
    environment = {"COGENT_TEST_DIE_AFTER_ROW": "7"}

    def decided(self, approval, **more):
        try:
            self.stack.decide(approval, **more)
        except (OSError, http.client.HTTPException):
            pass  # its worker dies when the decision is on disk

    def looked_at(self, run):
        import sqlite3
        with sqlite3.connect(os.path.join(self.stack.state, "cogent.db")) as db:
            return db.execute("select at from due where id like '%' || ?", (run,)).fetchone()[0]

    def test_others_are_taken_up(self):
        dies, bearer = self.nearly_dead()
        run, approval = self.wait_for_approval(bearer)
        until("the token to be dead", lambda: time.time() > dies + 0.2)
        self.decided(approval, bearer=manager())
        until("the run to wait for its user", lambda: self.status(run) == "auth_required")
        was = self.looked_at(run)
        until("it to be looked at", lambda: self.looked_at(run) != was)
        eve = token(sub="eve")
        until("the server to be ready", lambda: self.ready())
        other, approval = self.wait_for_approval(eve)
        self.decided(approval, bearer=manager())
        until("the other run to be taken up", lambda: self.status(other) == "complete")
        self.assertEqual("auth_required", self.status(run))

    def ready(self):
        try:
            return self.stack.get("/readyz", bearer=None).status == 200
        except (OSError, http.client.HTTPException):
            return False


class Killed(Room):
    """The worker dies when the yes is on disk and nothing is sent yet; another goes on."""
    environment = {"COGENT_TEST_DIE_AFTER_ROW": "7"}
    workers = 2

    def test_between_the_yes_and_the_effect(self):
        before = self.invoices()
        run, approval = self.wait_for_approval()
        try:
            self.stack.decide(approval)
        except (OSError, http.client.HTTPException):
            pass
        def shown():
            try:
                return self.stack.get("/v1/runs/" + run).data
            except (OSError, http.client.HTTPException):
                return {"status": "running"}
        end = until("the run to end", lambda: (lambda d: d if d["status"] == "complete" else None)(shown()))
        self.assertIn("worker.died", self.stack.logged())
        self.assertEqual(["decision", "dispatch"], [r["kind"] for r in end["rows"]][6:8])
        self.assertEqual("done", self.outcome(end)["status"])
        self.assertEqual(before + 1, self.invoices())


class Cut(unittest.TestCase):
    """The ERP's connection breaks at every byte of the request and of the answer. Each tenant has its own connection, so
    that several bytes are tried at a time."""
    TENANTS = tuple(f"t{n}" for n in range(8))

    def setUp(self):
        self.stack = stack = Stack(tenants=self.TENANTS, jobs=0, start=False)
        self.addCleanup(stack.stop)
        self.proxies = {t: Proxy(stack.erp.port) for t in self.TENANTS}
        for proxy in self.proxies.values():
            self.addCleanup(proxy.close)
        with open(stack.config, encoding="utf-8") as file:
            lines = file.read().split("\n")
        for tenant, proxy in self.proxies.items():
            lines = [line.replace(f":{stack.erp.port}", f":{proxy.port}") if f'["{tenant}"]' in line else line for line in lines]
        stack.write(stack.config, "\n".join(lines))
        stack.start()

    def decide(self, tenant, expected, **plan):
        """One invoice, its request or answer cut as planned: what is told and what was made."""
        bearer = token(tenant=tenant)
        before = self.stack.erp.counts(tenant)["invoices"]
        approval = self.stack.stream(ASK, bearer=bearer)[-1]["data"]["approvals"][0]
        self.proxies[tenant].plan("POST", **plan)
        found = events(self.stack.decide(approval, bearer=bearer, stream=True).body)
        told = next(e["data"] for e in found if e["event"] == "tool_result")["status"]
        state = self.stack.get("/v1/approvals/" + approval, bearer=bearer).data["state"]
        made = self.stack.erp.counts(tenant)["invoices"] - before
        ends = sum(e["event"] in ("done", "error") for e in found)
        return None if (told, made) in expected and state == told and ends == 1 else (plan, told, made, state, ends)

    def test_every_byte(self):
        self.assertIsNone(self.decide("t0", [("done", 1)], times=0))
        request, reply = self.proxies["t0"].seen[0]
        self.assertGreater(len(reply), 100)
        # The key's promise settles what broke once; what goes on breaking is told as unknown. But for the key the
        # request is as long each time.
        cuts = [("cut_reply", k, [("unknown", 1)]) for k in range(len(reply))]
        cuts += [("cut_request", k, [("unknown", 0), ("failed", 0)]) for k in range(len(request) - 1)]
        wrong = []

        def work(n, tenant):
            for name, k, expected in cuts[n::len(self.TENANTS)]:
                once = k // len(self.TENANTS) % 2
                wrong.append(self.decide(tenant, [("done", 1)] if once else expected, times=1 if once else 99, **{name: k}))

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate(self.TENANTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(cuts), len(wrong))
        self.assertEqual([], [w for w in wrong if w])


del Room, Dead
if __name__ == "__main__":
    unittest.main(verbosity=2)
