#!/usr/bin/env python3
"""analyse.py cppcheck|clang-tidy ROOT BUILD PROGRAM: static analysis of the project's own sources; 77 (skipped) without PROGRAM.

clang-tidy remembers in BUILD/analysed.json what was clean: a file is looked at again when it, a header or the configuration
has changed.
"""
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

import tree

tool, root, build, program = sys.argv[1:5]
root = os.path.abspath(root)
sources = [f for f in tree.files(root, ".c") if not f.startswith("tests/")]


def cppcheck():
    p = subprocess.run([program, "--enable=warning,portability,performance", "--std=c11", f"-j{os.cpu_count()}", "--quiet", "-I.",
                        "--suppress=missingInclude", "--suppress=missingIncludeSystem", "--suppressions-list=tests/lint/cppcheck.txt",
                        "--inline-suppr", *sources], cwd=root, capture_output=True, text=True)
    faults = [line for line in p.stderr.splitlines() if ": error: " in line or ": warning: " in line or ": portability: " in line
              or ": performance: " in line]
    return tree.report(faults, f"cppcheck, {len(sources)} files")


def tidy_one(path):
    p = subprocess.run([program, "-p", build, "--quiet", path], cwd=root, capture_output=True, text=True)
    found = [line for line in p.stdout.splitlines() if " warning: " in line or " error: " in line]
    if not found and p.returncode:
        found = [f"{path}: clang-tidy failed: {p.stderr[:300]}"]
    return path, found


def tidy():
    memory = os.path.join(build, "analysed.json")
    try:
        with open(memory) as f:
            clean = json.load(f)
    except (OSError, ValueError):
        clean = {}
    common = hashlib.sha1(tree.read(root, ".clang-tidy").encode())
    for h in tree.files(root, ".h", ".def"):
        common.update(tree.read(root, h).encode())
    sums = {f: hashlib.sha1(common.digest() + tree.read(root, f).encode()).hexdigest() for f in sources}
    todo, faults = [f for f in sources if clean.get(f) != sums[f]], set()
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for path, found in pool.map(tidy_one, todo):
            faults.update(found)
            if not found:
                clean[path] = sums[path]
    with open(memory, "w") as f:
        json.dump(clean, f)
    return tree.report(sorted(faults), f"clang-tidy, {len(todo)} of {len(sources)} files")


if not program:
    print(f"skipped: there is no {tool} here")
    sys.exit(77)
sys.exit(cppcheck() if tool == "cppcheck" else tidy())
