#!/usr/bin/env python3
"""live.py: tyto run on a veth pair in network namespaces of its own. Needs root; skipped elsewhere.

  live.py TYTO SEND SOURCE_ROOT [CASE...]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

import netns

TYTO, SEND, ROOT = sys.argv[1:4]
CASES = []
TIMES = ("timestamp", "flow_id", "in_iface", "pcap_filename")


def case(f):
    CASES.append(f)
    return f


def capture(name):
    return os.path.join(ROOT, "pcaps", name)


def lines(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


class Run:
    """tyto run in the watching namespace, until stop()."""

    def __init__(self, wire, *args, source="pcap:vr", mode="--detect"):
        self.dir = tempfile.mkdtemp(dir=WORK)
        self.out = {k: os.path.join(self.dir, k) for k in ("alerts", "events", "stats", "db", "err")}
        self.err = open(self.out["err"], "w")
        inside = wire.inside(wire.rx) if wire else []
        self.p = subprocess.Popen([*inside, TYTO, "run", "-i", source, "-d", self.out["db"], "-o", self.out["alerts"],
                                   "-e", self.out["events"], "--stats", self.out["stats"], "--oui-excerpt",
                                   *([mode] if mode else []), *args], stderr=self.err)
        self.wait_for_ready()

    def wait_for_ready(self):
        for _ in range(200):
            if "capturing" in self.told() or self.p.poll() is not None:
                return
            time.sleep(0.05)
        raise AssertionError("tyto run did not come up: " + self.told())

    def told(self):
        with open(self.out["err"]) as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM):
        time.sleep(0.2)
        t0 = time.time()
        self.p.send_signal(sig)
        self.status = self.p.wait(timeout=20)
        self.took = time.time() - t0
        self.stats = lines(self.out["stats"])[0]
        self.alerts, self.events = lines(self.out["alerts"]), lines(self.out["events"])
        return self


def replay(path, *args, mode="--detect"):
    d = tempfile.mkdtemp(dir=WORK)
    out = {k: os.path.join(d, k) for k in ("alerts", "events", "stats", "db")}
    subprocess.run([TYTO, "replay", "-q", "-d", out["db"], "-o", out["alerts"], "-e", out["events"], "--stats",
                    out["stats"], "--oui-excerpt", mode, *args, path], check=True)
    return Result(out)


class Result:
    def __init__(self, out):
        self.out, self.stats = out, lines(out["stats"])[0]
        self.alerts, self.events = lines(out["alerts"]), lines(out["events"])


def send(wire, path, *args):
    text = subprocess.run([*wire.inside(wire.tx), SEND, "vt", path, *map(str, args)], check=True, capture_output=True,
                          text=True).stdout
    return int(text.split()[0])


def bare_events(r):
    """Events without times and what follows from them."""
    c = Counter()
    for e in r.events:
        for k in TIMES:
            e.pop(k, None)
        for k in ("latency_us", "tx_id"):
            e["ot"].pop(k, None)
        c[json.dumps(e, sort_keys=True)] += 1
    return c


def bare_alerts(r):
    """Which alerts, about whom. A scan names the last address it came to, which depends on the time."""
    return {(a["tyto"]["id"], a["alert"]["signature"], a.get("src_ip"),
             None if a["tyto"]["id"] in ("OT-ANO-002", "OT-ANO-003") else a.get("dest_ip")) for a in r.alerts}


def inventory(r):
    text = subprocess.run([TYTO, "assets", "-d", r.out["db"], "--json"], check=True, capture_output=True, text=True)
    found = json.loads(text.stdout)
    found = found if isinstance(found, list) else found["assets"]
    return sorted(json.dumps({k: a.get(k) for k in ("name", "type", "vendor", "model", "firmware", "ips", "macs",
                                                    "protocols", "roles")}, sort_keys=True) for a in found)


def same(live, rep):
    a, b = bare_events(live), bare_events(rep)
    assert a == b, (f"events differ: {sum(a.values())} live, {sum(b.values())} by replay, dropped {live.stats['dropped']}; "
                    f"live alone {list(a - b)[:1]}, replay alone {list(b - a)[:1]}")
    a, b = bare_alerts(live), bare_alerts(rep)
    assert a == b, f"alerts differ: live {a - b}, replay {b - a}"
    assert inventory(live) == inventory(rep), "inventories differ"


# ---- live is replay ----

@case
def live_gives_what_replay_gives(wire):
    path = capture("plant/incident.pcap")
    rep = replay(path)
    for workers in (1, 3):
        live = Run(wire, "-w", str(workers))
        before = wire.sent_by(wire.rx, "vr")
        n = send(wire, path, 0, 10000)
        live.stop()
        assert live.status == 0 and live.stats["packets"] == n, (live.status, live.stats["packets"], n, live.told())
        same(live, rep)
        assert wire.sent_by(wire.rx, "vr") == before, "the sensor has sent something"
        rep = replay(path)


@case
def a_file_is_replayed(wire):
    path = capture("plant/incident.pcap")
    live = Run(None, source="file:" + path)
    live.p.wait(timeout=30)
    live.stats = lines(live.out["stats"])[0]
    rep = replay(path)
    for key in ("alerts", "events"):
        with open(live.out[key]) as a, open(rep.out[key]) as b:
            assert a.read() == b.read(), key


# ---- nothing is lost quietly ----

@case
def sent_is_processed_or_dropped(wire):
    path = capture("plant/incident.pcap")
    live = Run(wire, "-w", "1")
    n = send(wire, path, 400000)
    live.stop()
    got, lost = live.stats["packets"], live.stats["dropped"]["kernel"]
    assert got + lost == n, f"sent {n}, processed {got}, dropped {lost}"


# ---- a service ----

@case
def an_interface_goes_and_comes_again(wire):
    path = capture("plant/normal.pcap")
    live = Run(wire)
    n = send(wire, path)
    time.sleep(0.3)
    wire.unplug()
    time.sleep(1.5)
    wire.plug()
    for _ in range(60):
        if "captured again" in live.told():
            break
        time.sleep(0.1)
    n += send(wire, path)
    live.stop()
    assert live.status == 0 and live.stats["packets"] == n, (live.status, live.stats["packets"], n, live.told())
    assert "waiting for it" in live.told(), live.told()

@case
def sigterm_ends_it_in_time(wire):
    live = Run(wire)
    send(wire, capture("plant/normal.pcap"))
    live.stop()
    assert live.status == 0 and live.took < 5, (live.status, live.took)


def main():
    global WORK
    netns.skip_unless_usable()
    wanted = sys.argv[4:]
    failed = 0
    with tempfile.TemporaryDirectory() as WORK:
        for f in CASES:
            if wanted and f.__name__ not in wanted:
                continue
            wire = netns.Wire()
            try:
                f(wire)
                print(f"ok      {f.__name__}", flush=True)
            except Exception as e:
                failed += 1
                print(f"FAILED  {f.__name__}: {type(e).__name__}: {e}", flush=True)
            finally:
                wire.close()
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
