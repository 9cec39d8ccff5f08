#!/usr/bin/env python3
"""headers.py ROOT CC: every header compiles alone, so what it needs it includes; and says #pragma once."""
import concurrent.futures
import os
import subprocess
import sys

import tree


def one(job):
    root, cc, path = job
    text = tree.read(root, path)
    faults = [] if "#pragma once" in text else [f"{path}: no #pragma once"]
    p = subprocess.run(cc + ["-std=gnu17", "-D_GNU_SOURCE", "-DTYTO_VERSION=\"0\"", "-I" + root, "-I" + os.path.dirname(path),
                             "-Wall", "-Wno-unused-function", "-Wno-unused-variable", "-Werror",
                             "-fsyntax-only", "-x", "c", "-"], cwd=root, capture_output=True, text=True, input=f'#include "{path}"\n')
    if p.returncode:
        faults.append(f"{path}: does not compile alone:\n{p.stderr[:600]}")
    return faults


def main():
    root, cc = os.path.abspath(sys.argv[1]), sys.argv[2:]
    faults = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for f in pool.map(one, [(root, cc, p) for p in tree.files(root, ".h")]):
            faults += f
    return tree.report(faults, "headers")


sys.exit(main())
