#!/usr/bin/env python3
"""live.py: tyto run on a veth pair in network namespaces of its own. What needs root is skipped elsewhere.

  live.py TYTO SEND SOURCE_ROOT [CASE...]
"""
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter

import netns

TYTO, SEND, ROOT = sys.argv[1:4]
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

SKIPPED = 77  # to Meson
CASES, ALONE = [], []  # with a pair of interfaces; without any network
TIMES = ("timestamp", "flow_id", "in_iface", "pcap_filename")


def case(f):
    CASES.append(f)
    return f


def alone(f):
    ALONE.append(f)
    return f


def has_dpdk():
    """Only an unknown device is asked for: it fails at once in any case."""
    r = subprocess.run([TYTO, "run", "-i", "dpdk:none"], capture_output=True, text=True, timeout=60)
    return "without DPDK" not in r.stderr


def capture(name):
    return os.path.join(ROOT, "pcaps", name)


def lines(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


class Run:
    """tyto run in the watching namespace, until stop(), or until its case has failed."""
    left = set()

    def __init__(self, pair, *args, source="pcap:vr", mode="--detect", open_dir=False):
        self.dir = tempfile.mkdtemp(dir=WORK)
        if open_dir: # for another user
            os.chmod(self.dir, 0o777)
            os.chmod(WORK, 0o755)
        self.out = {k: os.path.join(self.dir, k) for k in ("alerts", "events", "stats", "db", "err")}
        self.err = open(self.out["err"], "w")
        inside = pair.inside(pair.rx) if pair else []
        self.p = subprocess.Popen([*inside, TYTO, "run", "-i", source, "-d", self.out["db"], "-o", self.out["alerts"],
                                   "-e", self.out["events"], "--stats", self.out["stats"], "--oui-excerpt",
                                   *([mode] if mode else []), *args], stderr=self.err)
        Run.left.add(self.p)
        self.wait_for_ready()

    def wait_for_ready(self):
        for _ in range(200):
            if "capturing" in self.told():
                return
            if self.p.poll() not in (None, 0):
                break
            time.sleep(0.05)
        raise AssertionError("tyto run did not come up: " + self.told())

    def tyto(self):
        """`ip netns exec` becomes the program: its process id is ours."""
        return self.p.pid

    def told(self):
        with open(self.out["err"]) as f:
            return f.read()

    def wait_until_told(self, words):
        for _ in range(100):
            if words in self.told():
                return
            time.sleep(0.1)
        raise AssertionError(f"tyto run did not tell {words!r}: {self.told()}")

    def so_far(self):
        with open(self.out["alerts"]) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

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


def send(pair, path, *args):
    text = subprocess.run([*pair.inside(pair.tx), SEND, "vt", path, *map(str, args)], check=True, capture_output=True,
                          text=True).stdout
    return int(text.split()[0])


def bare_events(r, numbers):
    """Events without times and what follows from them. Queues are read in turn: then numbers say nothing."""
    c = Counter()
    for e in r.events:
        for k in TIMES if numbers else (*TIMES, "pcap_cnt"):
            e.pop(k, None)
        for m in [] if numbers else e["ot"].get("messages", []):
            m.pop("frame", None)
        for k in ("latency_us", "tx_id"):
            e["ot"].pop(k, None)
        for k in ("interval_us", "clock_drift_ms"):
            e.get(e["event_type"], {}).pop(k, None)
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


def same_events(live, rep, numbers=True):
    numbers = numbers and "each reads for itself" not in live.told()
    a, b = bare_events(live, numbers), bare_events(rep, numbers)
    assert a == b, (f"events differ: {sum(a.values())} live, {sum(b.values())} by replay, dropped {live.stats['dropped']}; "
                    f"live alone {list(a - b)[:1]}, replay alone {list(b - a)[:1]}")


def same_but_for_order(live, rep):
    """Where pairs come a little earlier or later against each other, which of several devices an alert names may differ."""
    same_events(live, rep, numbers=False)
    kinds = [sorted(a[:2] for a in bare_alerts(r)) for r in (live, rep)]
    assert kinds[0] == kinds[1] and len(inventory(live)) == len(inventory(rep)), kinds


def same(live, rep):
    same_events(live, rep)
    a, b = bare_alerts(live), bare_alerts(rep)
    assert a == b, f"alerts differ: live {a - b}, replay {b - a}"
    assert inventory(live) == inventory(rep), "inventories differ"


def at_rate(path, begin, rate):
    """The capture with the time stamps that its packets had when they were sent."""
    with open(path, "rb") as f:
        data = f.read()
    out, at, n = [data[:24]], 24, 0
    while at < len(data):
        caplen = struct.unpack_from("<I", data, at + 8)[0]
        ns = int((begin + n / rate) * 1e9)
        unit = 1 if data[:4] == b"\x4d\x3c\xb2\xa1" else 1000
        out += [struct.pack("<II", ns // 10**9, ns % 10**9 // unit), data[at + 8:at + 16 + caplen]]
        at, n = at + 16 + caplen, n + 1
    to = os.path.join(tempfile.mkdtemp(dir=WORK), "sent.pcap")
    with open(to, "wb") as f:
        f.write(b"".join(out))
    return to


def without_loss(pair, path, *args, **kw):
    """A run in which nothing was lost: on a busy machine the first attempts may fail, but never without being told."""
    for rate in (10000, 5000, 3000, 2000):
        live = Run(pair, *args, **kw)
        before = pair.sent_by(pair.rx, "vr")
        live.sent_at, live.rate = time.time(), rate
        n = send(pair, path, 0, rate)
        live.stop()
        assert pair.sent_by(pair.rx, "vr") == before, "the sensor has sent something"
        lost = live.stats["dropped"]["kernel"] + live.stats["dropped"]["nic"]
        assert live.status == 0 and live.stats["packets"] + lost == n, (live.stats["packets"], lost, n, live.told())
        if not lost and not live.stats["dropped"]["ring"]:
            return live
    return None


# ---- live is replay ----

@case
def live_gives_what_replay_gives(pair):
    path = capture("plant/incident.pcap")
    for workers in (1, 3):
        live = without_loss(pair, path, "-w", str(workers))
        assert live, "packets are lost at 2,000 a second"
        same(live, replay(at_rate(path, live.sent_at, live.rate)))


def joined(*paths):
    """Their packets as one capture: Ethernet, classic format, of this machine's byte order; no larger than the interface
    takes."""
    t = wire.Trace(os.path.join(tempfile.mkdtemp(dir=WORK), "joined.pcap"))
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        at = 24
        assert struct.unpack_from("<I", data)[0] in (0xA1B2C3D4, 0xA1B23C4D) and data[20] == 1, path
        while at < len(data):
            n = struct.unpack_from("<I", data, at + 8)[0]
            if 14 <= n <= 1514:
                t.frame(data[at + 16:at + 16 + n])
            at += 16 + n
    t.save()
    return t.path


def workers(r, key):
    return [w[key] for w in r.stats["workers"]]


@case
def the_kernel_spreads_by_the_shard_rule(pair):
    """Tags, groups, layer 2, ARP: each worker gets from the kernel just what is its own."""
    t = wire.Trace("")
    for i in range(40):
        c = t.tcp(f"10.0.0.{i + 1}", 50000, "10.0.1.1", 502)
        for k in range(5):
            c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 3, i, 2))
            c.to_client(struct.pack(">HHHBBBHH", k, 0, 7, 1, 3, 4, i, k))
        t.arp(1, f"10.0.0.{i + 1}", "10.0.1.1")
    tags = (b"", b"\x81\x00\x00\x07", b"\x88\xa8\x00\x09\x81\x00\x00\x07")
    t.packets = [(us, p[:12] + tags[n // 13 % 3] + p[12:]) for n, (us, p) in enumerate(t.packets)]
    t.path = os.path.join(tempfile.mkdtemp(dir=WORK), "tags.pcap")
    t.save()
    path = joined(t.path, capture("plant/incident.pcap"), *(capture(f"goose/{n}.pcap") for n in ("steady", "copies", "other")))
    for n in (2, 3, 5):
        live, rep = without_loss(pair, path, "-w", str(n)), replay(path, "-w", str(n))
        assert live and "each reads for itself" in live.told(), live and live.told()
        assert workers(live, "packets") == workers(rep, "packets"), (workers(live, "packets"), workers(rep, "packets"))
        assert not any(workers(live, "handed_over")), workers(live, "handed_over")
        same(live, replay(at_rate(path, live.sent_at, live.rate)))


@case
def what_the_kernel_cannot_see_is_handed_over(pair):
    """Tunnels come to the first worker, which gives what is inside to its owner; fragments follow their addresses."""
    path = joined(capture("decode/encapsulations.pcap"), capture("decode/fragments.pcap"), capture("goose/routed.pcap"),
                  capture("plant/incident.pcap"))
    live, rep = without_loss(pair, path, "-w", "4"), replay(path, "-w", "4")
    assert live and "each reads for itself" in live.told(), live and live.told()
    handed = workers(live, "handed_over")
    assert handed[0] > 50 and sum(handed[1:]) < 10, handed # a tunnel in fragments is found when it is whole
    assert workers(live, "packets") == workers(rep, "packets"), (workers(live, "packets"), workers(rep, "packets"))
    same_but_for_order(live, replay(at_rate(path, live.sent_at, live.rate))) # what is handed over is late


def rings(run):
    """Bytes of the packet sockets' rings."""
    with open(f"/proc/{run.tyto()}/maps") as f:
        spans = [line.split()[0].split("-") for line in f if "socket:" in line]
    return sum(int(hi, 16) - int(lo, 16) for lo, hi in spans)


@case
def the_queues_share_the_buffer(pair):
    for n_workers in (1, 4):
        live = Run(pair, "-w", str(n_workers), *config("run: {buffer: 32M}"))
        n = rings(live)
        live.stop()
        assert 28 << 20 < n <= 33 << 20, (n_workers, n)


@case
def one_thread_reads_what_the_kernel_does_not_spread(pair):
    """Not Ethernet: the group is refused, and the interface is opened as a whole."""
    try:
        netns.sh("ip", "-n", pair.rx, "tuntap", "add", "dev", "tyto0", "mode", "tun")
    except subprocess.CalledProcessError:
        return "no tun devices"
    netns.sh("ip", "-n", pair.rx, "link", "set", "tyto0", "up", "arp", "off")
    live = Run(pair, "-w", "3", *config("run: {buffer: 32M}"), source="pcap:tyto0")
    n = rings(live)
    live.stop()
    assert live.status == 0 and "one thread reads" in live.told(), live.told()
    assert "each reads for itself" not in live.told() and n > 28 << 20, (live.told(), n)


@case
def the_clock_is_set_while_workers_read(pair):
    """Two hours on, then two days back: each worker sees it by itself, and nothing waits for a time that was."""
    clock, path = os.path.join(tempfile.mkdtemp(dir=WORK), "offset"), capture("plant/normal.pcap")
    for n_workers in (1, 3):
        with open(clock, "w") as f:
            f.write("0")
        os.environ.update(LD_PRELOAD=os.path.join(os.path.dirname(os.path.abspath(SEND)), "clock_shim.so"), CLOCK_SHIM=clock)
        try:
            live = Run(pair, "-w", str(n_workers), *config("run: {stats_interval: 1s}"))
        finally:
            del os.environ["LD_PRELOAD"], os.environ["CLOCK_SHIM"]
        n, lost = send(pair, path, 0, 10000), 0
        for offset in (7200, -172800):
            time.sleep(1)
            with open(clock + "x", "w") as f:
                f.write(str(offset))
            os.rename(clock + "x", clock)
            time.sleep(1)
            n += send(pair, path, 0, 10000)
            time.sleep(1.5)
            written = len(lines(live.out["events"]))
            assert written > lost, (n_workers, offset, written, lost) # the collector goes on
            lost = written
        live.stop()
        assert live.status == 0 and live.stats["packets"] + live.stats["dropped"]["kernel"] == n, (n, live.stats)
        told = [a["tyto"]["why"] for a in of(live.alerts, "OT-OPS-003")]
        assert sum("jumped" in t for t in told) >= 1, (n_workers, told)
        stats = [e for e in live.events if e["event_type"] == "stats"]
        assert stats[-1]["timestamp"] < stats[0]["timestamp"], "engine time has followed the clock"


@alone
def a_file_is_replayed():
    path = capture("plant/incident.pcap")
    live = Run(None, source="file:" + path)
    assert live.p.wait(timeout=60) == 0, live.told()
    rep = replay(path)
    for key in ("alerts", "events"):
        with open(live.out[key]) as a, open(rep.out[key]) as b:
            assert a.read() == b.read(), key


def large_frames():
    """Frames that DPDK delivers in several segments."""
    t = wire.Trace("")
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    for i in range(20):
        t.eth("02:00:00:00:00:01", "01:0c:cd:01:00:01", 0x88B8, bytes(3000 + 300 * i))
        request = struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 0, 100)
        answer = struct.pack(">HHHBBB", i, 0, 203, 1, 3, 200) + bytes(range(200))
        c.to_server(b"".join(request for _ in range(40)))
        c.to_client(b"".join(answer for _ in range(40)))
    t.path = os.path.join(tempfile.mkdtemp(dir=WORK), "large.pcap")
    t.save()
    return t.path


def nameless(path):
    """Records without the names of the file and the port."""
    def strip(v):
        if isinstance(v, dict):
            return {k: strip(x) for k, x in v.items() if k not in ("in_iface", "pcap_filename")}
        return [strip(x) for x in v] if isinstance(v, list) else v
    return [strip(r) for r in lines(path)]


@alone
def dpdk_plays_a_file_as_replay_does():
    if not has_dpdk():
        return "no DPDK"
    for path in (capture("plant/incident.pcap"), large_frames()):
        rep = replay(path)
        for workers in (1, 3):
            live = Run(None, "-w", str(workers), source="dpdk:net_pcap0,rx_pcap=" + path)
            assert live.p.wait(timeout=60) == 0, live.told()
            assert lines(live.out["stats"])[0]["packets"] == rep.stats["packets"]
            for key in ("alerts", "events"):
                assert nameless(live.out[key]) == nameless(rep.out[key]), (path, workers, key)


@case
def dpdk_gives_what_replay_gives(pair):
    if not has_dpdk():
        return "no DPDK"
    path = capture("plant/incident.pcap")
    for dev in ("net_af_packet0,iface=vr", "net_pcap0,rx_iface=vr"):
        live = without_loss(pair, path, "-w", "1", source="dpdk:" + dev)
        if not live: # the driver's ring of 2 MB; every packet was accounted for
            return f"this machine is too busy for {dev}"
        same(live, replay(at_rate(path, live.sent_at, live.rate)))


def opens(pair, source):
    """None, or why the device cannot be used on this machine."""
    r = subprocess.run([*pair.inside(pair.rx), "timeout", "-s", "TERM", "3", TYTO, "run", "-i", source, "-d", ":memory:"],
                       capture_output=True, text=True, timeout=30)
    return None if "capturing" in r.stderr else f"{source} cannot be opened here"


@case
def dpdk_gives_what_replay_gives_by_af_xdp(pair):
    source = "dpdk:net_af_xdp0,iface=vr"
    why = opens(pair, source) if has_dpdk() else "no DPDK"
    if why:
        return why
    netns.sh("ip", "-n", pair.rx, "link", "set", "dev", "vr", "xdp", "off") # as docs/CAPTURE.md says
    path = capture("plant/incident.pcap")
    live = without_loss(pair, path, "-w", "2", source=source)
    if not live:
        return "this machine is too busy"
    same(live, replay(at_rate(path, live.sent_at, live.rate)))


@case
def queues_of_dpdk_are_read_by_workers(pair):
    """Two sockets between which the kernel spreads by its own rule; more workers than queues, and fewer."""
    if not has_dpdk():
        return "no DPDK"
    path = capture("plant/incident.pcap")
    for n in (1, 2, 3):
        live = without_loss(pair, path, "-w", str(n), source="dpdk:net_af_packet0,iface=vr,qpairs=2")
        if not live:
            return "this machine is too busy"
        told, handed = "each reads for itself" in live.told(), workers(live, "handed_over")
        assert told == (n > 1) and (sum(handed) > 100) == (n > 1) and not any(handed[2:]), (n, handed, live.told())
        assert workers(live, "packets") == workers(replay(path, "-w", str(n)), "packets")
        same_but_for_order(live, replay(at_rate(path, live.sent_at, live.rate)))


@case
def queues_of_dpdk_by_tap(pair):
    """A device of the program's own, into which the host sends."""
    if not has_dpdk():
        return "no DPDK"
    pair.no_ipv6(pair.rx, "default")
    source, path = "dpdk:net_tap0,iface=dtap0", capture("plant/incident.pcap")
    why = opens(pair, source)
    if why:
        return why
    for n in (1, 3):
        live = Run(pair, "-w", str(n), source=source)
        netns.sh("ip", "-n", pair.rx, "link", "set", "dtap0", "up", "arp", "off")
        began, rate = time.time(), 5000
        sent = int(netns.sh(*pair.inside(pair.rx), SEND, "dtap0", path, "0", str(rate)).split()[0])
        live.stop()
        assert live.stats["packets"] == sent, (n, live.stats["packets"], sent)
        (same_but_for_order if n > 1 else same)(live, replay(at_rate(path, began, rate)))


@alone
def dpdk_reads_every_queue():
    """net_pcap has a queue for each of its captures: all are read, also by one worker."""
    if not has_dpdk():
        return "no DPDK"
    paths = [capture(f"plant/{n}.pcap") for n in ("normal", "incident")]
    n = sum(replay(p).stats["packets"] for p in paths)
    for n_workers in (1, 2):
        live = Run(None, "-w", str(n_workers), source="dpdk:net_pcap0," + ",".join("rx_pcap=" + p for p in paths))
        assert live.p.wait(timeout=60) == 0, live.told()
        assert lines(live.out["stats"])[0]["packets"] == n, (n_workers, lines(live.out["stats"])[0]["packets"], n)


@alone
def dpdk_by_memif():
    """testpmd is the peer, and plays a capture: what it has sent was processed, to the packet."""
    if not has_dpdk() or not shutil.which("dpdk-testpmd"):
        return "no DPDK, or no dpdk-testpmd"
    path = os.path.join(tempfile.mkdtemp(dir=WORK), "m.sock")
    both = f"socket={path},socket-abstract=no"
    live = Run(None, "-w", "2", source="dpdk:net_memif0,role=server," + both)
    peer = subprocess.Popen(["dpdk-testpmd", "--no-huge", "-m", "256", "--no-shconf", "--file-prefix", f"tyto{os.getpid()}",
                             "--no-pci", "-l", "0,1", "--vdev",
                             f"net_pcap0,infinite_rx=1,rx_pcap={capture('plant/incident.pcap')}", "--vdev",
                             "net_memif1,role=client," + both, "--", "--forward-mode=io", "--auto-start",
                             "--total-num-mbufs=30000", "-i"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    time.sleep(1.5)
    peer.stdin.write("stop\n") # the ring is read to its end before the peer goes
    peer.stdin.flush()
    time.sleep(0.5)
    told = peer.communicate("show port stats 1\nquit\n", timeout=60)[0]
    live.stop()
    sent = [int(line.split()[1]) for line in told.splitlines() if line.strip().startswith("TX-packets:")]
    if not sent or not max(sent):
        return "dpdk-testpmd has sent nothing"
    assert live.stats["packets"] == max(sent), (live.stats["packets"], sent)


TAP_SENDER = """
import json, socket, sys, time
frames, early = json.load(sys.stdin), sys.argv[1] == "early"
s = {d: socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for d in ("vt", "vt2")}
for d in s:
    s[d].bind((d, 0))
frames = [("vt" if f[12:24] == "02000a000001" else "vt2", bytes.fromhex(f)) for f in frames]
for a, b in zip(frames[::2], frames[1::2]):
    for dev, data in (b, a) if early else (a, b):
        s[dev].send(data)
    time.sleep(0.001)
"""


@case
def a_tap_bears_answers_before_their_requests(pair):
    """Each direction on an interface of its own; then each answer a moment before its request."""
    netns.sh("ip", "link", "add", "vt2", "netns", pair.tx, "type", "veth", "peer", "name", "vr2", "netns", pair.rx)
    for ns, dev in ((pair.tx, "vt2"), (pair.rx, "vr2")):
        pair.no_ipv6(ns, dev)
        netns.sh("ip", "-n", ns, "link", "set", dev, "up", "arp", "off")
    n = 200
    t = trace_of_polls(n)
    for order in ("right", "early"):
        live = Run(pair, source="tap:vr+vr2")
        subprocess.run([*pair.inside(pair.tx), sys.executable, "-c", TAP_SENDER, order], check=True, timeout=60,
                       input=json.dumps([f.hex() for f in t]), text=True)
        live.stop()
        kinds = Counter(e["ot"]["kind"] for e in live.events if e["event_type"] == "modbus")
        swapped = live.stats["interfaces"][0].get("swapped", 0)
        assert live.stats["packets"] == 2 * n, live.stats["packets"]
        if order == "right":
            assert kinds == {"transaction": n} and not swapped, (kinds, swapped)
        else: # a busy machine may put more than a millisecond between some
            assert swapped > n / 2 and kinds["transaction"] > n / 2, (kinds, swapped)


def trace_of_polls(n):
    """Frames of n polls without acknowledgements in between: request, answer, request, ..."""
    t = wire.Trace("")
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502, handshake=False)
    for i in range(n):
        c.to_server(struct.pack(">HHHBBHH", i, 0, 6, 1, 3, i, 2))
        c.to_client(struct.pack(">HHHBBBHH", i, 0, 7, 1, 3, 4, i, i))
    return [data for _, data in t.packets]


# ---- tyto capture check ----

def check(frames, *args, step=0.001):
    t = wire.Trace(os.path.join(tempfile.mkdtemp(dir=WORK), "check.pcap"), step=step)
    frames(t)
    t.save()
    r = subprocess.run([TYTO, "capture", "check", "--json", "-i", "file:" + t.path, *args], check=True,
                       capture_output=True, text=True, timeout=60)
    return json.loads(r.stdout)


def polled(t, n=10, each=lambda k: None):
    for k in range(n):
        c = t.tcp(f"10.0.0.{k + 1}", 50000, "10.0.1.1", 502)
        for i in range(5):
            c.to_server(struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 0, 100))
            c.to_client(struct.pack(">HHHBBB", i, 0, 203, 1, 3, 200) + bytes(200))


def only(t, keep):
    t.packets = [p for p in t.packets if keep(p[1])]


@alone
def a_mirror_that_is_right():
    r = check(polled)
    assert r["good"] and not r["change"] and r["one_way"] == 0 and r["both_ways"] == 10, r


@alone
def mirrors_that_are_wrong():
    def one_direction(t):
        polled(t)
        only(t, lambda p: p[30:34] == bytes([10, 0, 1, 1]))

    def copies(t):
        polled(t)
        t.packets = [(us + k * 100, p) for us, p in t.packets for k in range(2)]

    def broadcast(t):
        for i in range(50):
            t.eth("ff:ff:ff:ff:ff:ff", f"02:00:00:00:00:{i:02x}", 0x88B5, bytes(46))

    def tags_one_way(t):
        polled(t, n=25)
        t.packets = [(us, p[:12] + b"\x81\x00\x00\x07" + p[12:] if p[30:34] == bytes([10, 0, 1, 1]) else p)
                     for us, p in t.packets]

    def holes(t):
        polled(t, n=25)
        t.packets = [p for i, p in enumerate(t.packets) if i % 11 != 7]

    for frames, words in ((one_direction, "one direction only"), (copies, "are copies"), (broadcast, "no mirror"),
                          (tags_one_way, "VLAN tag"), (holes, "never seen"), (lambda t: None, "No packet")):
        r = check(frames)
        assert not r["good"] and any(words in c for c in r["change"]), (words, r)
    conf = config("assets: [{name: there, address: 10.0.1.1}, {name: missing, address: 10.9.9.9}]")
    r = check(polled, *conf)
    assert r["assets_missing"] == 1 and any("configured assets" in c for c in r["change"]), r


@alone
def what_stands_behind_frames_is_told():
    def with_fcs(t):
        polled(t)
        t.packets = [(us, p + struct.pack("<I", zlib.crc32(p))) for us, p in ((us, p.ljust(60, b"\0")) for us, p in t.packets)]

    r, plain = check(with_fcs), check(polled)
    assert r["good"] and r["with_fcs"] == r["packets"] and not r["with_trailer"] and not plain["with_fcs"], r


@case
def a_live_port_is_checked(pair):
    p = subprocess.Popen([*pair.inside(pair.rx), TYTO, "capture", "check", "--json", "-t", "3", "-i", "pcap:vr"],
                         stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    n = send(pair, capture("plant/normal.pcap"), 0, 10000)
    out = p.communicate(timeout=30)[0]
    r = json.loads(out)
    assert p.returncode == 0 and r["packets"] == n and r["interfaces"][0]["name"] == "vr", (n, r)


# ---- nothing is lost quietly ----

@case
def sent_is_processed_or_dropped(pair):
    path = capture("plant/incident.pcap")
    sources = ["pcap:vr"] + (["dpdk:net_pcap0,rx_iface=vr", "dpdk:net_af_packet0,iface=vr"] if has_dpdk() else [])
    for source, n_workers in [(s, 1) for s in sources] + [("pcap:vr", 2), ("pcap:vr", 4)]:
        live = Run(pair, "-w", str(n_workers), source=source)
        n = send(pair, path, 400000)
        live.stop()
        got, lost = live.stats["packets"], live.stats["dropped"]["kernel"] + live.stats["dropped"]["nic"]
        assert got + lost == n, f"{source}, {n_workers} workers: sent {n}, processed {got}, dropped {lost}"


def config(text):
    path = os.path.join(tempfile.mkdtemp(dir=WORK), "tyto.yaml")
    with open(path, "w") as f:
        f.write(text)
    return "-c", path


def of(alerts, kind):
    return [a for a in alerts if a["tyto"]["id"] == kind]


@case
def each_alert_has_its_packets(pair):
    folder = tempfile.mkdtemp(dir=WORK)
    live = Run(pair, *config(f"run: {{capture_dir: '{folder}', capture_after: 1s}}"))
    send(pair, capture("plant/incident.pcap"), 0, 5000)
    time.sleep(2)
    live.stop()
    told = {a["tyto"]["alert_uid"]: a for a in live.alerts if a.get("src_ip")}
    assert len(told) > 5
    for uid, a in told.items():
        path = a["tyto"]["evidence"]["capture"]
        assert path == os.path.join(folder, uid + ".pcapng"), (path, uid)
        with open(path, "rb") as f:
            data = f.read()
        assert uid.encode() in data[:100], "the comment names the alert"
        found = replay(path)
        assert found.stats["packets"] > 0, (a["tyto"]["id"], path)
        for e in found.events:
            ends = {e["src_ip"], e["dest_ip"]}
            assert a["src_ip"] in ends and a.get("dest_ip", a["src_ip"]) in ends, (ends, a)


def stamps(path):
    """Of the packets of a pcapng file of ours: nanoseconds."""
    with open(path, "rb") as f:
        data = f.read()
    at, out = 0, []
    while at < len(data):
        kind, n = struct.unpack_from("<II", data, at)
        if kind == 6:
            hi, lo = struct.unpack_from("<II", data, at + 12)
            out.append(hi << 32 | lo)
        at += n
    return out


@case
def times_are_nanoseconds(pair):
    """Of the kernel; of the card where it has them, which a pair of virtual ones has not."""
    folder = tempfile.mkdtemp(dir=WORK)
    live = Run(pair, *config(f"run: {{capture_dir: '{folder}', capture_after: 0s, adapter_time: true}}"))
    assert "the card has no time stamps of its own; the kernel's are used" in live.told(), live.told()
    before = time.time_ns()
    send(pair, capture("plant/incident.pcap"), 0, 5000)
    live.stop()
    seen = [ns for name in os.listdir(folder) for ns in stamps(os.path.join(folder, name))]
    assert len(seen) > 100 and sum(ns % 1000 != 0 for ns in seen) > len(seen) / 2, seen[:10]
    assert all(before < ns < time.time_ns() for ns in seen)


@case
def alert_captures_are_bounded(pair):
    folder = tempfile.mkdtemp(dir=WORK)
    for i in range(40):
        with open(os.path.join(folder, f"{i:016x}.pcapng"), "wb") as f:
            f.write(bytes(100000))
        os.utime(f.name, (1000 + i, 1000 + i))
    with open(os.path.join(folder, "mine.pcapng"), "wb") as f:
        f.write(bytes(3 << 20))
    live = Run(pair, *config(f"run: {{capture_dir: '{folder}', capture_after: 0s, capture_total: 1M, capture_file: 64K}}"))
    send(pair, capture("plant/incident.pcap"), 0, 5000)
    time.sleep(1)
    live.stop()
    files = {n: os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)}
    assert files.pop("mine.pcapng") == 3 << 20, "what is not ours is left alone"
    assert f"{0:016x}.pcapng" not in files and sum(files.values()) <= 1 << 20, files
    assert any(n not in {f"{i:016x}.pcapng" for i in range(40)} for n in files)
    assert all(size <= 65536 for n, size in files.items() if size != 100000)


@case
def silence_and_a_link_that_is_down_are_told(pair):
    path = capture("plant/normal.pcap")
    live = Run(pair, *config("run: {silence: 2s}"))
    send(pair, path)
    time.sleep(4)
    assert of(live.so_far(), "OT-OPS-008"), "silence was not told"
    send(pair, path)
    time.sleep(2.5)
    netns.sh("ip", "-n", pair.tx, "link", "set", "vt", "down")
    time.sleep(2.5)
    live.stop()
    assert len(of(live.alerts, "OT-OPS-008")) == 1, "silence is told once, and not of a link that is down"
    assert of(live.alerts, "OT-OPS-009"), "traffic that is back was not told"
    assert of(live.alerts, "OT-OPS-010"), "a link that is down was not told"


@case
def what_was_lost_is_told_by_interface(pair):
    live = Run(pair, *config("run: {buffer: 1M, stats_interval: 1s}"))
    live.p.send_signal(signal.SIGSTOP)
    n = send(pair, capture("plant/normal.pcap"), 100000)
    live.p.send_signal(signal.SIGCONT)
    for _ in range(100): # until the statistics know of it
        time.sleep(0.1)
        with open(live.out["events"]) as f:
            last = [line for line in f if '"event_type":"stats"' in line and line.endswith("\n")][-1:]
        if last and json.loads(last[0])["stats"]["interfaces"][0]["dropped"]["kernel"]:
            break
    time.sleep(1.5)
    live.stop()
    lost = live.stats["dropped"]["kernel"]
    assert lost and live.stats["packets"] + lost == n, (live.stats["packets"], lost, n)
    told = {a["tyto"]["alert_uid"]: a["tyto"]["count"] for a in of(live.alerts, "OT-OPS-001")}
    assert sum(told.values()) == lost, (told, lost)
    stats = [e["stats"] for e in live.events if e["event_type"] == "stats"]
    assert stats and stats[-1]["interfaces"][0]["dropped"]["kernel"] == lost, stats[-1:]


def twice(change):
    """A capture of each frame twice: change(frame, its number by sender, which of the two)."""
    with open(capture("plant/normal.pcap"), "rb") as f:
        data = f.read()
    out, at, sent = [data[:24]], 24, Counter()
    while at < len(data):
        head, end = data[at:at + 8], at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:end].ljust(60, b"\0")
        sent[frame[6:12]] += 1
        for which in (0, 1):
            changed = change(frame, sent[frame[6:12]], which)
            out += [head, struct.pack("<II", len(changed), len(changed)), changed]
        at = end
    path = os.path.join(tempfile.mkdtemp(dir=WORK), "twice.pcap")
    with open(path, "wb") as f:
        f.write(b"".join(out))
    return path


@case
def copies_are_told(pair):
    path = twice(lambda frame, seq, which: frame)
    live = Run(pair)
    send(pair, path, 0, 8000)
    for _ in range(140):
        time.sleep(0.1)
        if of(live.so_far(), "OT-OPS-011"):
            break
    live.stop()
    assert of(live.alerts, "OT-OPS-011") and live.stats["duplicates"] > 1000, live.stats["duplicates"]


@case
def redundancy_is_no_copy(pair):
    path = twice(lambda frame, seq, lan: frame + struct.pack(">HHH", seq & 0xFFFF, (10 + lan) << 12 | len(frame) - 8, 0x88FB))
    live = Run(pair)
    send(pair, path, 0, 8000)
    time.sleep(11)
    live.stop()
    assert live.stats["redundant"] > 1000 and not of(live.alerts, "OT-OPS-011"), (live.stats["redundant"], live.alerts)


@case
def counters_are_served(pair):
    path = os.path.join(tempfile.mkdtemp(dir=WORK), "metrics")
    live = Run(pair, *config(f"run: {{metrics: '{path}'}}"))
    n = send(pair, capture("plant/normal.pcap"))
    time.sleep(2.5)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        page = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    live.stop()
    assert page.startswith("HTTP/1.0 200 OK\r\n"), page[:100]
    for line in (f"tyto_packets_total {n}", f'tyto_interface_packets_total{{interface="vr"}} {n}',
                 'tyto_interface_up{interface="vr"} 1'):
        assert line in page.splitlines(), (line, page)
    assert not os.path.exists(path)


# ---- a service ----

@case
def an_interface_goes_and_comes_again(pair):
    path = capture("plant/normal.pcap")
    for n_workers in (1, 3):
        live = Run(pair, "-w", str(n_workers))
        n = send(pair, path)
        time.sleep(0.3)
        pair.unplug()
        time.sleep(1.5)
        pair.plug()
        for _ in range(60):
            if "captured again" in live.told():
                break
            time.sleep(0.1)
        time.sleep(1.5) # the other workers follow
        n += send(pair, path)
        live.stop()
        assert live.status == 0 and live.stats["packets"] == n, (live.status, live.stats["packets"], n, live.told())
        assert live.told().count("waiting for it") == live.told().count("captured again") == 1, live.told()
        assert not any(workers(live, "handed_over")), workers(live, "handed_over")

def tyto(*args):
    return subprocess.run([TYTO, *args], capture_output=True, text=True, timeout=30)


@case
def one_writer_a_database(pair):
    live = Run(pair)
    db = live.out["db"]
    text = os.path.join(live.dir, "text")
    with open(text, "w") as f:
        f.write("tyto_baseline: 1\n")
    for args in (["run", "-i", "file:" + capture("plant/normal.pcap")], ["replay", "-q", capture("plant/normal.pcap")],
                 ["baseline", "import", text], ["db", "vacuum"], ["db", "migrate"]):
        r = tyto(*args, "-d", db)
        assert r.returncode == 1 and f"another tyto writes this database (process {live.tyto()} run)" in r.stderr, \
            (args, r.returncode, r.stderr)
    assert tyto("assets", "-d", db).returncode == 0
    live.stop()
    assert live.status == 0 and not os.path.exists(db + ".lock")
    assert tyto("db", "vacuum", "-d", db).returncode == 0 and not os.path.exists(db + ".lock")


def not_learned(db):
    r = tyto("baseline", "show", "--all", "--json", "-d", db)
    assert r.returncode == 0, r.stderr
    return r.stdout


@case
def what_is_accepted_beside_a_sensor_stays_so(pair):
    """By the sensor, which alone may change what it knows: not undone by its next write, and not raised again."""
    live = Run(pair, "-c", capture("plant/site.yaml"))
    db, path = live.out["db"], capture("plant/incident.pcap")
    send(pair, path)
    for _ in range(100):
        told = [a["tyto"] for a in live.so_far() if a["tyto"]["accept"]]
        if len({t["id"] for t in told}) >= 3:
            break
        time.sleep(0.1)
    one = {t["id"]: t for t in told}
    keys = {t["id"]: t["accept"].removeprefix("tyto baseline accept ").split() for t in one.values()}
    facts = [k for ks in keys.values() for k in ks if not k.startswith("alert:")]
    assert len(one) >= 3 and facts and any(k.startswith("alert:") for ks in keys.values() for k in ks), keys
    else_ = not_learned(replay(path, "-c", capture("plant/site.yaml")).out["db"])
    assert any(f in else_ for f in facts), (facts, else_)
    r = tyto("baseline", "accept", "-d", db, *(t["alert_uid"] for t in one.values()))
    assert r.returncode == 0 and r.stdout == f"{len(one)} accepted\n", (r.returncode, r.stdout, r.stderr)
    r = tyto("baseline", "accept", "-d", db, "object:0000000000000001")
    assert r.returncode == 1 and "object:0000000000000001" in r.stderr and not r.stdout, (r.returncode, r.stdout, r.stderr)
    with sqlite3.connect(db) as c:
        assert c.execute("SELECT count(*) FROM wish").fetchone() == (0,)
    live.stop()
    assert not [f for f in facts if f in not_learned(db)], (facts, not_learned(db))
    again = Run(pair, "-c", capture("plant/site.yaml"), "-d", db)
    send(pair, path)
    time.sleep(1)
    again.stop()
    back = [a["tyto"]["alert_uid"] for a in again.alerts if a["tyto"]["alert_uid"] in {t["alert_uid"] for t in one.values()} or
            (a["tyto"]["accept"] or "").removeprefix("tyto baseline accept ").split() in keys.values()]
    assert again.status == 0 and not back, back


@case
def an_interface_that_is_not_there(pair):
    r = subprocess.run([*pair.inside(pair.rx), TYTO, "run", "-i", "pcap:vx", "-d", ":memory:"], capture_output=True,
                       text=True, timeout=30)
    assert r.returncode == 1 and "vx" in r.stderr, (r.returncode, r.stderr)
    pair.unplug()
    live = Run(pair, *config("run: {wait: true}"))
    live.wait_until_told("waiting for it")
    time.sleep(0.5)
    pair.plug()
    live.wait_until_told("captured again")
    n = send(pair, capture("plant/normal.pcap"))
    live.stop()
    assert live.status == 0 and live.stats["packets"] == n, (live.status, live.stats["packets"], n, live.told())


@case
def reloading_loses_no_packet(pair):
    for n_workers in (1, 3):
        reloaded(pair, n_workers)


def reloaded(pair, n_workers):
    path, conf = capture("plant/normal.pcap"), config("alerts: {rate: 7}")
    live = Run(pair, *conf, "-w", str(n_workers))
    sender = subprocess.Popen([*pair.inside(pair.tx), SEND, "vt", path, "30000", "5000"], stdout=subprocess.PIPE, text=True)
    for text, word in (("alerts: {rate: x}", "not reloaded"), ("alerts: {rate: 9}", "capturing")):
        time.sleep(1)
        before = live.told().count(word)
        with open(conf[1], "w") as f:
            f.write(text)
        live.p.send_signal(signal.SIGHUP)
        for _ in range(100):
            if live.told().count(word) > before:
                break
            time.sleep(0.05)
        assert live.told().count(word) > before, (word, live.told())
    n = int(sender.communicate(timeout=60)[0].split()[0])
    live.stop()
    lost = live.stats["dropped"]["kernel"]
    assert live.status == 0 and not lost and live.stats["packets"] == n, (live.stats["packets"], lost, n, live.told())


@case
def privileges_are_given_up(pair):
    conf = config("run: {user: nobody}")
    os.chmod(os.path.dirname(conf[1]), 0o755)
    live = Run(pair, *conf, "-w", "2", open_dir=True)
    with open(f"/proc/{live.tyto()}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    n = send(pair, capture("plant/normal.pcap"))
    time.sleep(0.3)
    pair.unplug()
    time.sleep(1.5)
    pair.plug() # what is left is enough to open it again
    for _ in range(60):
        if "captured again" in live.told():
            break
        time.sleep(0.1)
    time.sleep(1)
    n += send(pair, capture("plant/normal.pcap"))
    live.stop()
    uid = int(status["Uid"].split()[0])
    assert uid == pwd.getpwnam("nobody").pw_uid, status["Uid"]
    assert int(status["CapPrm"], 16) == 1 << 13, "only CAP_NET_RAW is left, to open an interface again"
    assert status["NoNewPrivs"] == "1"
    assert live.status == 0 and live.stats["packets"] == n


@case
def systemd_is_told(pair):
    path = os.path.join(tempfile.mkdtemp(dir=WORK), "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            live = Run(pair)
        finally:
            del os.environ["NOTIFY_SOCKET"]
        live.stop()
        told = []
        while "STOPPING=1" not in told:
            told.append(s.recv(256).decode())
    assert "READY=1" in told and "WATCHDOG=1" in told, told


@case
def killed_at_any_moment(pair):
    """What an output has, the database has, and it is sound; the next run goes on with it."""
    path = capture("plant/incident.pcap")
    db = os.path.join(tempfile.mkdtemp(dir=WORK), "tyto.db")
    for after in (0.3, 0.9, 1.7):
        live = Run(pair, "-d", db)
        sender = subprocess.Popen([*pair.inside(pair.tx), SEND, "vt", path, "6000", "2500"], stdout=subprocess.DEVNULL)
        time.sleep(after)
        live.p.kill()
        live.p.wait()
        sender.wait(timeout=30)
        told = {a["tyto"]["alert_uid"] for a in live.so_far()}
        r = subprocess.run([TYTO, "db", "check", "-d", db], capture_output=True, text=True)
        assert r.returncode == 0, r.stdout + r.stderr
        stored = subprocess.run([TYTO, "alerts", "-d", db, "--json"], check=True, capture_output=True, text=True).stdout
        missing = [uid for uid in told if uid not in stored]
        assert not missing, f"killed after {after} s: {len(missing)} of {len(told)} alerts are not in the database"
    assert told


@case
def sigterm_ends_it_in_time(pair):
    live = Run(pair)
    send(pair, capture("plant/normal.pcap"))
    live.stop()
    assert live.status == 0 and live.took < 5, (live.status, live.took)


def attempt(f, *args):
    try:
        why = f(*args)
        print(f"skipped {f.__name__}: {why}" if why else f"ok      {f.__name__}", flush=True)
        return 0
    except Exception as e:
        print(f"FAILED  {f.__name__}: {type(e).__name__}: {e}", flush=True)
        return 1
    finally:
        while Run.left:
            p = Run.left.pop()
            p.kill() # most have ended
            p.wait()


def main():
    global WORK
    wanted, why, failed, ran = sys.argv[4:], netns.usable(), 0, 0
    with tempfile.TemporaryDirectory() as WORK:
        for f in ALONE + CASES:
            if wanted and f.__name__ not in wanted:
                continue
            if f not in ALONE and why:
                print(f"skipped {f.__name__}: {why}")
                continue
            ran += 1
            if f in ALONE:
                failed += attempt(f)
            else:
                pair = netns.Wire()
                try:
                    failed += attempt(f, pair)
                finally:
                    pair.close()
    print(f"{failed} failed")
    return 1 if failed else 0 if ran else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
