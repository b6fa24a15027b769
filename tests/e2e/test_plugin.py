# SPDX-License-Identifier: Apache-2.0
"""An integrator's path: a tool in C, built with the headers alone by the command that docs/plugin-abi.md gives, named in
the configuration, called by a model. And plugins that are broken: refused at start with a sentence that names the file,
or contained."""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from stack import Reply, Stack, token, until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BROKEN = os.path.join(ROOT, "tests", "plugin", "broken")
BUILD = ["sh", "-c", 'cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags cogent) "$0.c" -o "$0.so"']

# tests/plugin/broken/NAME.c: what is refused before anything serves, and with which words.
REFUSED = {
    "another_abi": "it speaks none of the ABI numbers",
    "short_descriptor": "its descriptor is too short",
    "short_tool": "its struct is too short",
    "no_entry": "it does not export cogent_plugin_entry",
    "no_permission": "it names no permission",
    "empty_permission": "it names no permission",
    "schema_no_json": "args are no JSON Schema object",
    "schema_bad": "args:",
    "write_no_promise": "does not say what once promises",
    "find_nothing": "names no tool to find with",
    "bad_name": "its name is not 1 to 64 letters",
    "taken": "the name is taken",
    "undefined": "it does not load",
    "constructor_aborts": "it crashes while it is loaded (SIGABRT)",
    "constructor_exits": "it ends the process while it is loaded",
    "entry_crashes": "it crashes while it is loaded (SIGSEGV)",
}

# What runs, and costs at most its own call or its own worker.
CONTAINED = ["twice", "never", "no_words", "no_json", "no_result", "long_words", "no_utf8", "freed", "late"]
CRASHES = ["crash", "crash_timer", "crash_transfer", "crash_release", "exits"]

# What `cogent plugin check` says of each file: the check that is wrong (or a note), and words of it. What is refused
# above it says in the same words; the rest:
CHECKED = {
    "taken": None,  # only the engine knows the other
    "undefined": ("wrong", "needs", "it uses what no library that it links has: cg_engine_secret"),
    "any_abi": ("wrong", "entry", "it answers an engine that speaks only numbers"),
    "exports": ("wrong", "shows", "it exports more than cogent_plugin_entry: helper"),
    "keeps": ("note", "statics", "it keeps variables of its own: calls:"),
    "freed": ("note", "statics", "it keeps variables of its own: released:"),
    "twice": ("wrong", "call", "it completes twice"),
    "never": ("wrong", "call", "waits for nothing, and never completes"),
    "no_words": ("note", "call", "it fails without words"),
    "no_json": ("wrong", "call", "its result is no JSON"),
    "no_result": ("wrong", "call", "its result is no JSON"),
    "unescaped": ("wrong", "call", "with quotes, backslashes and line ends in its texts: its result is no JSON"),
    "no_utf8": ("wrong", "call", "not UTF-8"),
    "long_words": None,  # the engine cuts them; nothing is lost that counts
    "late": ("wrong", "call", "it completes a call that is over"),
    "leaks": ("wrong", "leaks", "bytes behind"),
    "leaks_files": ("wrong", "leaks", "200 calls leave 200 files open"),
    "crash": ("wrong", "crash", "it crashes with SIGSEGV in a call of tool crash with what it requires"),
    "crash_timer": ("wrong", "crash", "it crashes with SIGSEGV in a call of tool crash_timer"),
    "crash_transfer": ("wrong", "crash", "it crashes with SIGSEGV in a call of tool crash_transfer"),
    "crash_release": ("wrong", "crash", "it crashes with SIGSEGV in a call of tool crash_release"),
    "exits": ("wrong", "exit", "it ends the process in a call of tool exits"),
    "hangs": ("wrong", "hang", "it does not come back from a call of tool hangs"),
    "no_doubt": ("wrong", "call", "a write that was sent and not answered"),
    "later": None,  # it is sound
    "half_call": ("wrong", "provider", "it handed over half a call"),
    "endless_turn": ("wrong", "provider", "a turn has no end"),
    "ask_unknown": ("wrong", "ask", "ask names {amount}, and there is no such argument"),
}


class Plugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cogent-plugin-")
        prefix = os.path.join(cls.folder, "prefix")
        subprocess.run(["meson", "install", "-C", os.environ["COGENT_BUILD"], "--no-rebuild", "--tags", "devel", "--destdir",
                        prefix], check=True, stdout=subprocess.DEVNULL)
        pc = next(where for where, _, names in os.walk(prefix) if "cogent.pc" in names)
        cls.env = dict(os.environ, PKG_CONFIG_PATH=pc, PKG_CONFIG_SYSROOT_DIR=prefix)
        # A compiler that finds the headers anywhere else would show nothing.
        cls.env.pop("CPATH", None)
        with open(os.path.join(ROOT, "tests", "harness", "openai_script.json"), encoding="utf-8") as file:
            script = json.load(file)
        for name in [*CONTAINED, *CRASHES]:
            call = {"calls": [{"id": "call_a", "name": name, "arguments": "{}"}]}
            # The pause lets a detached run be written down before it calls.
            script["models"]["call-" + name] = [[{"delay_ms": 300}, call], [{"text": "It went on."}]]
        cls.script = os.path.join(cls.folder, "script.json")
        with open(cls.script, "w", encoding="utf-8") as file:
            json.dump(script, file)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def build(self, stem):
        subprocess.run(BUILD + [os.path.join(self.folder, stem)], env=self.env, check=True)
        return os.path.join(self.folder, stem + ".so")

    def make(self, stem):
        """The .so of tests/plugin/broken/STEM.c, built like any other."""
        path = os.path.join(self.folder, stem + ".so")
        if os.path.exists(path):
            return path
        for name in (stem + ".c", "broken.h"):
            shutil.copy(os.path.join(BROKEN, name), self.folder)
        return self.build(stem)

    def kit(self, path, *more):
        """`cogent plugin check`: exit status and findings."""
        done = subprocess.run([os.environ["COGENT"], "plugin", "check", path, "--json", *more], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual("", done.stderr)
        return done.returncode, json.loads(done.stdout)

    def stack(self, tools, models=(), **more):
        erp = os.path.join(os.environ["COGENT_SHARE"], "tools", "erp.lua")
        names = ", ".join(json.dumps(t) for t in [erp, *tools])
        return Stack(models={"main": ["rules"], **{m: ["mock/" + m] for m in models}}, config=f"tools = {{ {names} }},",
                     script=self.script, **more)

    def check(self, stack):
        return subprocess.run([os.environ["COGENTD"], "-c", stack.config, "--check-config"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def test_the_page_shows_this_tool_and_this_command(self):
        with open(os.path.join(ROOT, "docs", "plugin-abi.md"), encoding="utf-8") as file:
            page = file.read()
        with open(os.path.join(ROOT, "plugins", "example_tool", "example_tool.c"), encoding="utf-8") as file:
            self.assertIn("```c\n" + file.read() + "```\n", page)
        self.assertIn("    " + BUILD[2].replace('"$0.c"', "tool_iban.c").replace('"$0.so"', "tool_iban.so") + "\n", page)

    def test_a_tool_in_c_answers(self):
        shutil.copy(os.path.join(ROOT, "plugins", "example_tool", "example_tool.c"), os.path.join(self.folder, "tool_iban.c"))
        with self.stack([self.build("tool_iban")], ["iban", "iban-wrong"]) as stack:
            done = self.check(stack)
            self.assertEqual((0, "the configuration is in order\n"), (done.returncode, done.stdout), done.stderr)
            self.assertIn("check_iban", [t["name"] for t in stack.get("/v1/tools").data])
            found = stack.stream("Is GB82 WEST 1234 5698 7654 32 a right IBAN?", model="iban")
            results = [e["data"] for e in found if e["event"] == "tool_result"]
            self.assertEqual([("check_iban", "done", {"valid": True})], [(r["tool"], r["status"], r["result"]) for r in results])
            self.assertEqual("Well-formed: true.", found[-1]["data"]["content"])
            self.assertEqual("Well-formed: false.", stack.ask("And with 33?", model="iban-wrong")["content"])
            # Without the right it is not offered, and not run.
            weak = token(permissions=["sales.read"])
            self.assertNotIn("check_iban", [t["name"] for t in stack.get("/v1/tools", bearer=weak).data])
            found = stack.stream("And with 33?", model="iban", bearer=weak)
            self.assertEqual(["denied"], [e["data"]["status"] for e in found if e["event"] == "tool_result"])

    def test_broken_ones_are_refused_with_a_sentence(self):
        stack = self.stack([], start=False)
        with stack:
            for stem, words in REFUSED.items():
                with self.subTest(stem):
                    path = self.make(stem)
                    stack.write_config({"main": ["rules"]}, 1, 0,
                                       f'tools = {{ "{os.environ["COGENT_SHARE"]}/tools/erp.lua", "{path}" }},')
                    done = self.check(stack)
                    self.assertEqual(1, done.returncode, done.stdout + done.stderr)
                    self.assertIn(words, done.stderr)
                    self.assertIn(path, done.stderr)
                    self.assertEqual(1, done.stderr.count("\n"), done.stderr)
            for name, words in (("nosuch.so", "No such file"), ("open.so", "everybody may write to it"), ("text.so", "it does not load")):
                path = os.path.join(self.folder, name)
                if name != "nosuch.so":
                    with open(path, "w", encoding="utf-8") as file:
                        file.write("no shared object")
                    os.chmod(path, 0o646 if name == "open.so" else 0o644)
                stack.write_config({"main": ["rules"]}, 1, 0, f'tools = {{ "{path}" }},')
                done = self.check(stack)
                self.assertEqual(1, done.returncode)
                self.assertIn(words, done.stderr)
                self.assertIn(path, done.stderr)
            # The server itself says the same and does not come up.
            stack.start(wait=False)
            self.assertEqual(1, stack.server.wait(60))
            self.assertIn(path, stack.logged())

    def test_broken_calls_are_contained(self):
        paths = [self.make(name) for name in CONTAINED]
        with self.stack(paths, ["call-" + name for name in CONTAINED], workers=2, jobs=0) as stack:
            def result(name):
                found = stack.stream("go", model="call-" + name)
                self.assertEqual("It went on.", found[-1]["data"].get("content"), found[-1])
                return [e["data"] for e in found if e["event"] == "tool_result"][0]

            self.assertEqual({"n": 1}, result("twice")["result"])
            self.assertIn("plugin.completes_twice", stack.logged())
            began = time.monotonic()
            never = result("never")
            self.assertEqual(("failed", "timeout"), (never["status"], never["error"]["class"]))
            self.assertLess(time.monotonic() - began, 20)
            self.assertEqual("conflict", result("no_words")["error"]["class"])
            self.assertEqual("upstream", result("no_json")["error"]["class"])
            self.assertEqual("upstream", result("no_result")["error"]["class"])
            words = result("long_words")["error"]
            self.assertEqual(("denied", "x" + "\u00e4" * 249), (words["class"], words["message"]))
            self.assertEqual(("invalid", "its message is not UTF-8"), tuple(result("no_utf8")["error"].values()))
            for _ in range(8):
                freed = result("freed")["result"]
            self.assertEqual({"again": 1}, freed, "release was not called")

            # It completes a call that is over, with the next calls under way or not: said, and no more.
            self.assertEqual({"n": 1}, result("late")["result"])
            until("the late completion", lambda: "plugin.completes_late" in stack.logged())
            self.assertEqual({"n": 1}, result("twice")["result"])
            self.assertEqual([], [line for line in stack.log_lines() if line.get("event") == "worker.died"])

    def test_a_crash_costs_its_worker_and_has_a_name(self):
        names = ["twice", *CRASHES]
        with self.stack([self.make(name) for name in names], ["call-" + name for name in names], workers=2, jobs=0) as stack:
            stack.crashes = True
            for n, name in enumerate(CRASHES, 1):
                with self.subTest(name):
                    # The others serve on, and a new one comes.
                    before = set(stack.workers())
                    with self.assertRaises((OSError, http.client.HTTPException)):
                        stack.stream("go", model="call-" + name)
                    self.assertEqual(200, stack.get("/v1/me").status)
                    until("a new worker", lambda: len(stack.workers()) == 2 and set(stack.workers()) != before)
                    self.assertEqual(1, len(before & set(stack.workers())), "both died")
                    died = [line for line in stack.log_lines() if line.get("event") == "worker.died"]
                    self.assertEqual(CRASHES[:n], [line["plugin"] for line in died])
            found = stack.stream("go", model="call-twice")
            self.assertEqual("It went on.", found[-1]["data"].get("content"), found[-1])

    def test_the_kit_says_it_too(self):
        names = {name[:-2] for name in os.listdir(BROKEN) if name.endswith(".c")}
        self.assertEqual(names, set(REFUSED) | set(CHECKED), "a broken plugin that no test knows")
        for name in sorted(names):
            with self.subTest(name):
                expected = CHECKED.get(name, ("wrong", "load", REFUSED.get(name)))
                status, rows = self.kit(self.make(name))
                wrong = [row for row in rows if row["state"] == "wrong"]
                self.assertEqual(1 if wrong else 0, status)
                if not expected:
                    self.assertEqual([], wrong)
                    self.assertTrue(name != "later" or all(row["state"] == "ok" for row in rows), rows)
                    continue
                state, check, words = expected
                self.assertEqual(state == "wrong", bool(wrong), rows)
                found = [row for row in rows if (row["state"], row["check"]) == (state, check)]
                self.assertTrue(any(words in row["says"] for row in found), rows)
                self.assertTrue(all(row["do"] for row in found), rows)

    def test_the_kit_finds_nothing_wrong_with_what_is_shipped(self):
        for name in ("example_tool", "provider_openai", "provider_rules", "retriever_records", "tool_http"):
            with self.subTest(name):
                status, rows = self.kit(os.path.join(os.environ["COGENT_PLUGINS"], name + ".so"))
                self.assertEqual((0, []), (status, [row for row in rows if row["state"] == "wrong"]))

    def test_the_kit_looks_at_the_file_first(self):
        path = self.make("freed")
        open_to_all = os.path.join(self.folder, "open_to_all.so")
        shutil.copy(path, open_to_all)
        os.chmod(open_to_all, 0o646)
        text = os.path.join(self.folder, "text.so")
        with open(text, "w", encoding="utf-8") as file:
            file.write("no shared object")
        cut = os.path.join(self.folder, "cut.so")
        with open(path, "rb") as whole, open(cut, "wb") as file:
            file.write(whole.read()[:1500])
        for name, words in ((open_to_all, "everybody may write to it"), (text, "it is no ELF file"), (cut, "it crashes while it is loaded"),
                            (self.folder, "no file"), (os.path.join(self.folder, "nosuch.so"), "it is not there")):
            status, rows = self.kit(name)
            self.assertEqual(1, status, name)
            self.assertTrue(any(row["state"] == "wrong" and words in row["says"] for row in rows), rows)
        words = subprocess.run([os.environ["COGENT"], "plugin", "check", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertRegex(words, r"ok     file        .*freed\.so: a shared object\n")
        self.assertRegex(words, r"\d+ ok, 1 notes, 0 wrong\n$")

    def test_what_is_loaded_is_listed(self):
        with self.stack([self.make("freed")], start=False) as stack:
            env = dict(os.environ, COGENT_CONFIG=stack.config)
            done = subprocess.run([os.environ["COGENT"], "plugin", "list", "--json"], env=env, stdout=subprocess.PIPE, text=True,
                                  check=True)
            rows = {row["plugin"]: row for row in json.loads(done.stdout)}
            self.assertEqual({"plugin": "freed", "version": "1", "license": "Apache-2.0", "abi": 0, "kind": "tool",
                              "tools": ["freed"], "crashes": 0, "file": os.path.join(self.folder, "freed.so")},
                             rows["freed"])
            self.assertEqual(["provider", "provider", "retriever", "toolset"],
                             sorted(row["kind"] for row in rows.values() if row["plugin"] != "freed"))
            self.assertIn("get_invoice", rows["tool_http"]["tools"])
            done = subprocess.run([os.environ["COGENT"], "plugin", "list"], env=env, stdout=subprocess.PIPE, text=True, check=True)
            self.assertRegex(done.stdout, r"freed +1 +Apache-2\.0 +0 +tool +1 +0 +/")
            self.assertIn(f"as the configuration in {stack.folder} has it", done.stdout)
            done = subprocess.run([os.environ["COGENT"], "plugin", "list"], env=dict(env, COGENT_CONFIG=""), stdout=subprocess.PIPE,
                                  text=True, check=True)
            self.assertIn("this is the embedded default; COGENT_CONFIG=FILE names one", done.stdout)
            # A configuration that does not load is told like everywhere.
            stack.write_config({"main": ["rules"]}, 1, 0, f'tools = {{ "{self.make("short_tool")}" }},')
            done = subprocess.run([os.environ["COGENT"], "plugin", "list"], env=env, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(1, done.returncode)
            self.assertIn("its struct is too short", done.stderr)

    def test_a_new_plugin_is_sound(self):
        def new(*more, expect=0):
            done = subprocess.run([os.environ["COGENT"], "plugin", "new", "tool", *more, "--dir", self.folder],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(expect, done.returncode, done.stderr)
            return done.stdout + done.stderr

        new("reckon_it")
        folder = os.path.join(self.folder, "reckon_it")
        self.assertEqual(["Makefile", "README.md", "reckon_it.c"], sorted(os.listdir(folder)))
        with open(os.path.join(folder, "reckon_it.c"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.assertLessEqual(len(lines), 120)
        self.assertNotIn("@", "".join(lines))
        made = subprocess.run(["make", "CFLAGS=-O2 -Werror", "COGENT=" + os.environ["COGENT"], "check"], cwd=folder, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(0, made.returncode, made.stdout)
        self.assertRegex(made.stdout, r"\d+ ok, 0 notes, 0 wrong\n$")
        # Nothing that is there is written over, and a name is one that C, the shell and the model can read.
        before = os.stat(os.path.join(folder, "reckon_it.c")).st_mtime_ns
        self.assertIn("it is there already; nothing was written", new("reckon_it", expect=1))
        self.assertEqual(before, os.stat(os.path.join(folder, "reckon_it.c")).st_mtime_ns)
        for name in ("Reckon", "9lives", "a-b", "../x", "a b", "x" * 49):
            self.assertIn("is no name for a tool", new(name, expect=2))

    def test_a_run_that_kills_its_workers_is_given_up(self):
        with self.stack([self.make("crash")], ["call-crash"], jobs=1) as stack:
            stack.crashes = True
            with self.assertRaises((OSError, http.client.HTTPException)):
                stack.post("/v1/assistant/chat/stream", {"query": "go", "model": "call-crash", "detach": True})
            until("the run to be given up", lambda: "run.given_up" in stack.logged())
            self.assertEqual(3, stack.logged().count('"event":"worker.died"'))
            patient = lambda path: until(path, lambda: (lambda r: r if r.status == 200 else None)(quietly(lambda: stack.get(path))))
            run = patient("/v1/runs").data[0]["run"]
            until("the run to end", lambda: patient("/v1/runs/" + run).data["status"] == "failed")
            rows = patient("/v1/runs/" + run).data["rows"]
            self.assertEqual("failed", rows[-1]["body"]["status"])
            self.assertEqual(3, stack.logged().count('"event":"worker.died"'))


def quietly(call):
    try:
        return call()
    except (OSError, http.client.HTTPException):
        return Reply(0, {}, b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
