#!/usr/bin/env python3
"""testsum.py: sums up what meson's test logs say.

  testsum.py LOG.json...      prints "N passed, N failed, N skipped"; exit status 1 when one failed or none passed
"""
import json
import sys

KINDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def main():
    sums = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            for line in f:
                test = json.loads(line)
                kind = KINDS.get(test["result"], "failed")
                sums[kind] += 1
                if kind != "passed":
                    print(f"{kind}: {test['name']}")
    print(", ".join(f"{n} {kind}" for kind, n in sums.items()))
    return 1 if sums["failed"] or not sums["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
