#!/usr/bin/env python3
"""no_room.py: outputs that cannot be written, and the smallest tables.

  no_room.py TYTO SOURCE_ROOT

A full disk behind -o, -e, --stats or -d ends the run with exit status 1 and one line that names the output; what can be
written still is. With every limit at its least, and a capture that wants more, the run ends well and says what it evicted.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

tyto, root = sys.argv[1:3]
captures = sorted(glob.glob(os.path.join(root, "pcaps/*/*.pcap")))
bad = 0


def run(*args):
    return subprocess.run([tyto, "replay", "-q", "--no-ndpi", *args, *captures], capture_output=True, text=True, timeout=100)


def check(ok, what, p):
    global bad
    if not ok:
        bad += 1
        print(f"{what}: exit {p.returncode}\n  stderr: {p.stderr[:500]}\n  stdout: {p.stdout[:200]}")


with tempfile.TemporaryDirectory() as tmp:
    alerts, events, stats = (os.path.join(tmp, n) for n in ("alerts", "events", "stats"))
    all_three = {"-o": alerts, "-e": events, "--stats": stats}
    for broken in all_three:
        args = [a for k, v in all_three.items() for a in (k, "/dev/full" if k == broken else v)]
        p = run("-d", ":memory:", *args)
        check(p.returncode == 1, f"{broken} /dev/full", p)
        check("No space left" in p.stderr and len(p.stderr.splitlines()) <= 3, f"{broken} /dev/full: the message", p)
        check(broken == "-o" or "/dev/full" in p.stderr or "alert output" in p.stderr, f"{broken}: names the output", p)
        for k, v in all_three.items():
            if k != broken and not os.path.getsize(v):
                check(False, f"{broken} /dev/full: {k} was not written", p)
            if k != broken:
                os.remove(v)
    for missing in ("-o", "-e", "--stats", "-d"):
        p = run(*(["-d", ":memory:", "-o", alerts] if missing != "-d" else ["-o", alerts]), missing, "/nowhere/x")
        check(p.returncode == 1 and "/nowhere/x" in p.stderr, f"{missing} /nowhere/x", p)

    limits = json.loads(subprocess.run([tyto, "config", "limits", "--json"], capture_output=True, text=True).stdout)
    rows = limits["limits"] if isinstance(limits, dict) else limits
    conf = os.path.join(tmp, "least.yaml")
    with open(conf, "w") as f:
        f.write("limits:\n" + "".join(f"  {r['key']}: {r['min']}\n" for r in rows))
    p = run("-c", conf, "-d", ":memory:", "-o", alerts, "-e", events, "--stats", stats, "-w", "8")
    check(p.returncode == 0, "every limit at its least", p)
    s = json.load(open(stats)) if os.path.exists(stats) else {}
    check(s.get("packets", 0) > 1000, "every limit at its least: packets", p)
    for line in open(events):
        json.loads(line)
print("wrong" if bad else "all as it should be")
sys.exit(bad != 0)
