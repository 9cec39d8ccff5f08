#!/usr/bin/env python3
"""named.py ROOT: what a schema names, its dissector tells: each field, anomaly and kind of object of a table
(`[F_X] = {"x", ...}`) stands somewhere else than in the table and in the list of its numbers."""
import collections
import re
import sys

import tree

NAMED = re.compile(r'\[(\w+)\]\s*=\s*\{\s*"(\w+)"')
ENUM = re.compile(r"\benum\s*\w*\s*\{[^}]*\}")


def main(root):
    words, tables = collections.defaultdict(collections.Counter), []
    for path in tree.files(root, ".c", ".h", ".def"):
        if not path.startswith("dissectors/"):
            continue
        text = tree.read(root, path)
        family = re.match(r"[a-z0-9]+", path.split("/")[1])[0]
        tables += [(path, family, *m) for m in NAMED.findall(text)]
        code = tree.bare(NAMED.sub("", text))
        words[family].update(re.findall(r"\w+", ENUM.sub("", code)))
    faults = []
    for path, family, symbol, name in tables:
        rest = symbol.split("_", 1)[-1]  # macros paste the prefix: DK_##k
        if not words[family][symbol] and not words[family][rest]:
            faults.append(f"{path}: nothing tells {symbol}, {name!r}")
    tree.report(faults, "named")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
