#!/usr/bin/env python3
"""words.py ROOT: nothing left to do, no place of one machine, files and lines of a size that people read."""
import re
import sys

import tree

# written so that this file does not contain them
WORDS = [(r"\bTO[D]O\b|\bFIX[M]E\b|\bXX[X]\b", "something is left to do"),
         (r"/wor[k]/|/hom[e]/\w+/", "a path of one machine"),
         (r"<{7} |>{7} |^={7}$", "a merge that was not finished")]
MAX_LINE, MAX_FILE = 120, 600
LONG_TABLES = ("_schema.c", "_tables.c", "_names.c")  # rows of a standard, not code


def main():
    root, faults = sys.argv[1], []
    text_files = tree.files(root, ".c", ".h", ".def", ".py", ".sh", ".md", ".yaml", ".yml", ".build", ".sql", ".txt", ".list")
    for path in text_files:
        lines = tree.read(root, path).split("\n")
        for n, line in enumerate(lines, 1):
            for pattern, what in WORDS:
                if re.search(pattern, line):
                    faults.append(f"{path}:{n}: {what}: {line.strip()[:80]}")
            if path.endswith((".c", ".h")):
                if len(line) > MAX_LINE and not path.startswith("tests/unit/"):  # rows of text stay rows there
                    faults.append(f"{path}:{n}: {len(line)} columns, at most {MAX_LINE}")
                if "\t" in line:
                    faults.append(f"{path}:{n}: a tab")
            if line.endswith((" ", "\t", "\r")) and not path.endswith(".md"):
                faults.append(f"{path}:{n}: blanks at the end of the line")
        if path.endswith((".c", ".h")) and not path.startswith("tests/") and len(lines) - 1 > MAX_FILE and not path.endswith(LONG_TABLES):
            faults.append(f"{path}: {len(lines) - 1} lines, at most {MAX_FILE}")
        if lines and lines[-1] != "":
            faults.append(f"{path}: no newline at its end")
    return tree.report(faults, "words")


sys.exit(main())
