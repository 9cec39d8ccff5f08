#!/usr/bin/env python3
"""run.py [--update] TYTO ROOT [PROTOCOL[/CASE]...]: whole results of the real program, capture by capture.

Each pcaps/<protocol>/<case>.pcap is replayed into an empty database, with nDPI off and vendors from the excerpt in the
program, so that the results are the same on every Debian. Events, alerts, devices, links, baseline and counters must equal
golden/<protocol>/<case>.json: one record a line, sorted keys. --update (`ninja golden-update`) writes what was found;
read the difference before it is committed. Of long captures the first events are kept and a digest of all.
"""
import concurrent.futures
import difflib
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST = 120            # events kept of one capture
DROP_STATS = {"version", "memory_bytes", "wall_s", "workers"}


def line(v):
    return json.dumps(v, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(x) for x in f if x.strip()]


def listing(tyto, what, db):
    out = subprocess.run([tyto, what, "-d", db, "--json"], capture_output=True, text=True, check=True).stdout
    v = json.loads(out)
    return v if isinstance(v, list) else next(x for x in v.values() if isinstance(x, list))


def drop_zero(v):
    if isinstance(v, dict):
        return {k: drop_zero(x) for k, x in v.items() if x not in (0, {}, []) and drop_zero(x) != {}}
    return v


def results(tyto, capture):
    with tempfile.TemporaryDirectory() as tmp:
        db, alerts, events, stats = (os.path.join(tmp, n) for n in ("db", "alerts", "events", "stats"))
        p = subprocess.run([tyto, "replay", "-q", "--no-ndpi", "--oui-excerpt", "-d", db, "-o", alerts, "-e", events, "--stats", stats,
                            os.path.basename(capture)], cwd=os.path.dirname(capture), capture_output=True, text=True, timeout=120)
        ev, counters = lines_of(events), json.load(open(stats))
        text = subprocess.run([tyto, "baseline", "export", "-d", db, "--all"], capture_output=True, text=True, check=True).stdout
        r = {
            "exit": [p.returncode, *p.stderr.splitlines()],
            "events": [line(e) for e in ev[:FIRST]],
            "alerts": [line(a) for a in lines_of(alerts)],
            "assets": [line(a) for a in listing(tyto, "assets", db)],
            "links": [line(a) for a in listing(tyto, "links", db)],
            "baseline": [json.dumps(x, ensure_ascii=False) for x in text.splitlines() if not x.startswith("#")],
            "counters": [line({k: v}) for k, v in sorted(drop_zero({k: v for k, v in counters.items() if k not in DROP_STATS}).items())],
        }
        if len(ev) > FIRST:
            digest = hashlib.sha256("\n".join(line(e) for e in ev).encode()).hexdigest()
            r["events"].append(line({"all": len(ev), "sha256": digest}))
        r["exit"] = [json.dumps(x) for x in r["exit"]]
        return "{\n" + ",\n".join(f'"{k}":[\n' + ",\n".join(v) + "\n]" for k, v in r.items()) + "\n}\n"


def one(job):
    tyto, root, capture, update = job
    name = os.path.relpath(capture, os.path.join(root, "pcaps"))[:-len(".pcap")]
    path = os.path.join(HERE, name + ".json")
    found = results(tyto, capture)
    json.loads(found)
    old = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    if found == old:
        return name, []
    if update:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(found)
        return name, ["written"]
    diff = list(difflib.unified_diff(old.splitlines(), found.splitlines(), "golden", "found", n=0, lineterm=""))
    return name, [d[:600] for d in diff[:24]] + ([f"... {len(diff)} lines"] if len(diff) > 24 else [])


def main():
    args = sys.argv[1:]
    update = args[0] == "--update"
    tyto, root, *only = args[1:] if update else args
    tyto, root = os.path.abspath(tyto), os.path.abspath(root)
    captures = [c for c in sorted(glob.glob(os.path.join(root, "pcaps/*/*.pcap")))
                if not only or any(os.path.relpath(c, os.path.join(root, "pcaps")).startswith(o + "/") or c.endswith(o + ".pcap") for o in only)]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for name, diff in pool.map(one, [(tyto, root, c, update) for c in captures]):
            bad += bool(diff)
            if diff:
                print(f"{name}:", *diff, sep="\n  ")
    print(f"{len(captures)} captures, {bad} {'written' if update else 'differ'}")
    return 0 if update or not bad else 1


sys.exit(main())
