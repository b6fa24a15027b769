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
BUILD = ["sh", "-c", 'cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags cogent) "$0.c" -o "$0.so"']

# A plugin of one tool. The words in capitals are what the cases below change.
SOURCE = r"""
#include <cogent/tool.h>
#include <stdlib.h>
HELPERS
static int run(struct cogent_call *call)
{
    (void)call;
    BODY
}
static const struct cogent_tool tool = {
    .size = TOOLSIZE,
    .name = "NAME",
    .about = "Broken on purpose.",
    .args = "ARGS",
    .permission = PERMISSION,
    .effect = COGENT_READ,
    .call = run,
    .timeout_ms = 100,
    MORE
};
COGENT_EXPORT const struct cogent_plugin *ENTRY(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_tool *const tools[] = { &tool, NULL };
    static const struct cogent_plugin plugin = {
        .size = SIZE, .abi = ABI, .name = "NAME", .version = "1", .license = "Apache-2.0", .tools = tools,
    };
    return oldest <= ABI && ABI <= newest ? &plugin : NULL;
}
"""
SOUND = {"HELPERS": "", "TOOLSIZE": "sizeof tool", "NAME": "broken", "ARGS": "{}", "PERMISSION": '"finance.read"', "MORE": "",
         "ENTRY": "cogent_plugin_entry", "SIZE": "sizeof plugin", "ABI": "COGENT_ABI", "BODY": 'return cogent_done(call, "{}");'}

REFUSED = [
    # name, what is changed, words of the refusal
    ("another_abi", {"ABI": "(COGENT_ABI + 1)"}, "it speaks none of the ABI numbers"),
    ("short_descriptor", {"SIZE": "16"}, "its descriptor is too short"),
    ("short_tool", {"TOOLSIZE": "16"}, "its struct is too short"),
    ("no_entry", {"ENTRY": "another_entry"}, "it does not export cogent_plugin_entry"),
    ("no_permission", {"PERMISSION": "NULL"}, "it names no permission"),
    ("empty_permission", {"PERMISSION": '""'}, "it names no permission"),
    ("schema_no_json", {"ARGS": "{"}, "args are no JSON Schema object"),
    ("schema_bad", {"ARGS": r"{\"properties\":{\"a\":{\"type\":\"text\"}}}"}, "args:"),
    ("write_no_promise", {"MORE": ".effect = COGENT_WRITE"}, "does not say what once promises"),
    ("find_nothing", {"MORE": ".effect = COGENT_WRITE, .once = COGENT_ONCE_FIND"}, "names no tool to find with"),
    ("bad name", {"NAME": "bad name"}, "its name is not 1 to 64 letters"),
    ("taken", {"NAME": "get_invoice"}, "the name is taken"),
    ("undefined", {"HELPERS": "int cg_engine_secret(void);", "BODY": "return cg_engine_secret();"}, "it does not load"),
]

CONTAINED = {
    "twice": {"BODY": 'cogent_done(call, "{\\"n\\":1}"); return cogent_done(call, "{\\"n\\":2}");'},
    "never": {"BODY": "return 0;"},
    "no_words": {"BODY": "return COGENT_CONFLICT;"},
    "no_json": {"BODY": 'return cogent_done(call, "{\\"n\\":");'},
    "no_result": {"BODY": "return cogent_done(call, NULL);"},
    "long_words": {"HELPERS": "#include <string.h>",
                   "BODY": 'static char m[1201]; for (int i = 0; i < 600; i++) memcpy(m + 2 * i, "\\xc3\\xa4", 2);'
                           "memmove(m + 1, m, 1199); m[0] = 'x'; m[1199] = 0; return cogent_fail(call, COGENT_DENIED, m);"},
    "no_utf8": {"BODY": 'return cogent_fail(call, COGENT_INVALID, "\\xff\\xfe");'},
    "freed": {"HELPERS": "static int released; static void drop(void *data) { free(data); released++; }",
              "BODY": "call->data = malloc(8); call->release = drop; return cogent_done(call, released ? \"{\\\"again\\\":1}\" : \"{}\");"},
    "crash": {"BODY": "return *(volatile int *)(uintptr_t)8;"},
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
        for name in CONTAINED:
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

    def make(self, stem, changes):
        text = SOURCE
        for word, value in dict(SOUND, **changes).items():
            text = text.replace(word, value)
        with open(os.path.join(self.folder, stem + ".c"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.build(stem)

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
            for stem, changes, words in REFUSED:
                with self.subTest(stem):
                    path = self.make(stem.replace(" ", "_"), changes)
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
        paths = [self.make(name, {"NAME": name, **changes}) for name, changes in CONTAINED.items()]
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

            # A crash costs its worker and what that one was doing; the other serves on, and a new one comes.
            stack.crashes = True
            before = set(stack.workers())
            with self.assertRaises((OSError, http.client.HTTPException)):
                stack.stream("go", model="call-crash")
            self.assertEqual(200, stack.get("/v1/me").status)
            until("a new worker", lambda: len(stack.workers()) == 2 and set(stack.workers()) != before)
            self.assertEqual(1, len(before & set(stack.workers())), "both died")
            died = [line for line in stack.log_lines() if line.get("event") == "worker.died"]
            self.assertEqual(["crash"], [line["plugin"] for line in died])
            self.assertEqual({"n": 1}, result("twice")["result"])

    def test_a_run_that_kills_its_workers_is_given_up(self):
        with self.stack([self.make("crash", {"NAME": "crash", **CONTAINED["crash"]})], ["call-crash"], jobs=1) as stack:
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
