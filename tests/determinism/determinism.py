#!/usr/bin/env python3
"""determinism.py TYTO SOURCE_ROOT [--all] [--keep] [FILE...]: the same packets give the same results.

Sets of captures, those of the tree and a sample of those under $TYTO_SHARED/pcaps (default ../shared; --all: all of
them; FILE...: these as one set), are replayed with
- 1, 2 and 8 workers, with and without -e: events, alerts, devices, links, alerts in the database,
  the export of the baseline, all rows of the database and the counters must be the same, byte for byte;
- every limit at its least, so that every bound evicts (all do, in a capture that is made for it): the same for 1 and 8 workers, with and without -e;
- all files of the set merged into one: the same but for packet numbers and names of files.
Whatever a set's results are, two runs must not differ. --keep leaves what differed in /tmp/tyto-determinism."""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import captures
import crowd

ARGS = [a for a in sys.argv[1:] if not a.startswith("--")]
ALL, KEEP = "--all" in sys.argv, "--keep" in sys.argv
if len(ARGS) < 2:
    sys.exit(__doc__)
TYTO, ROOT = map(os.path.abspath, ARGS[:2])
SHARED = os.environ.get("TYTO_SHARED", os.path.join(ROOT, "../shared"))
KEPT = "/tmp/tyto-determinism"
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import dnp3  # noqa: E402
import goose  # noqa: E402
import wire  # noqa: E402

SETS, SET_FILES, SET_BYTES = 12, 6, 1_000_000  # the sample: sets, files of each, bytes of a file at most
LISTINGS = {"assets": ["assets", "--json"], "links": ["links", "--json"], "alerts_db": ["alerts", "--json"],
            "export": ["baseline", "export"]}
# Counters that a run's form decides: how many threads, how long, which files.
OF_THE_RUN = ("workers", "wall_s", "memory_bytes")
# What tells packets of several files apart.
OF_THE_FILE = re.compile(r'"(?:pcap_cnt|frame)":\d+,?|"pcap_filename":"(?:[^"\\]|\\.)*",?|"frames":\[[\d,]*\],?')


class Run:
    """Results of one replay, by name, as text."""

    def __init__(self, files, workers, events, args, db=None):
        self.label = f"-w {workers}{' -e' if events else ''}"
        with tempfile.TemporaryDirectory(prefix="tyto-det-") as tmp:
            out = {k: os.path.join(tmp, k) for k in ("alerts", "events", "stats", "db")}
            if db:
                shutil.copy(db, out["db"])
            cmd = [TYTO, "replay", "-q", "--oui-excerpt", "-w", str(workers), "-d", out["db"], "-o", out["alerts"], "--stats",
                   out["stats"], *args] + (["-e", out["events"]] if events else [])
            p = subprocess.run(cmd + files, capture_output=True, text=True, timeout=600)
            self.status, self.stderr = p.returncode, p.stderr
            self.text = {}
            if p.returncode not in (0, 1) or not os.path.exists(out["stats"]):
                return
            self.text["alerts"] = slurp(out["alerts"])
            if events:
                self.text["events"] = slurp(out["events"])
            stats = json.loads(slurp(out["stats"]))
            self.evictions = stats["evictions"]
            self.text["stats"] = "\n".join(f"{k}: {v}" for k, v in stats.items() if k not in OF_THE_RUN)
            for name, cmd in LISTINGS.items():
                self.text[name] = subprocess.run([TYTO, *cmd, "-d", out["db"]], capture_output=True, text=True,
                                                 timeout=600, check=True).stdout
            self.text["rows"] = rows(out["db"])

    def plain(self):
        """Without what tells packets of several files apart."""
        return {k: OF_THE_FILE.sub("", v).replace(",}", "}") for k, v in self.text.items() if k != "rows"}


def slurp(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rows(path):
    """Every row of every table, in an order of its own: in which order the store wrote them is no promise."""
    db = sqlite3.connect(path)
    db.text_factory = lambda b: b.decode(errors='backslashreplace')  # names as they are on the wire
    out = []
    for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        out += sorted(f"{name} {row}" for row in db.execute(f'SELECT * FROM "{name}"'))
    db.close()
    return "\n".join(out)


def differ(name, a, b, what_a, what_b):
    """Lines that tell what differs between two dictionaries of texts."""
    told = []
    for k in a:
        if k not in b or a[k] == b[k]:
            continue
        la, lb = a[k].splitlines(), b[k].splitlines()
        at = next((i for i, (x, y) in enumerate(zip(la, lb)) if x != y), min(len(la), len(lb)))
        told.append(f"{name}: {k} differ between {what_a} and {what_b} from line {at + 1} on ({len(la)} and {len(lb)} lines)")
        one, two = (x[at] if at < len(x) else "(nothing)" for x in (la, lb))
        col = max(0, next((i for i, (x, y) in enumerate(zip(one, two)) if x != y), 0) - 80)
        told += [f"    {what_a}: {one[col:col + 240]}", f"    {what_b}: {two[col:col + 240]}"]
        if KEEP:
            os.makedirs(KEPT, exist_ok=True)
            for who, t in ((what_a, a[k]), (what_b, b[k])):
                with open(os.path.join(KEPT, f"{name}.{k}.{who}".replace("/", "_").replace(" ", "")), "w") as f:
                    f.write(t)
    return told


def compare(name, files, args, runs, db=None):
    """The first of runs ((workers, events), ...) is what the others must equal."""
    first = Run(files, *runs[0], args, db)
    if "alerts" not in first.text:
        return [f"{name}: exit {first.status}: {first.stderr[-300:]}"], first
    told = []
    for n, (workers, events) in enumerate(runs[1:]):
        r = Run(files, workers, events, args, db)
        if r.status != first.status or "alerts" not in r.text:
            told.append(f"{name}: {r.label}: exit {r.status}, {first.label}: exit {first.status}: {r.stderr[-300:]}")
            continue
        told += differ(name, first.text, r.text, first.label, f"{r.label}, run {n + 2}")
    return told, first


class Set:
    def __init__(self, name, files):
        self.name, self.files = name, files


def bundled():
    folder = os.path.join(ROOT, "pcaps")
    for name in sorted(os.listdir(folder)):
        files = sorted(os.path.join(folder, name, f) for f in os.listdir(os.path.join(folder, name)) if f.endswith(".pcap"))
        if files and name != "plant":
            yield Set(name, files)


def shared():
    """Files of all folders, mixed by the hash of their names: the same sets everywhere."""
    files = []
    for folder, _, names in os.walk(os.path.join(SHARED, "pcaps")):
        files += [os.path.join(folder, n) for n in names if n.endswith((".pcap", ".pcapng", ".cap", ".gz"))]
    files = [f for f in files if ALL or os.path.getsize(f) <= SET_BYTES]
    files.sort(key=lambda f: hashlib.sha256(os.path.relpath(f, SHARED).encode()).digest())
    n = len(files) if ALL else SETS * SET_FILES
    return [Set(f"shared {i // SET_FILES}", files[i:i + SET_FILES]) for i in range(0, min(n, len(files)), SET_FILES)]


def least_limits(tmp):
    limits = json.loads(subprocess.run([TYTO, "config", "limits", "--json"], capture_output=True, check=True).stdout)["limits"]
    path = os.path.join(tmp, "least.yaml")
    with open(path, "w") as f:
        f.write("limits:\n" + "".join(f"  {x['key']}: {x['min']}\n" for x in limits if "min" in x))
    return path


FULL = ((1, True), (2, False), (8, True), (8, False))
FEW = ((1, True), (8, False))


def crowded(least, tmp):
    """Every table overflows."""
    path = os.path.join(tmp, "crowd.pcap")
    crowd.make(path, wire, dnp3, goose)
    told, roomy = compare("crowd", [path], ["--detect"], FEW)
    more, bounded = compare("crowd, least limits", [path], ["--detect", "-c", least], FULL)
    more += compare("crowd, least limits, learning", [path], ["--learn", "-c", least], FEW)[0]
    # more publishers than are expected want a table of shared states that is not the least
    never = sorted(k for k, v in getattr(bounded, "evictions", {}).items() if not v and not roomy.evictions[k])
    if never not in ([], ["ndpi"]):  # nDPI may be absent
        more.append("crowd, least limits: tables that did not overflow: " + ", ".join(never))
    return told + more


def judge(s, least, tmp):
    told, first = compare(s.name, s.files, ["--detect"], FULL)
    if "alerts" not in first.text:
        return told
    more, _ = compare(s.name + ", least limits", s.files, ["--detect", "-c", least], FEW)
    told += more
    if len(s.files) < 2:
        return told
    try:
        packets = [captures.read(f) for f in s.files]
    except captures.Odd:
        return told
    path = os.path.join(tmp, hashlib.sha256(s.name.encode()).hexdigest()[:12] + ".pcapng")
    captures.write(path, captures.merged(packets))
    one = Run([path], 1, True, ["--detect"])
    os.remove(path)
    MERGED.append(s.name)
    return told + differ(s.name, first.plain(), one.plain() if one.text else {k: "" for k in first.text},
                         f"{len(s.files)} files", "one merged file")


def plant(tmp):
    """Learned by one run, judged by the next, with site, networks and maintenance."""
    site, folder = os.path.join(ROOT, "pcaps/plant/site.yaml"), os.path.join(ROOT, "pcaps/plant")
    told, _ = compare("plant learned", [folder + "/normal.pcap"], ["--learn", "-c", site], FULL)
    db = os.path.join(tmp, "plant.db")
    subprocess.run([TYTO, "replay", "-q", "--oui-excerpt", "--learn", "-c", site, "-d", db, "-o", "/dev/null", folder + "/normal.pcap"],
                   check=True, timeout=600)
    more, _ = compare("plant judged", [folder + "/incident.pcap"], ["--detect", "-c", site], FULL, db)
    return told + more


MERGED = []


def main():
    with tempfile.TemporaryDirectory(prefix="tyto-det-") as tmp:
        least = least_limits(tmp)
        sets = [Set("given", ARGS[2:])] if ARGS[2:] else [*bundled(), *shared()]
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
            jobs = [pool.submit(judge, s, least, tmp) for s in sets]
            if not ARGS[2:]:
                jobs += [pool.submit(plant, tmp), pool.submit(crowded, least, tmp)]
            told = [line for j in jobs for line in j.result()]
    print("\n".join(told))
    print(f"{len(sets)} sets of {sum(len(s.files) for s in sets)} captures, {len(MERGED)} also as one merged file, "
          f"{sum(not t.startswith(' ') for t in told)} differences")
    sys.exit(1 if told else 0)


if __name__ == "__main__":
    main()
