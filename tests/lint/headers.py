#!/usr/bin/env python3
"""headers.py ROOT CC: every header compiles alone, so what it needs it includes; and says #pragma once. One of a library
that is not there (DPDK) is left out."""
import concurrent.futures
import os
import subprocess
import sys

import tree


def flags(package):
    """How to compile with it, None where it is not there."""
    try:
        p = subprocess.run(["pkg-config", "--cflags", package], capture_output=True, text=True)
    except OSError:
        return None
    return p.stdout.split() if p.returncode == 0 else None


def one(job):
    root, cc, path, dpdk = job
    text = tree.read(root, path)
    faults = [] if "#pragma once" in text else [f"{path}: no #pragma once"]
    if "#include <rte_" in text:
        if dpdk is None:
            return faults
        cc = cc + dpdk
    p = subprocess.run(cc + ["-std=gnu17", "-D_GNU_SOURCE", "-DTYTO_VERSION=\"0\"", "-I" + root, "-I" + os.path.dirname(path),
                             "-Wall", "-Wno-unused-function", "-Wno-unused-variable", "-Werror",
                             "-fsyntax-only", "-x", "c", "-"], cwd=root, capture_output=True, text=True, input=f'#include "{path}"\n')
    if p.returncode:
        faults.append(f"{path}: does not compile alone:\n{p.stderr[:600]}")
    return faults


def main():
    root, cc = os.path.abspath(sys.argv[1]), sys.argv[2:]
    faults, dpdk = [], flags("libdpdk")
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for f in pool.map(one, [(root, cc, p, dpdk) for p in tree.files(root, ".h")]):
            faults += f
    return tree.report(faults, "headers")


sys.exit(main())
