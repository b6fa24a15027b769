# SPDX-License-Identifier: Apache-2.0
"""Counts a meson testlog.json: tally.py LOG STATUS. Prints the last line of scripts/test; fails when anything did."""

import json
import sys


def count(path):
    """Passed, failed, skipped. What is neither passed nor skipped has failed."""
    passed = failed = skipped = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            result = json.loads(line).get("result") if line.strip() else None
            if result in ("OK", "EXPECTEDFAIL"):
                passed += 1
            elif result == "SKIP":
                skipped += 1
            elif result is not None:
                failed += 1
    return passed, failed, skipped


def main():
    try:
        passed, failed, skipped = count(sys.argv[1])
    except (OSError, ValueError):
        passed, failed, skipped = 0, 1, 0
    if failed == 0 and (sys.argv[2] != "0" or passed + skipped == 0):
        failed = 1  # meson itself failed, or there was nothing to run
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
