#!/usr/bin/env python3
"""bench_live.py: how fast live capture is, beside tcpdump and dpdk-testpmd in the same run. Root; never part of a test.

  bench_live.py --build BUILD --trace TRACE.pcap [--seconds 10] [--rates 300000,500000,0] [--dpdk TRACE.pcap]

Live: a veth pair in network namespaces of its own; one core sends, the other receives. Rate 0: as fast as it goes.
DPDK: --dpdk TRACE is loaded into packet buffers and played for ever (net_pcap, infinite_rx=1).
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import netns  # noqa: E402


def tyto(build, inside, tmp, source, *args):
    out = os.path.join(tmp, "stats")
    p = subprocess.Popen([*inside, os.path.join(build, "engine/tyto"), "run", "-i", source, "-d",
                          os.path.join(tmp, "db"), "-o", os.path.join(tmp, "alerts"), "--stats", out, *args],
                         stderr=subprocess.PIPE, text=True)
    while "capturing" not in p.stderr.readline():
        if p.poll() is not None:
            sys.exit("tyto run ended")
    return p, out


def ended(p, out):
    p.send_signal(signal.SIGTERM)
    p.wait(timeout=60)
    with open(out) as f:
        return json.load(f)


def config(tmp, text):
    path = os.path.join(tmp, "tyto.yaml")
    with open(path, "w") as f:
        f.write(text)
    return "-c", path


def live(a, wire, rate):
    n = int((rate or 600000) * a.seconds)
    send = [*wire.inside(wire.tx), "taskset", "-c", "0", os.path.join(a.build, "tests/live/send"), "vt", a.trace, str(n),
            str(rate)]
    with tempfile.TemporaryDirectory() as tmp:
        p, out = tyto(a.build, [*wire.inside(wire.rx), "taskset", "-c", "1"], tmp, "pcap:vr", "-w", "1",
                      *config(tmp, "run: {buffer: 128M}"))
        text = subprocess.run(send, capture_output=True, text=True, check=True).stdout
        time.sleep(0.5)
        s = ended(p, out)
    sent, took = int(text.split()[0]), float(text.split()[3])
    lost = s["dropped"]["kernel"]
    print(f"| `tyto run`, 1 worker | {sent / took / 1e6:.3f} | {s['packets']} | {lost} | "
          f"{'yes' if s['packets'] + lost == sent else 'NO'} | {s['workers'][0]['load'] * s['wall_s'] / took:.0%} |",
          flush=True)
    t = subprocess.Popen([*wire.inside(wire.rx), "taskset", "-c", "1", "tcpdump", "-i", "vr", "-n", "-B", "131072", "-w",
                          "/dev/null"], stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    text = subprocess.run(send, capture_output=True, text=True, check=True).stdout
    time.sleep(0.5)
    t.send_signal(signal.SIGINT)
    told = t.communicate()[1]
    got, dropped = (int(re.search(rf"(\d+) packets {w}", told)[1]) for w in ("captured", "dropped by kernel"))
    sent, took = int(text.split()[0]), float(text.split()[3])
    print(f"| tcpdump -w /dev/null | {sent / took / 1e6:.3f} | {got} | {dropped} | | |", flush=True)


def split(path, tmp, n):
    """As a card would with a symmetric key: by both addresses, and not as the sensor would."""
    names = [os.path.join(tmp, f"queue{i}.pcap") for i in range(n)]
    with open(path, "rb") as f:
        data = f.read()
    out, at = [[data[:24]] for _ in names], 24
    while at < len(data):
        end = at + 16 + int.from_bytes(data[at + 8:at + 12], "little")
        frame = data[at + 16:end]
        ends = (frame[26:30], frame[30:34]) if frame[12:14] == b"\x08\x00" else (frame[:6], frame[6:12])
        out[zlib.crc32(b"".join(sorted(ends))) % n].append(data[at:end])
        at = end
    for name, packets_of in zip(names, out):
        with open(name, "wb") as f:
            f.write(b"".join(packets_of))
    return names


def dpdk(a):
    mbufs = (1 << (sum(1 for _ in packets(a.dpdk)) * 5 // 4).bit_length()) - 1
    memory = mbufs * 5000 // (1 << 20) + 128
    dev = f"net_pcap0,rx_pcap={a.dpdk},infinite_rx=1"
    for workers, queues in ((1, 1), (2, 1), (2, 2)):
        with tempfile.TemporaryDirectory() as tmp:
            files = split(a.dpdk, tmp, queues) if queues > 1 else [a.dpdk]
            source = "dpdk:net_pcap0,infinite_rx=1," + ",".join("rx_pcap=" + f for f in files)
            p, out = tyto(a.build, [], tmp, source, "-w", str(workers),
                          *config(tmp, f"run: {{dpdk_mbufs: {mbufs}, dpdk_args: ['-m', '{memory}']}}"))
            time.sleep(a.seconds)
            s = ended(p, out)
        handed = sum(w["handed_over"] for w in s["workers"]) / s["packets"]
        print(f"| `tyto run`, {workers} worker{'s' * (workers > 1)}, {queues} queue{'s' * (queues > 1)} | "
              f"{s['packets'] / s['wall_s'] / 1e6:.2f} | {sum(s['messages'].values()) / s['packets']:.3f} | {handed:.0%} |",
              flush=True)
    p = subprocess.Popen(["dpdk-testpmd", "--no-huge", "-m", str(memory), "--no-pci", "--no-shconf", "-l", "0,1",
                          "--vdev", dev, "--", "--forward-mode=rxonly", f"--total-num-mbufs={mbufs}",
                          f"--stats-period={int(a.seconds)}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         stdin=subprocess.PIPE)
    time.sleep(a.seconds * 2.5)
    p.send_signal(signal.SIGINT)
    rates = [int(r) for r in re.findall(r"Rx-pps:\s+(\d+)", p.communicate()[0]) if int(r)]
    print(f"| dpdk-testpmd rxonly | {max(rates, default=0) / 1e6:.2f} | | |")


def packets(path):
    with open(path, "rb") as f:
        f.seek(24)
        while head := f.read(16):
            f.seek(int.from_bytes(head[8:12], "little"), 1)
            yield head


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--trace")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--rates", default="300000,500000,0")
    p.add_argument("--dpdk")
    a = p.parse_args()
    print(f"load {os.getloadavg()}")
    if a.trace:
        print("| receiver | sent, Mpps | processed | dropped | sent = processed + dropped | core |\n|---|---|---|---|---|---|")
        for rate in map(int, a.rates.split(",")):
            wire = netns.Wire()
            try:
                live(a, wire, rate)
            finally:
                wire.close()
    if a.dpdk:
        print("\n| reader of one port | Mpps | messages a packet | handed over |\n|---|---|---|---|")
        dpdk(a)


if __name__ == "__main__":
    main()
