# SPDX-License-Identifier: Apache-2.0
"""cogent policy eval, through the binary: one policy, one question, one line of JSON."""

import json
import os
import subprocess
import tempfile
import unittest

LIMIT = os.path.join(os.environ["COGENT_SHARE"], "bundles/examples/policies/sales/invoice_limit.lua")
HIDE = os.path.join(os.environ["COGENT_SHARE"], "bundles/examples/policies/stock/hide_cost.lua")


def call(price, quantity):
    return {"subject": {"tool": "create_invoice", "args": {"line_items": [{"unit_price": price, "quantity": quantity}]}}}


class Eval(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def policy(self, body, on="'tool_call'"):
        return self.file("h/x.lua", f"return {{ on = {on},\n decide = function(call, ctx)\n {body}\n end }}")

    def run_eval(self, *words, status=0):
        done = subprocess.run([os.environ["COGENT"], "policy", "eval", *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def ask(self, path, question=None, *more, status=0):
        words = ["--context", self.file("question.json", question)] if question is not None else []
        return json.loads(self.run_eval(path, *words, *more, status=status).stdout)

    def test_a_verdict_and_what_it_took(self):
        small = self.ask(LIMIT, call("2.55", 6))
        self.assertEqual(small["verdict"], "allow")
        large = self.ask(LIMIT, call("2.55", 200), "--on", "tool_call")
        self.assertEqual({"decision": "sales/invoice_limit", "on": "tool_call", "asked": True, "verdict": "ask",
                          "reason": "an invoice of 510.00 is over 500", "obligations": {"role": ["finance_manager"]},
                          "end": "fine"}, {k: v for k, v in large.items() if k not in ("steps", "bytes", "us")})
        self.assertTrue(0 < large["steps"] < 1000 and 0 < large["bytes"] < 1 << 20 and large["us"] >= 0, large)
        self.assertEqual(large["steps"], self.ask(LIMIT, call("2.55", 200))["steps"])

    def test_a_point_must_be_one_of_the_policys(self):
        said = self.run_eval(HIDE, status=1).stderr
        self.assertIn("hide_cost.lua is asked at several points (retrieve, tool_result): say which, with --on", said)
        self.assertIn("is not asked at request, only at retrieve, tool_result",
                      self.run_eval(HIDE, "--on", "request", status=1).stderr)
        said = self.run_eval(HIDE, "--on", "tool_calls", status=1).stderr
        self.assertIn("there is no such point; these are: request, retrieve, prompt, tools, tool_call", said)
        for point in ("retrieve", "tool_result"):
            got = self.ask(HIDE, {"ctx": {"user": {"permissions": ["sales.*"]}}}, "--on", point)
            self.assertEqual((got["on"], got["obligations"]), (point, {"redact": ["unit_cost", "cost_price"]}))

    def test_every_point(self):
        for point in ("request", "retrieve", "prompt", "tools", "tool_call", "tool_result", "response"):
            got = self.ask(self.policy("note(ctx.point) return allow()", f"'{point}'"))
            self.assertEqual((got["on"], got["note"], got["verdict"]), (point, point, "allow"))

    def test_what_a_server_does_not_see_to_is_told(self):
        got = self.ask(self.policy("return allow { redact = 'email' }"), status=1)
        self.assertEqual(("allow", "fine"), (got["verdict"], got["end"]))
        self.assertEqual({"does": "denies", "why": "the policy h/x sets redact, which is not supported at tool_call yet"},
                         got["server"])
        got = self.ask(self.policy("return ask {}", "'prompt'"), status=1)
        self.assertIn("asks somebody", got["server"]["why"])
        got = self.ask(self.policy("return allow { redakt = 'email' }"), status=1)
        self.assertEqual(("deny", "error"), (got["verdict"], got["end"]))
        self.assertIn("redakt is no obligation", got["reason"])
        for body in ("return allow()", "return ask { role = 'x', expires = '1h', reason = 'y' }", "return deny 'x'"):
            self.assertNotIn("server", self.ask(self.policy(body)))
        self.assertNotIn("obligations", self.ask(self.policy("return allow()")))
        got = self.ask(self.policy("return allow { redact = 'email' }", "'response'"))
        self.assertEqual({"does": "refuses the bundle", "why": 'h/x.lua is on "response", which this version does not ask about; '
                          "it asks about prompt and tool_call"}, got["server"])

    def test_cases_tell_it_too(self):
        def test(body, on, case, status):
            path = self.file("h/x.lua", f"return {{ on = '{on}', decide = function() {body} end, cases = {{ {{ {case} }} }} }}")
            done = subprocess.run([os.environ["COGENT"], "policy", "test", path], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            return done.stdout
        self.assertIn("a server denies this: the policy h/x sets redact, which is not supported at tool_call yet",
                      test("return allow { redact = 'x' }", "tool_call", "gives = 'allow', redact = 'x'", 1))
        self.assertIn("redakt is no obligation", test("return allow { redakt = 'x' }", "tool_call", "gives = 'deny'", 1))
        self.assertIn('refused  h/x.lua is on "response"', test("return allow { redact = 'x' }", "response", "gives = 'allow'", 0))

    def test_who_is_not_asked_is_told(self):
        self.assertFalse(self.ask(LIMIT, {"subject": {"tool": "other", "args": {"line_items": []}}})["asked"])

    def test_a_script_that_fails_denies(self):
        for body, end, reason in (("while true do end", ("steps", "time"), "used up its"),
                                  ("local s = 'x' while true do s = s .. s end", ("memory",), "4 MiB"),
                                  ("return call.nothing.at_all", ("error",), "h/x.lua:3: "),
                                  ("return 'allow'", ("error",), "only allow, deny, ask and defer")):
            got = self.ask(self.policy(body), status=1)
            self.assertEqual(got["verdict"], "deny")
            self.assertIn(got["end"], end)
            self.assertIn(reason, got["reason"])

    def test_what_is_wrong_with_a_file_is_said_with_its_line(self):
        self.assertIn("h/x.lua:4: ", self.run_eval(self.policy("return allow(\n end"), status=1).stderr)
        self.assertIn("h/y.lua: decide: ", self.run_eval(self.file("h/y.lua", "return { on = 'request' }"), status=1).stderr)
        self.assertIn("h/none.lua: No such file", self.run_eval(os.path.join(self.folder.name, "h/none.lua"), status=1).stderr)
        good = self.policy("return allow()")
        for content, said in (('{"subject": {},\n "ctx": }', "question.json:2: not valid JSON"), ("[]", "question.json:1: "),
                              ('{"contex": {}}', "question.json: /contex is not known; did you mean ctx?"),
                              ('{"ctx": 5}', "/ctx must be an object"),
                              ('{"ctx": {"usr": {}}}', "/ctx/usr is not known; did you mean user?"),
                              ('{"ctx": {"user": {"perms": []}}}', "/ctx/user/perms is not known"),
                              ('{"ctx": {"user": {"roles": "sales"}}}', "/ctx/user/roles must be"),
                              ('{"ctx": {"now": "yesterday"}}', "/ctx/now "),
                              ('{"ctx": {"tenant": {"fields": {"any": 1}, "nam": 1}}}', "/ctx/tenant/nam is not known; did you mean name?"),
                              ('{"subject": {"tol": "x"}}', "/subject/tol is not known; did you mean tool?"),
                              ('{"subject": {"effect": "reads"}}', "/subject/effect must be"),
                              ('{"subject": {"query": "x"}}', "/subject/query is not known")):
            path = self.file("question.json", content)
            self.assertIn(said, self.run_eval(good, "--context", path, status=1).stderr)

    def test_all_that_a_server_gives_may_stand_in_a_context(self):
        ctx = {"user": {"id": "u", "name": "n", "locale": "en-GB", "roles": ["r"], "permissions": ["p"]},
               "tenant": {"name": "acme", "fields": {"currency": "GBP"}}, "now": "2026-11-22T07:30:04Z", "run": "run_1",
               "labels": {"records": True}}
        call = {"tool": "t", "effect": "read", "args": {"x": [1]}, "labels": {"traced": True, "sources": {"/x/0": "user"}}}
        self.ask(self.policy("return allow()"), {"subject": call, "ctx": ctx})
        self.ask(self.policy("return allow()", "'prompt'"), {"subject": {"query": "q", "records": [{}]}, "ctx": ctx})
        self.ask(self.policy("return allow()", "'tool_result'"), {"subject": {"result": 5}, "ctx": ctx})

    def test_a_context_that_does_not_fit_is_blamed(self):
        got = self.ask(self.policy("return allow()"), {"subject": {"args": {"x": "y" * 900000}}}, status=1)
        self.assertIn("subject and ctx, what the policy is asked about, are too large for its ", got["reason"])
        got = self.ask(self.policy("local s = 'x' while true do s = s .. s end"), {"subject": {"args": {"x": "y"}}}, status=1)
        self.assertIn("the script used up its 4 MiB", got["reason"])

    def test_messages_name_the_file_as_it_was_given(self):
        self.file("deep/syn.lua", "return {\n on = }")
        self.file("syn.lua", "return {\n on = }")
        self.file("run.lua", "return { on = 'tool_call', decide = function() return 5 end }")
        for words, status, said in ((("syn.lua",), 1, "cogent policy: syn.lua:2: "), (("./deep/syn.lua",), 1, "./deep/syn.lua:2: "),
                                    (("run.lua",), 1, '"reason":"run.lua: decide gave a number')):
            done = subprocess.run([os.environ["COGENT"], "policy", "eval", *words], capture_output=True, text=True,
                                  cwd=self.folder.name, timeout=60)
            self.assertEqual(status, done.returncode)
            self.assertIn(said, done.stdout + done.stderr)

    def test_what_a_helper_raises_has_a_place(self):
        for body in ("return sum(call.lines, 'x')", "local t = {}\n return join({ {} }, ',')", "return split(nil, ',')",
                     "return sum({ 1, {} })", "return sum({ {}, {} }, function(l) return l.a.b end)",
                     "return table.sort({ 1, {}, 'x' })", "return groups(5, nil)", "return date('x') < 5", "return call()"):
            got = self.ask(self.policy(body), status=1)
            self.assertRegex(got["reason"], r"h/x\.lua:[34]: ", body)
            self.assertEqual(1, got["reason"].count("x.lua:"), got["reason"])

    def test_usage(self):
        self.assertIn("--context a file", self.run_eval(LIMIT, "--context", status=2).stderr)
        self.assertNotIn("not understood", self.run_eval(LIMIT, "--context", status=2).stderr)
        for words in ((), ("--on",), (LIMIT, LIMIT), (LIMIT, "--onn", "x"), (LIMIT, "--context")):
            self.assertIn("cogent policy", self.run_eval(*words, status=2).stderr)


if __name__ == "__main__":
    unittest.main()
