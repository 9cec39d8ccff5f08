#!/usr/bin/env python3
"""soak.py: live traffic at a steady rate for minutes: memory is flat after warm-up, no descriptor leaks, what was sent
was processed or counted as dropped. As root; not part of the suite: `ninja -C build soak` runs it, fifteen minutes.

  soak.py TYTO SEND [TRACE.pcap|- [MINUTES [RATE [WORKERS]]]]      - makes a trace
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import netns

TYTO, SEND = sys.argv[1:3]
TRACE = sys.argv[3] if len(sys.argv) > 3 else "-"
MINUTES = float(sys.argv[4]) if len(sys.argv) > 4 else 15
RATE = int(sys.argv[5]) if len(sys.argv) > 5 else 250000
WORKERS = sys.argv[6] if len(sys.argv) > 6 else "2"
SAMPLES = 30


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def main():
    why = netns.usable()
    if why:
        sys.exit(f"cannot run here: {why}")
    pair = netns.Wire()
    try:
        with tempfile.TemporaryDirectory() as tmp:
            out, trace = os.path.join(tmp, "stats"), TRACE
            if trace == "-":
                trace = os.path.join(tmp, "trace.pcap")
                make = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench/make_trace.py")
                subprocess.run([sys.executable, make, "--packets", "1000000", "--out", trace], check=True)
            p = subprocess.Popen([*pair.inside(pair.rx), TYTO, "run", "-q", "-i", "pcap:vr", "-d", os.path.join(tmp, "db"),
                                  "-o", os.path.join(tmp, "alerts"), "--stats", out, "-w", WORKERS])
            time.sleep(2)
            n = int(MINUTES * 60 * RATE)
            s = subprocess.Popen([*pair.inside(pair.tx), SEND, "vt", trace, str(n), str(RATE)], stdout=subprocess.DEVNULL)
            seen = []
            while s.poll() is None:
                time.sleep(MINUTES * 60 / SAMPLES)
                seen.append((resident(p.pid), len(os.listdir(f"/proc/{p.pid}/fd"))))
                print(f"{seen[-1][0]} KiB resident, {seen[-1][1]} descriptors", flush=True)
            time.sleep(1)
            p.terminate()
            p.wait(timeout=20)
            with open(out) as f:
                stats = json.load(f)
    finally:
        pair.close()
    warm = seen[len(seen) // 3:]
    grown = warm[-1][0] / warm[0][0] - 1
    lost = stats["dropped"]["kernel"]
    handed = sum(w["handed_over"] for w in stats["workers"])
    print(f"{len(stats['workers'])} workers, {handed} handed over, {stats['alerts']} alerts, {stats['flows']} flows")
    print(f"{n} sent, {stats['packets']} processed, {lost} dropped; memory {grown:+.1%} after warm-up")
    ok = grown < 0.02 and len({fds for _, fds in warm}) == 1 and stats["packets"] + lost == n
    print("as it should be" if ok else "NOT as it should be")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
