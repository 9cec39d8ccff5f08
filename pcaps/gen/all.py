#!/usr/bin/env python3
"""all.py: makes every capture of this folder's parent again, or checks that they are what the scripts make.

  all.py            writes pcaps/*/*.pcap and *.messages.tsv
  all.py --check    writes nothing; says which files differ, are missing, or are made by no script; exit status 1 then

A script NAME.py beside this one makes pcaps/NAME. Captures that no script makes have a row in their folder's SOURCES.md
that says where they are from.
"""
import fnmatch
import gzip
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PCAPS = os.path.dirname(HERE)
NO_CAPTURES = ("wire.py", "all.py")
MADE = (".pcap", ".pcapng", ".gz", ".messages.tsv")


def scripts():
    return sorted(f[:-3] for f in os.listdir(HERE) if f.endswith(".py") and f not in NO_CAPTURES)


def make(name, out):
    os.makedirs(out, exist_ok=True)
    run = subprocess.run([sys.executable, "-B", os.path.join(HERE, name + ".py"), out], stdout=subprocess.DEVNULL, check=False)
    if run.returncode:
        sys.exit(f"all.py: {name}.py failed")


def captures(folder):
    return {f for f in os.listdir(folder) if f.endswith(MADE)} if os.path.isdir(folder) else set()


def content(path):
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def rows(folder):
    """The first cells of the table in SOURCES.md: names, or patterns of names."""
    path = os.path.join(folder, "SOURCES.md")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [name for line in f if line.startswith("|") for name in re.split(r"[ ,]+", line.split("|")[1].strip(" `"))]


def check(name, new):
    """What is wrong with pcaps/NAME, as lines."""
    old, faults = os.path.join(PCAPS, name), []
    told = rows(old)
    for f in sorted(captures(old) | captures(new)):
        a, b = os.path.join(old, f), os.path.join(new, f)
        if not os.path.exists(a):
            faults.append(f"pcaps/{name}/{f}: missing; run pcaps/gen/all.py")
        elif not os.path.exists(b):
            if not any(fnmatch.fnmatch(f, t) for t in told):
                faults.append(f"pcaps/{name}/{f}: made by no script, and not in SOURCES.md")
        elif content(a) != content(b):
            faults.append(f"pcaps/{name}/{f}: not what pcaps/gen/{name}.py makes")
        if not f.endswith(".messages.tsv") and not any(fnmatch.fnmatch(f, t) for t in told):
            faults.append(f"pcaps/{name}/{f}: no row in SOURCES.md")
    return faults


def main():
    faults = []
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    for name in scripts():
        if not sys.argv[1:]:
            make(name, os.path.join(PCAPS, name))
            continue
        with tempfile.TemporaryDirectory() as out:
            make(name, out)
            faults += check(name, out)
    print("\n".join(faults) if faults else f"{len(scripts())} folders")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
