# SPDX-License-Identifier: Apache-2.0
"""Proves that every rule of house.py can fail, and that what is right passes."""

import sys
import unittest

import house

sys.dont_write_bytecode = True

TAG = "/* SPDX-License-Identifier: Apache-2.0 */\n"
BASE = {
    "include/cogent/tool.h": TAG + "#include <cogent/types.h>\n#include <stddef.h>\n",
    "include/cogent/types.h": TAG,
    "engine/base/buf.h": TAG + "#include <cogent/types.h>\n",
    "engine/base/buf.c": TAG + '#include "buf.h"\n#include <stdlib.h>\n',
    "engine/base/tenant_mint.h": TAG,
    "engine/io/loop.h": TAG + '#include "engine/base/buf.h"\n',
    "engine/plugin/loader.h": TAG,
    "engine/policy/policy.h": TAG,
    "engine/run/run.h": TAG + '#include "engine/policy/policy.h"\n#include "engine/plugin/loader.h"\n',
    "engine/work/feed.h": TAG,
    "engine/engine.h": TAG,
    "plugins/common/buf.h": TAG,
    "plugins/tool_x/x.c": TAG + '#include "x.h"\n#include "common/buf.h"\n#include <cogent/tool.h>\n#include <jansson.h>\n',
    "plugins/tool_x/x.h": TAG,
    "tests/unit/test_x.c": TAG + '#include "engine/base/tenant_mint.h"\n#include <assert.h>\n',
}


class Rules(unittest.TestCase):
    def problems(self, rule, path, text):
        return list(rule({**BASE, path: text}))

    def refuses(self, rule, path, *texts):
        for text in texts:
            with self.subTest(path=path, text=text):
                found = self.problems(rule, path, TAG + text + "\n")
                self.assertEqual(1, len(found), found)
                self.assertTrue(found[0].startswith(path + ":"), found)

    def accepts(self, rule, path, *texts):
        for text in texts:
            with self.subTest(path=path, text=text):
                self.assertEqual([], self.problems(rule, path, TAG + text + "\n"))

    def test_the_good_tree(self):
        for rule in house.RULES:
            self.assertEqual([], list(rule(BASE)), rule.__name__)

    def test_floors_of_the_engine(self):
        self.refuses(house.floors, "engine/base/x.c", '#include "engine/io/loop.h"', '#include "engine/base/buf.h"',
                     '#include "io/loop.h"', '#include "missing.h"', '#include "engine/base/missing.h"',
                     "#include <sqlite3.h>", "#include <event2/event.h>", "#include <lua5.4/lua.h>", "#include <assert.h>",
                     "#include <strange.h>")
        self.refuses(house.floors, "engine/policy/x.c", '#include "engine/plugin/loader.h"', "#include <pcre2.h>")
        self.refuses(house.floors, "engine/plugin/x.c", '#include "engine/policy/policy.h"')
        self.refuses(house.floors, "engine/run/x.c", '#include "engine/work/feed.h"', "#include <dlfcn.h>",
                     "  #  include <openssl/evp.h>")
        self.refuses(house.floors, "engine/work/x.c", '#include "engine/run/run.h"')
        self.refuses(house.floors, "engine/api/x.c", '#include "engine/engine.h"')
        self.refuses(house.floors, "engine/attic/x.c", "#include <stdio.h>")
        self.accepts(house.floors, "engine/io/x.c", '#include "loop.h"\n#include "engine/base/buf.h"\n#include <sqlite3.h>')
        self.accepts(house.floors, "engine/api/x.c", '#include "engine/run/run.h"\n#include "engine/work/feed.h"')
        self.accepts(house.floors, "engine/main.c", '#include "engine.h"\n#include "engine/run/run.h"')

    def test_floors_around_it(self):
        self.refuses(house.floors, "include/cogent/x.h", "#include <jansson.h>", '#include "types.h"')
        self.refuses(house.floors, "plugins/tool_x/y.c", '#include "engine/base/buf.h"', '#include "../tool_y/y.h"',
                     "#include <event2/event.h>", "#include <libstemmer.h>")
        self.refuses(house.floors, "tests/erp/x.c", '#include "engine/base/buf.h"')
        self.accepts(house.floors, "plugins/retriever_records/x.c", "#include <libstemmer.h>")

    def test_cycles(self):
        self.refuses(house.cycles, "engine/base/buf.h", '#include "engine/io/loop.h"')
        self.accepts(house.cycles, "engine/io/other.h", '#include "loop.h"')

    def test_mint(self):
        self.refuses(house.mint, "engine/run/x.c", '#include "engine/base/tenant_mint.h"')
        self.refuses(house.mint, "engine/base/x.h", '#include "tenant_mint.h"')
        self.accepts(house.mint, "engine/svc/auth.c", '#include "engine/base/tenant_mint.h"')

    def test_banned(self):
        for name in ("atoi", "sprintf", "strcpy", "strcat", "strtok", "system", "gets"):
            self.refuses(house.banned, "engine/io/x.c", f"x = {name} (a);")
        self.refuses(house.banned, "engine/io/x.c", "assert(a);", 'printf("x");', 'puts("x");')
        self.refuses(house.banned, "plugins/tool_x/y.c", "assert(a);")
        self.refuses(house.banned, "tests/unit/x.c", "system(a);")
        self.accepts(house.banned, "engine/io/x.c", "snprintf(a);", "/* atoi(x) */", 'f("system(x)");', "static_assert(a);",
                     "table.system(a);", "fprintf(a);", "// gets(a)", "c = '\"'; d = \"strcpy(\";")
        self.accepts(house.banned, "engine/main.c", 'printf("x");')
        self.accepts(house.banned, "tests/unit/x.c", "assert(a); strcpy(a, b);")

    def test_licence(self):
        for path in ("engine/x.c", "tests/x.py", "policies/x.lua", "scripts/test", "scripts/dev/x.sh", ".ci/run"):
            self.assertEqual(1, len(self.problems(house.licence, path, "x\n")), path)
        for path in ("README.md", "engine/meson.build", "tests/erp/data.csv"):
            self.assertEqual([], self.problems(house.licence, path, "x\n"), path)

    def test_litter(self):
        self.refuses(house.litter, "docs/x.md", "TO" + "DO: x", "FIX" + "ME", "a XX" + "X b", "/wo" + "rk/tree", "see /ro" + "ot/x",
                     "/ho" + "me/ann/x", "https://registry.npm" + "js.org/x", "py" + "pi.org")
        self.accepts(house.litter, "docs/x.md", "todo list", "XX" + "XXXX", "a/wo" + "rk/b", "the /wo" + "rkspace", "$HOME/x")


if __name__ == "__main__":
    unittest.main()
