#!/usr/bin/env python3
"""format.py ROOT PROGRAM: clang-format. 77 (skipped) without the program, or while the tree has never been formatted by it."""
import subprocess
import sys

import tree

root, program = sys.argv[1:3]
sources = tree.files(root, ".c", ".h")
if not program:
    print("skipped: there is no clang-format here")
    sys.exit(77)
wrong = []
for f in sources:
    if subprocess.run([program, "--dry-run", "-Werror", f], cwd=root, capture_output=True).returncode:
        wrong.append(f)
    if len(wrong) * 10 > len(sources):
        print(f"skipped: more than {len(wrong)} of {len(sources)} files are laid out by hand")
        sys.exit(77)
sys.exit(tree.report([f"{f}: clang-format would change it" for f in wrong], "format"))
