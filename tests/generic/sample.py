#!/usr/bin/env python3
"""sample.py: runs a generic test on a bounded, even sample of real captures.

  sample.py DIR N PROGRAM [ARG...] -- PROTOCOL...

DIR is the folder that holds pcaps/<protocol>/ (or the name that such collections have for it); the environment variable TYTO_SHARED goes before it. Exit 77 (skipped) where
it is absent. At most N captures of each protocol, evenly over the sorted names.
"""
import os
import subprocess
import sys

FOLDERS = {"pn_dcp": "profinet_dcp"}


def main():
    cut = sys.argv.index("--")
    base, n, command = os.environ.get("TYTO_SHARED", sys.argv[1]), int(sys.argv[2]), sys.argv[3:cut]
    files = []
    for proto in sys.argv[cut + 1:]:
        folder = os.path.join(base, "pcaps", FOLDERS.get(proto, proto))
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        step = max(1, -(-len(names) // n))
        files += [os.path.join(folder, f) for f in names[::step]]
    if not files:
        print(f"skipped: no captures in {base}/pcaps")
        return 77
    return subprocess.run(command + files).returncode


if __name__ == "__main__":
    sys.exit(main())
