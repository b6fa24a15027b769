#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our JSON Schema beside two others, ajv and hyperjump, on schemas as tools have them, made up from the declared subset.

  test_schema_peers.py PROGRAM [--schemas N] [--seed N] [--show]

Whatever we say otherwise than one of them is wrong or has its reason in EXPLAINED.
Skipped, with a sentence, where Node or the packages are not installed: scripts/dev/clients.sh gets them."""

import argparse
import json
import os
import random
import subprocess
import sys

import node

NODE = node.find()
INSTANCES = 10
PATTERNS = {  # and texts that match
    "^[A-Z]{2}-\\d+$": ["AB-1", "XY-042"], "^a|b$": ["abc", "xb"], "\\d{4}-\\d{2}": ["2026-11", "x2026-110"], "^\\S+$": ["word", "é!"],
    "^$": [""], "[äöü]": ["schön", "ä"], "^(?:foo|bar)+$": ["foobar", "barfoo"], "^.{2,3}$": ["ab", "abc"], "^\\w+@\\w+$": ["a@b"],
}
FORMATS = {"date": ["2026-11-25", "2024-02-29"], "date-time": ["2026-11-25T10:00:00Z", "2026-11-25T10:00:00.5+01:00"],
           "email": ["ann@example.com"], "uuid": ["0189c5de-7b4f-7c5e-8a3c-2f1d6b9a4e10"]}
TEXTS = ["", "a", "ab", "abc", "hello world", "é", "漢字", "😀", "2026-02-30", "not a date", "12", "AB-", "1e3", "null", "a" * 40]
NUMBERS = [0, 1, -1, 2, 3, 5, 7, 10, 99, 100, 1000, 0.5, -0.5, 0.25, 1.5, 2.5, 12.75, 1e6, 9007199254740991]
NAMES = ["id", "name", "quantity", "price", "lines", "note", "tags", "äöü"]

# What we say otherwise, and why. A case is of the first row that fits it.
EXPLAINED = [
    ("decimals", "Numbers are compared as decimals: 0.3 is a multiple of 0.1, which binary fractions deny.",
     lambda s, i, ours, ajv, hyper: '"multipleOf"' in s),
    ("formats", "hyperjump leaves formats to others; ajv agrees with us.",
     lambda s, i, ours, ajv, hyper: '"format"' in s and ours == ajv),
    ("ajv's uniqueItems", "Beside prefixItems ajv looks for equals among texts and numbers only, as if items were all; hyperjump agrees with us.",
     lambda s, i, ours, ajv, hyper: '"prefixItems"' in s and '"uniqueItems"' in s and ours == hyper),
]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def chance(self, p):
        return self.r.random() < p

    def bounds(self, low, high, least, most):
        """Two bounds that do not exclude each other, each there or not."""
        a, b = sorted((self.r.randint(least, most), self.r.randint(least, most)))
        return {k: v for k, v in ((low, a), (high, b)) if self.chance(0.5)}

    def string(self, depth):
        s = {"type": "string", **self.bounds("minLength", "maxLength", 0, 12)} if self.chance(0.5) else {"type": "string"}
        if self.chance(0.2):
            s["pattern"] = self.r.choice(list(PATTERNS))
        elif self.chance(0.15):
            s = {"type": "string", "format": self.r.choice(list(FORMATS))}
        return s

    def number(self, depth):
        s = {"type": self.r.choice(["integer", "number"]), **self.bounds("minimum", "maximum", -5, 100)}
        if self.chance(0.2):
            s["exclusiveMinimum"] = self.r.choice([-1, 0, 0.5, 10])
        if self.chance(0.1):
            s["exclusiveMaximum"] = self.r.choice([50, 99.5, 1000])
        if self.chance(0.2):
            s["multipleOf"] = self.r.choice([1, 2, 5, 0.5, 0.25, 0.1, 0.01])
        return s

    def choice(self, depth):
        some = self.r.sample([*TEXTS, *NUMBERS, True, False, None, {"a": 1}, [1, 2]], self.r.randint(1, 5))
        return {"enum": some} if self.chance(0.7) else {"const": some[0]}

    def array(self, depth):
        s = {"type": "array", **self.bounds("minItems", "maxItems", 0, 4)}
        if self.chance(0.8):
            s["items"] = self.schema(depth - 1)
        if self.chance(0.2):
            s["prefixItems"] = [self.schema(depth - 1) for _ in range(self.r.randint(1, 2))]
        if self.chance(0.3):
            s["uniqueItems"] = True
        return s

    def object(self, depth):
        names = self.r.sample(NAMES, self.r.randint(0, 5))
        s = {"type": "object", "properties": {n: self.schema(depth - 1) for n in names}}
        required = [n for n in names if self.chance(0.5)] + ([self.r.choice(NAMES)] if self.chance(0.1) else [])
        if required:
            s["required"] = sorted(set(required))
        if self.chance(0.6):
            s["additionalProperties"] = False if self.chance(0.7) else self.schema(depth - 1)
        if self.chance(0.1):
            s.update(self.bounds("minProperties", "maxProperties", 0, 5))
        return s

    def combined(self, depth):
        word = self.r.choice(["anyOf", "oneOf", "allOf", "not"])
        if word == "not":
            return {"not": self.schema(depth - 1)}
        return {word: [self.schema(depth - 1) for _ in range(self.r.randint(1, 3))]}

    def schema(self, depth):
        if self.chance(0.03):
            return self.chance(0.7)
        if self.chance(0.08):
            return {"$ref": "#/$defs/" + self.r.choice(["a", "b"])}
        makers = [self.string, self.string, self.number, self.number, self.choice, lambda d: {"type": self.r.choice(["boolean", "null"])},
                  lambda d: {"type": self.r.sample(["string", "integer", "null", "boolean", "array", "object", "number"], 2)}]
        if depth > 0:
            makers += [self.array, self.array, self.object, self.object, self.combined]
        s = self.r.choice(makers)(depth)
        if isinstance(s, dict) and self.chance(0.1):
            s["description"] = "What it is for."
        return s

    def document(self):
        s = self.object(3) if self.chance(0.8) else self.schema(3)
        if not isinstance(s, dict):
            return s
        return {**s, "$defs": {"a": self.string(0), "b": self.number(0)}}

    def value(self, s, root, depth=6):
        """One that the schema may well take."""
        if not isinstance(s, dict) or depth == 0:
            return self.any(1)
        if "$ref" in s:
            return self.value(root["$defs"][s["$ref"].rsplit("/", 1)[1]], root, depth - 1)
        for word in ("anyOf", "oneOf", "allOf"):
            if word in s:
                return self.value(self.r.choice(s[word]), root, depth - 1)
        if "enum" in s or "const" in s:
            return self.r.choice(s.get("enum", [s.get("const")]))
        kind = s.get("type")
        kind = self.r.choice(kind) if isinstance(kind, list) else kind
        if kind == "string":
            if "pattern" in s:
                return self.r.choice(PATTERNS[s["pattern"]])
            if "format" in s:
                return self.r.choice(FORMATS[s["format"]])
            n = self.r.randint(s.get("minLength", 0), max(s.get("maxLength", 8), s.get("minLength", 0)))
            return "".join(self.r.choice("abcé漢😀") for _ in range(n))
        if kind in ("integer", "number"):
            low, high = s.get("minimum", -5), s.get("maximum", 100)
            n = self.r.randint(low, max(low, high))
            step = s.get("multipleOf")
            n = round(n / step) * step if step else n
            return n + 0.5 if kind == "number" and not step and self.chance(0.3) else n
        if kind == "array":
            n = self.r.randint(s.get("minItems", 0), max(s.get("maxItems", 3), s.get("minItems", 0)))
            first = s.get("prefixItems", [])
            return [self.value(first[i] if i < len(first) else s.get("items", True), root, depth - 1) for i in range(n)]
        if kind == "object":
            have = {n: self.value(p, root, depth - 1) for n, p in s.get("properties", {}).items()
                    if n in s.get("required", []) or self.chance(0.6)}
            have.update({n: self.any(0) for n in s.get("required", []) if n not in have})
            return have
        return {"boolean": self.chance(0.5), "null": None}.get(kind, self.any(1))

    def any(self, depth):
        plain = [lambda: self.r.choice(TEXTS), lambda: self.r.choice(NUMBERS), lambda: self.chance(0.5), lambda: None]
        if depth > 0:
            plain += [lambda: [self.any(depth - 1) for _ in range(self.r.randint(0, 3))],
                      lambda: {n: self.any(depth - 1) for n in self.r.sample(NAMES, self.r.randint(0, 3))}]
        return self.r.choice(plain)()

    def changed(self, v):
        """One thing of it is another."""
        if isinstance(v, dict) and v and self.chance(0.8):
            name = self.r.choice(list(v))
            what = self.r.random()
            if what < 0.25:
                return {k: x for k, x in v.items() if k != name}
            if what < 0.45:
                return {**v, self.r.choice(NAMES + ["extra"]): self.any(1)}
            return {**v, name: self.changed(v[name])}
        if isinstance(v, list) and v and self.chance(0.8):
            i = self.r.randrange(len(v))
            return v + [v[i]] if self.chance(0.3) else v[:i] + [self.changed(v[i])] + v[i + 1:]
        if isinstance(v, (int, float)) and not isinstance(v, bool) and self.chance(0.7):
            return v + self.r.choice([1, -1, 0.5, 100, -100])
        if isinstance(v, str) and self.chance(0.5):
            return self.r.choice([v + "x", v[:-1], " " + v, v + "\n", v.upper()])
        return self.any(1)

    def instances(self, schema):
        for _ in range(INSTANCES):
            v = self.value(schema, schema)
            for _ in range(self.r.choice([0, 0, 1, 1, 2])):
                v = self.changed(v)
            yield v


def lines(command, rows, **more):
    done = subprocess.run(command, input="".join(json.dumps(r) + "\n" for r in rows), stdout=subprocess.PIPE, text=True, check=True, **more)
    return done.stdout.splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--schemas", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    why = node.missing(NODE, ["ajv", "ajv-formats", "@hyperjump/json-schema"])
    if why:
        print("skipped:", why)
        return node.SKIP
    maker = Maker(options.seed)
    cases = [(s, list(maker.instances(s))) for s in (maker.document() for _ in range(options.schemas))]
    ours = iter(lines([options.program], [{"schema": s, "instance": i} for s, all_ in cases for i in all_]))
    theirs = [json.loads(line) for line in lines([NODE, os.path.join(node.CLIENTS, "schema_readers.mjs")],
                                                 [{"schema": s, "instances": all_} for s, all_ in cases], env=node.ENVIRONMENT)]
    total = valid = refused = 0
    used, wrong = {name: 0 for name, _, _ in EXPLAINED}, []
    for (schema, all_), other in zip(cases, theirs):
        text = json.dumps(schema)
        for n, instance in enumerate(all_):
            verdict, ajv, hyper = next(ours), other["ajv"][n], other["hyperjump"][n]
            total += 1
            refused += verdict.startswith("refused")
            valid += verdict == "valid"
            we = verdict == "valid" if verdict in ("valid", "invalid") else verdict
            if we == ajv and we == hyper:
                continue
            reason = next((name for name, _, fits in EXPLAINED if fits(text, instance, we, ajv, hyper)), None)
            if reason:
                used[reason] += 1
            else:
                wrong.append({"schema": schema, "instance": instance, "ours": we, "ajv": ajv, "hyperjump": hyper})
    explained = sum(used.values())
    print(f"{total} cases of {len(cases)} schemas, {valid} valid, {refused} refused by us; {explained} differ for a reason {used}, "
          f"{len(wrong)} without: agreement {100 * (1 - len(wrong) / total):.3f} %")
    for row in wrong[:None if options.show else 5]:
        print(json.dumps(row, ensure_ascii=False))
    if valid < total / 10 or valid > total * 9 / 10:
        print("the cases are lopsided: they tell little")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
