#!/usr/bin/env python3
"""explain.py: each alert of the captures of the tree explains itself.

  explain.py TYTO SOURCE_ROOT [CASE...]
"""
import glob
import json
import os
import subprocess
import sys

import cases
from cases import case
from run import ROOT, TYTO, explain

cases.CASES.clear()


def of_all_captures(mode):
    paths = sorted(glob.glob(os.path.join(ROOT, "pcaps/**/*.pcap*"), recursive=True))
    types = set()
    for path in paths:
        if path.endswith((".json", ".md")):
            continue
        r = subprocess.run([TYTO, "replay", "-q", "-d", ":memory:", mode, path], capture_output=True, text=True, check=True)
        for line in r.stdout.splitlines():
            a = json.loads(line)
            explain(a)
            types.add(a["tyto"]["id"])
    assert len(paths) > 50 and len(types) > 30, (len(paths), len(types))


@case
def while_learning():
    of_all_captures("--learn")


@case
def while_judging():
    of_all_captures("--detect")


cases.main(sys.argv[3:])
