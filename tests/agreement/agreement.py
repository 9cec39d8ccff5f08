#!/usr/bin/env python3
"""agreement.py: compares the events of `tyto replay` with Wireshark's view of real captures, message by message.

  agreement.py --tyto BUILD/tyto [--shared DIR] [--protocols modbus,dnp3,...] [--gate] [--pages docs] [-v] [CAPTURE...]

DIR (default: environment TYTO_SHARED, else ../shared) holds pcaps/<folder>/<capture> and
groundtruth/<folder>/<capture>.messages.tsv; where it is absent the check says "skipped". Captures that the project builds
(pcaps/<protocol>/*.pcap with .messages.tsv beside) are checked with --built.

A row that is not optional must be found once for each time it is listed; what is found and not listed is too much, except in packets that
Wireshark left undissected (rows "N * * 1"). The table: messages listed and found, agreement both ways, captures exact,
function codes of the ground truth never found right. --pages: what docs/AGREEMENT.md and docs/agreement/ tell in numbers
must be what was found.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys


def decoded(tyto):
    """All that the program decodes. Without cyclic data of CIP: Wireshark lists none of them as messages."""
    out = subprocess.run([tyto, "protocols", "--json"], capture_output=True, text=True, check=True).stdout
    return [p["name"] for p in json.loads(out) if p["name"] != "cip_io"]



def truth(path):
    must, may, free = collections.Counter(), collections.Counter(), set()
    with open(path) as f:
        next(f)
        for line in f:
            frame, proto, fn, opt = line.rstrip("\n").split("\t")
            if proto == "*":
                free.add(int(frame))
            elif opt == "1":
                may[(int(frame), proto, fn)] += 1
            else:
                must[(int(frame), proto, fn)] += 1
    return must, may, free


def found(tyto, capture):
    cmd = [tyto, "replay", "-d", ":memory:", "-o", "/dev/null", "-e", "-", capture]
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=600)
    if p.returncode not in (0, 1):
        raise RuntimeError(f"{capture}: exit {p.returncode}: {p.stderr[-300:]}")
    got = collections.Counter()
    for line in p.stdout.splitlines():
        e = json.loads(line)
        for m in e["ot"]["messages"]:
            if m["function"] is not None:
                got[(m["frame"], e["event_type"], m["function"])] += 1
    return got


def compare(job):
    tyto, capture, table, protocols = job
    must, may, free = truth(table)
    got = found(tyto, capture)
    res = {}
    for p in protocols:
        g = {k: n for k, n in got.items() if k[1] == p}
        m = {k: n for k, n in must.items() if k[1] == p}
        o = {k: n for k, n in may.items() if k[1] == p}
        missing = {k: n - g.get(k, 0) for k, n in m.items() if n > g.get(k, 0)}
        extra = {k: n - m.get(k, 0) - o.get(k, 0) for k, n in g.items()
                 if n > m.get(k, 0) + o.get(k, 0) and k[0] not in free}
        right = {k[2] for k in m if g.get(k, 0)} | {k[2] for k in o if g.get(k, 0)}
        if m or g or o:
            res[p] = (sum(m.values()), sum(g.values()), missing, extra, {k[2] for k in m}, right)
    return capture, res


def jobs(a):
    if a.built:
        for d, _, files in sorted(os.walk(a.built)):
            for f in sorted(files):
                if f.endswith(".messages.tsv"):
                    yield os.path.join(d, f[:-13] + ".pcap"), os.path.join(d, f)
        return
    base = os.path.join(a.shared, "groundtruth")
    for d, _, files in sorted(os.walk(base)):
        for f in sorted(files):
            if not f.endswith(".messages.tsv"):
                continue
            cap = os.path.join(a.shared, "pcaps", os.path.relpath(d, base), f[:-13])
            if os.path.exists(cap) and (not a.captures or any(c in cap for c in a.captures)):
                yield cap, os.path.join(d, f)


def told(path):
    """The rows of a page that tell numbers: the first cell, and all numbers behind it."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as f:
        for line in f:
            name, *cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("|") else [""]
            if cells and all(re.fullmatch(r"[\d,]+|none of \d+|\d+ of \d+|none", c) for c in cells):
                yield name, [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", " ".join(cells))]


def untrue(docs, built, sums):
    """Rows that tell something else than what was found."""
    wrong, n = [], 0
    for p, (listed, got, missing, extra, caps, exact, codes, _) in sums.items():
        pages = (("AGREEMENT.md", p, [caps, listed, missing, extra] + ([] if built else [exact]) + [len(codes)], 5 + (not built)),
                 (f"agreement/{p}.md", r".*\bbuilt\b.*" if built else "(public|real) captures", [listed, missing, extra, exact, caps], 5),
                 (f"agreement/{p}.md", r".*\bbuilt\b.*" if built else "(public|real) captures", [listed, got, missing, extra, exact, caps], 6),
                 ("agreement/enip.md", p, [listed, missing, extra, caps, exact, len(codes)], 0 if built else 6))
        for page, name, true, many in pages:
            for row, numbers in told(os.path.join(docs, page)):
                if re.fullmatch(name, row) and len(numbers) == many:
                    n += 1
                    wrong += [f"docs/{page} tells {numbers} of {p}, found {true}"] if numbers != true else []
    return wrong + ([] if n else [f"{docs}: no row tells of agreement"])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--tyto", required=True)
    ap.add_argument("--shared", default=os.environ.get("TYTO_SHARED", os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "../../../shared")))
    ap.add_argument("--built", help="folder of captures with their .messages.tsv beside")
    ap.add_argument("--protocols", help="names, comma between; all that are decoded without it")
    ap.add_argument("--gate", action="store_true", help="fail below 99.5 %% messages, 95 %% captures or a code never right")
    ap.add_argument("--pages", help="folder of documents whose numbers must be those that are found")
    ap.add_argument("-v", "--verbose", action="store_true", help="list what differs")
    ap.add_argument("captures", nargs="*", help="only captures whose path contains one of these")
    a = ap.parse_args()
    if not a.built and not os.path.isdir(os.path.join(a.shared, "groundtruth")):
        print(f"agreement: skipped ({a.shared}/groundtruth is not here)")
        return 77
    protocols = a.protocols.split(",") if a.protocols else decoded(a.tyto)
    todo = [(a.tyto, c, t, protocols) for c, t in jobs(a)]
    sums = {p: [0, 0, 0, 0, 0, 0, set(), set()] for p in protocols}
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for cap, res in pool.map(compare, todo):
            for p, (n_must, n_got, missing, extra, codes, right) in res.items():
                s = sums[p]
                s[0] += n_must
                s[1] += n_got
                s[2] += sum(missing.values())
                s[3] += sum(extra.values())
                s[4] += 1
                s[5] += not missing and not extra
                s[6] |= codes
                s[7] |= right
                if a.verbose and (missing or extra):
                    print(f"{cap}: {p}: {sum(missing.values())} missing, {sum(extra.values())} too many")
                    for what, d in (("missing", missing), ("extra", extra)):
                        for k in sorted(d)[:8]:
                            print(f"    {what} frame {k[0]} {k[1]} {k[2]} x{d[k]}")
    bad = False
    print(f"{'protocol':9} {'listed':>8} {'found':>8} {'missing':>8} {'too many':>8} {'recall':>8} {'precision':>9} "
          f"{'captures':>8} {'exact':>6} {'codes':>6} never right")
    for p in protocols:
        n, g, miss, extra, caps, exact, codes, right = sums[p]
        recall, precision = 100 * (n - miss) / n if n else 100.0, 100 * (g - extra) / g if g else 100.0
        never = sorted(codes - right)
        print(f"{p:9} {n:8} {g:8} {miss:8} {extra:8} {recall:7.2f}% {precision:8.2f}% {caps:8} {exact:6} {len(codes):6} "
              f"{' '.join(never) or '-'}")
        bad |= recall < 99.5 or precision < 99.5 or (caps and exact < 0.95 * caps) or bool(never)
    wrong = untrue(a.pages, a.built, sums) if a.pages and not a.captures else []
    print("\n".join(wrong))
    return 1 if a.gate and bad or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
